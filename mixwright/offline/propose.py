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
    runs: options.Runs,
    *,
    stored: own.Stored = None,
    proposer: own.Proposer = "convex",
    proposer_setting: own.ProposerSetting = None,
    kl: own.Kl = None,
    count: own.Count = 3,
    prior: own.Prior = None,
    tokens: own.Tokens = None,
    final_tokens: own.FinalTokens = None,
    max_epochs: own.MaxEpochs = None,
    lower: own.Lower = None,
    upper: own.Upper = None,
    beyond: own.Beyond = False,
    rival: own.Rival = None,
    statistics: own.Statistics = None,
    csv: Annotated[Path | None, options.written_file("Write the mixtures as a table.")] = None,
    html: options.Html = None,
    json: options.Json = False,
    fitting: options.Fitting,
    reading: options.Reading,
) -> None:
    """Propose mixtures from finished runs."""
    from mixwright.offline import hyperparameters, loading, posing, proposal_tables, proposing  # noqa: PLC0415
    from mixwright.offline.expectation import expectation  # noqa: PLC0415

    asked = own.constraints(
        prior=prior, tokens=tokens, final_tokens=final_tokens, max_epochs=max_epochs, lower=lower, upper=upper
    )
    write_page = None if html is None else import_module("mixwright.offline.proposal_page").write
    rivalry = own.rivalry(rival, statistics)
    params = hyperparameters.settings(proposer_setting) | ({} if kl is None else {"kl": kl})
    console = Console()
    loaded = loading.load(str(runs), reading, fitting.objective, console=None if json else console)
    report = loaded.imported.report
    with Console(stderr=True).status("working"):
        expected = expectation(loaded, stored, fitting, reading)
        posed = posing.pose(expected.swarm, asked, expected.coefficients)
        search = proposing.Search(proposer, params, count=count, seed=fitting.seed, within_sampled=not beyond)
        proposed = proposing.propose(expected.predictor, posed, expected.swarm, search, rivalry)
    if json:
        told = {"method": expected.method, "seed": fitting.seed, "proposer": proposer, "params": params}
        told |= proposal_tables.to_json(proposed) | {"import": report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        proposal_tables.tell(proposed, console)
    if csv is not None:
        proposal_tables.write_csv(csv, proposed)
    if write_page is not None:
        write_page(html, proposed, report)
