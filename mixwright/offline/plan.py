"""`mixwright plan`: how many runs it takes until a decision is as good as is wanted."""

import json as json_module
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options


def plan(
    runs: options.RunsOrStudy,
    *,
    within: Annotated[
        float, typer.Option(help="How far from the optimum the decision may be, in nats per token.")
    ] = 0.01,
    method: options.Method = None,
    setting: options.Setting = None,
    target: options.Target = None,
    objective: options.Objective = None,
    seed: options.Seed = 0,
    maximise: options.Maximise = None,
    format_name: options.Format = None,
    size: options.Size = None,
    step: options.Step = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Say how many runs it takes until a decision is near the optimum."""
    from mixwright.offline import fitting, hyperparameters, loading, plan_tables, planning  # noqa: PLC0415

    coefficients = options.named_numbers(objective)
    choice = loading.Choice(format_name, size, step, tuple(maximise or ()))
    params = hyperparameters.settings(setting)
    imported, stated = loading.load(runs, choice, url=url, key=key)
    console = Console()
    if not json:
        loading.tell(imported.report, console)
    with Console(stderr=True).status("refitting subsets of the runs"):
        planned = planning.plan_runs(
            loading.chosen(imported.swarm, target),
            method=method or fitting.default_method(),
            params=params,
            objective=coefficients or {name: c for name, c in stated.items() if not target or name in target},
            within=within,
            seed=seed,
        )
    if json:
        told = {**planned.to_json(), "seed": seed, "import": imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        plan_tables.tell(planned, console)
