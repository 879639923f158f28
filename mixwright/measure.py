"""`mixwright measure`: what the rules of `mixwright mix` need to know of a text, by counting and training."""

from pathlib import Path
from typing import Annotated

import typer

from mixwright.offline.options import token_count, written_file


def measure(
    text: Annotated[
        Path, typer.Argument(help="Folder with one sub-folder of text per domain, or a built corpus.")
    ],
    *,
    out: Annotated[Path, written_file("File for what was measured.")],
    part: Annotated[
        list[str] | None,
        typer.Option(help="entropies, embeddings or experts; repeat it for more; by default all."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(help="Text that mixmin aims at; by default held-out text, by the domains' tokens."),
    ] = None,
    sequences: Annotated[int, typer.Option(min=1, help="Most target sequences.")] = 1000,
    samples: Annotated[int, typer.Option(min=1, help="Most windows of a domain for its embedding.")] = 2048,
    tokens: Annotated[str, typer.Option(help="Training tokens of each model.")] = "400K",
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Another size of the models, as name=value.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the models.")] = 0,
    device: Annotated[
        str, typer.Option(help="Where to compute: cpu, cuda, cuda:1; auto takes a GPU where there is one.")
    ] = "auto",
    megabytes: Annotated[float, typer.Option(help="Text to take per domain, in millions of bytes.")] = 5.0,
    vocabulary: Annotated[int, typer.Option(help="Tokens of the corpus's tokeniser.")] = 2048,
) -> None:
    """Measure a text, for the rules that choose a mixture without proxy runs."""
    from mixwright.measuring import Wanted, measured  # noqa: PLC0415 - brings in torch

    measured(
        Wanted(
            text=text,
            target=target,
            parts=tuple(part or ()),
            sequences=sequences,
            samples=samples,
            tokens=token_count(tokens),
            settings=tuple(setting or ()),
            seed=seed,
            device=device,
            megabytes=megabytes,
            vocabulary=vocabulary,
        ),
        out,
    )
