"""`mixwright serve`: the API, the dashboard and the tasks, on this machine's own database or another."""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from mixwright.options import in_existing_folder


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default 127.0.0.1.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one; by default 8321."),
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Allow an address that other machines reach: put TLS in front.")
    ] = False,
    root_path: Annotated[
        str | None, typer.Option(help="Prefix under which a proxy shows the service, such as /mix.")
    ] = None,
    tasks: Annotated[
        bool, typer.Option("--tasks/--no-tasks", help="Run fits and proposals in this process's children.")
    ] = True,
    until_stdin_closes: Annotated[
        bool,
        typer.Option("--until-stdin-closes", help="End when standard input ends, as when a parent dies."),
    ] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            help="Write address and login link there once the service answers.", callback=in_existing_folder
        ),
    ] = None,
) -> None:
    """Serve the API and the dashboard until interrupted."""
    from mixwright.serving import run_service  # noqa: PLC0415 - heavy, and only this command needs it

    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    console = Console(stderr=True)

    def report(sentence: str) -> None:
        console.print(f"[dim]{escape(sentence)}[/]", highlight=False)

    def ready(url: str, link: str, key_file: Path) -> None:
        console.print(f"[bold]Mixwright[/] listens at {url}")
        if console.is_terminal:  # a log is kept, and read by others
            console.print(f"  dashboard, one login within an hour:  {url}/login?link={link}", soft_wrap=True)
        console.print(f"  admin key, for the command line:      {key_file}", soft_wrap=True)
        console.print("  Ctrl-C to stop")

    # To be asked to end is how this command ends: no failure.
    with contextlib.suppress(KeyboardInterrupt):
        run_service(
            host=host,
            port=port,
            remote=remote,
            root_path=root_path,
            tasks=tasks,
            ready_file=ready_file,
            report=report,
            ready=ready,
        )


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
