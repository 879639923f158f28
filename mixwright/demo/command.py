"""`mixwright demo`."""

from pathlib import Path
from typing import Annotated

import typer

from mixwright.options import in_existing_folder


def demo(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller runs: under two minutes.")
    ] = False,
    leave: Annotated[
        bool, typer.Option("--exit", help="End when the story is told, instead of serving on.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option(help="Write what was found to this file.", callback=in_existing_folder)
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the dashboard; 0 takes a free one.")
    ] = 8321,
) -> None:
    """Tell the whole story on text of this machine: sweep, fits, proposals, and a live job."""
    from mixwright.demo.plan import FULL, QUICK  # noqa: PLC0415 - only this command pays for it
    from mixwright.demo.telling import tell  # noqa: PLC0415

    tell(QUICK if quick else FULL, leave=leave, file=json, port=port)
