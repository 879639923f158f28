"""`mixwright propose`: the mixtures that a fit of finished runs expects to be best."""

import json as json_module
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline import proposal_options as own
from mixwright.offline.grouped import grouped


@grouped
def propose(
    runs: options.RunsOrStudy,
    *,
    stored: own.Stored = None,
    csv: Annotated[Path | None, options.written_file("Write the mixtures as a table.")] = None,
    html: options.Html = None,
    json: options.Json = False,
    searching: own.Searching,
    bounds: own.Bounds,
    repetition: own.Repetition,
    stages: own.Staging,
    against: own.Comparing,
    fitting: options.Fitting,
    reading: options.Reading,
    service: options.Service,
) -> None:
    """Propose mixtures from finished runs."""
    from mixlaws.proposers.intent import settled  # noqa: PLC0415
    from mixwright.offline import hyperparameters, loading, posing, proposal_tables, proposing  # noqa: PLC0415
    from mixwright.offline.expectation import expectation  # noqa: PLC0415
    from mixwright.offline.staging import Plan  # noqa: PLC0415

    asked, plan = own.constraints(bounds, repetition), Plan.checked(stages)
    write_page = None if html is None else import_module("mixwright.offline.proposal_page").write
    rivalry = own.rivalry(against)
    pull = {} if searching.kl is None else {"kl": searching.kl}
    params = hyperparameters.settings(searching.proposer_setting) | pull
    console = Console()
    loaded = loading.load(
        runs, reading, fitting.objective, service=service, console=None if json else console
    )
    asked = posing.with_stated(asked, loaded.stated)
    report = loaded.imported.report
    with Console(stderr=True).status("working"):
        expected = expectation(loaded, stored, fitting, reading)
        posed = posing.pose(expected.swarm, asked, expected.coefficients)
        predictor = posing.repeated(expected.predictor, asked, posed.problem)
        search = proposing.Search(
            *settled(searching.intent, searching.proposer),
            params,
            count=searching.count,
            seed=fitting.seed,
            within_sampled=not searching.beyond,
            second=plan.second(expected.swarm),
        )
        proposed = proposing.propose(predictor, posed, expected.swarm, search, rivalry)
    if json:
        told = expected.to_json() | search.to_json() | proposal_tables.to_json(proposed)
        told["import"] = report.to_json()
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        proposal_tables.tell(proposed, console)
    plan.write(proposed)
    if csv is not None:
        proposal_tables.write_csv(csv, proposed)
    if write_page is not None:
        write_page(html, proposed, report)
