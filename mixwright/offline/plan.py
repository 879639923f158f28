"""`mixwright plan`: how many runs it takes until a decision is as good as is wanted."""

import json as json_module
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline import proposal_options as asked
from mixwright.offline.grouped import grouped


@grouped
def plan(
    runs: options.RunsOrStudy,
    *,
    within: Annotated[
        float,
        typer.Option(help="How far from the optimum the decision may be, in nats per token.", metavar="NATS"),
    ] = 0.01,
    html: options.Html = None,
    json: options.Json = False,
    bounds: asked.Bounds,
    fitting: options.Fitting,
    reading: options.Reading,
    service: options.Service,
) -> None:
    """Say how many runs it takes until a decision is near the optimum."""
    from mixwright.offline import hyperparameters, loading, plan_tables, planning  # noqa: PLC0415
    from mixwright.offline.fitting import default_method  # noqa: PLC0415
    from mixwright.offline.posing import with_stated  # noqa: PLC0415

    write_page = None if html is None else import_module("mixwright.offline.plan_page").write
    params = hyperparameters.settings(fitting.setting)
    constraints = asked.constraints(bounds)
    console = Console()
    loaded = loading.load(
        runs, reading, fitting.objective, service=service, console=None if json else console
    )
    with Console(stderr=True).status("refitting subsets of the runs"):
        planned = planning.plan_runs(
            loaded.swarm,
            method=fitting.method or default_method(),
            params=params,
            objective=loaded.objective,
            constraints=with_stated(constraints, loaded.stated),
            within=within,
            seed=fitting.seed,
        )
    report = loaded.imported.report
    if json:
        told = {**planned.to_json(), "seed": fitting.seed, "import": report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        plan_tables.tell(planned, console)
    if write_page is not None:
        write_page(html, planned, report)
