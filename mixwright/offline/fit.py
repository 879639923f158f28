"""`mixwright fit`: fit finished runs, and say how well the fit predicts runs that it did not see."""

import json as json_module
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline.grouped import grouped


@grouped
def fit(
    runs: options.RunsOrStudy,
    *,
    html: options.Html = None,
    out: Annotated[Path | None, options.written_file("Write the fit, for `mixwright propose --fit`.")] = None,
    json: options.Json = False,
    fitting: options.Fitting,
    folds: Annotated[
        int,
        typer.Option(
            min=0,
            help="Parts of the cross-validation; 0 leaves one mixture out at a time. auto has its own.",
            metavar="NUMBER",
        ),
    ] = 10,
    reading: options.Reading,
    service: options.Service,
) -> None:
    """Fit finished runs, and score the fit on runs that it did not see."""
    from mixwright.offline import fit_file, hyperparameters, loading, score_tables  # noqa: PLC0415
    from mixwright.offline.fitting import default_method, fit_swarm  # noqa: PLC0415

    # Imported before the work: what draws may not be installed.
    write_page = None if html is None else import_module("mixwright.offline.fit_page").write
    params = hyperparameters.settings(fitting.setting)
    console = Console()
    loaded = loading.load(
        runs, reading, fitting.objective, service=service, console=None if json else console
    )
    with Console(stderr=True).status("fitting"):
        fitted = fit_swarm(
            loaded.swarm,
            method=fitting.method or default_method(),
            params=params,
            objective=loaded.objective,
            folds=folds or None,
            seed=fitting.seed,
        )
    report = loaded.imported.report
    if json:
        typer.echo(json_module.dumps({**fitted.to_json(), "import": report.to_json()}, allow_nan=False))
    else:
        score_tables.tell_scores(fitted, console)
    if out is not None:
        fit_file.write(out, fitted, loaded.imported.swarm)
    if write_page is not None:
        write_page(html, fitted, report)
