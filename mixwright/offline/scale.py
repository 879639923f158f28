"""`mixwright scale`: what loss curves say of a larger model or a longer training."""

import json as json_module
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline.grouped import grouped


@dataclass(frozen=True)
class Asked:
    """The scale, and the law that answers for it."""

    size: Annotated[
        str | None,
        typer.Option(
            help="Model parameters to predict for, as 1e9 or 1B; by default the largest there is.",
            metavar="NUMBER",
        ),
    ] = None
    tokens: Annotated[
        str | None,
        typer.Option(
            help="Training tokens to predict for, as 1e11 or 100B; by default the most there are.",
            metavar="NUMBER",
        ),
    ] = None
    law: Annotated[
        str | None,
        typer.Option(
            help="step, size, nested, chinchilla or kaplan; by default step at a size that was run, "
            "else nested.",
            metavar="NAME",
        ),
    ] = None
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyperparameter of the law; repeat it for more.", metavar="NAME=VALUE"),
    ] = None
    warmup: Annotated[
        str | None,
        typer.Option(help="Leave out what was observed before so many tokens.", metavar="NUMBER"),
    ] = None
    seed: options.Seed = 0


@grouped
def scale(
    runs: Annotated[
        Path,
        typer.Argument(help="Table of loss curves, tidy or wide: runs at several steps.", metavar="RUNS"),
    ],
    *,
    asked: Asked,
    csv: Annotated[
        Path | None,
        options.written_file("Write the predictions as a table of runs, for `mixwright fit`."),
    ] = None,
    json: options.Json = False,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch-tokens",
            help="Tokens of an optimiser step, if the table has steps alone.",
            metavar="NUMBER",
            rich_help_panel=options.READING,
        ),
    ] = None,
    target: options.Target = None,
    maximise: options.Maximise = None,
    format_name: options.Format = None,
    objective: options.Objective = None,
) -> None:
    """Predict runs at another model size or length of training."""
    from mixwright.offline import hyperparameters, loading, scale_tables, scaling  # noqa: PLC0415
    from service.importers.curves import read_curves  # noqa: PLC0415

    question = scaling.Question(
        law=asked.law,
        params=hyperparameters.settings(asked.setting),
        model_parameters=options.count(asked.size, "parameters"),
        tokens=options.count(asked.tokens, "tokens"),
        warmup_tokens=options.count(asked.warmup, "tokens") or 0,
    )
    batch_tokens, coefficients = options.count(batch, "tokens"), options.named_numbers(objective)
    imported = read_curves(runs, format_name=format_name, batch_tokens=batch_tokens, maximise=maximise or ())
    console = Console()
    if not json:
        loading.tell(imported.report, console)
    with Console(stderr=True).status("fitting"):
        scaled = scaling.scale_runs(imported, question, target or (), coefficients, seed=asked.seed)
    if json:
        told = {**scale_tables.to_json(scaled), "seed": asked.seed, "import": imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        scale_tables.tell(scaled, console)
    if csv is not None:
        scale_tables.write_csv(csv, scaled)
