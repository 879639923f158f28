"""`mixwright fit`: fit finished runs, and say how well the fit predicts runs that it did not see."""

import json as json_module
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options


def fit(
    runs: options.RunsOrStudy,
    *,
    method: options.Method = None,
    setting: options.Setting = None,
    target: options.Target = None,
    objective: options.Objective = None,
    folds: Annotated[
        int, typer.Option(min=0, help="Parts of the cross-validation; 0 leaves one mixture out at a time.")
    ] = 10,
    seed: options.Seed = 0,
    maximise: options.Maximise = None,
    format_name: options.Format = None,
    size: options.Size = None,
    step: options.Step = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    json: options.Json = False,
    html: Annotated[Path | None, options.written_file("Write a page of figures.")] = None,
    out: Annotated[Path | None, options.written_file("Write the fit, for `mixwright propose --fit`.")] = None,
) -> None:
    """Fit finished runs, and score the fit on runs that it did not see."""
    from mixwright.offline import fit_file, fitting, hyperparameters, loading, score_tables  # noqa: PLC0415

    # Imported before the work: what draws may not be installed.
    write_page = None if html is None else import_module("mixwright.offline.page").write
    coefficients = options.named_numbers(objective)
    choice = loading.Choice(format_name, size, step, tuple(maximise or ()))
    params = hyperparameters.settings(setting)
    imported, stated = loading.load(runs, choice, url=url, key=key)
    console = Console()
    if not json:
        loading.tell(imported.report, console)
    with Console(stderr=True).status("fitting"):
        fitted = fitting.fit_swarm(
            loading.chosen(imported.swarm, target),
            method=method or fitting.default_method(),
            params=params,
            objective=coefficients or {name: c for name, c in stated.items() if not target or name in target},
            folds=folds or None,
            seed=seed,
        )
    if json:
        told = {**fitted.to_json(), "import": imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        score_tables.tell_scores(fitted, console)
    if out is not None:
        fit_file.write(out, fitted, imported.swarm)
    if write_page is not None:
        write_page(html, fitted, imported.report)
