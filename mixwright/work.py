"""`mixwright worker`: trains proxy runs that the service hands out, or works on its tasks."""

from pathlib import Path
from typing import Annotated

import typer


def worker(
    url: Annotated[
        str, typer.Option(help="Address of the service.", envvar="MIXWRIGHT_URL")
    ] = "http://127.0.0.1:8321",
    key: Annotated[
        str | None,
        typer.Option(help="API key; by default the admin key of this installation.", envvar="MIXWRIGHT_KEY"),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Folder with one sub-folder of text per domain; by default local text."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Runs to train at once, one thread each.")] = 1,
    study: Annotated[str | None, typer.Option(help="Train runs of this study alone.")] = None,
    device: Annotated[
        str, typer.Option(help="Where to compute: cpu, cuda, cuda:1; auto takes a GPU where there is one.")
    ] = "auto",
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when nothing is left to train.")
    ] = False,
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Work on fits and proposals instead of training.")
    ] = False,
    megabytes: Annotated[float, typer.Option(help="Text to take per domain, in millions of bytes.")] = 5.0,
    vocabulary: Annotated[int, typer.Option(help="Tokens of the corpus's tokeniser.")] = 2048,
) -> None:
    """Train proxy runs until interrupted."""
    if tasks:
        from mixwright.task_work import work_on_tasks  # noqa: PLC0415

        work_on_tasks()
        return
    from mixwright.training_work import train_runs  # noqa: PLC0415

    train_runs(
        url=url,
        key=key,
        folder=corpus,
        processes=processes,
        study=study,
        device=device,
        until_idle=until_idle,
        megabytes=megabytes,
        vocabulary=vocabulary,
    )
