"""Working on the service's background tasks, in a process of its own."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

import typer

from mixwright.configuration import read_settings
from service.observing import logs
from service.startup import opened
from service.tasks.worker import run_worker


def work_on_tasks() -> None:
    """Work until interrupted."""
    settings = read_settings()
    logs.configure(settings.log_format)
    with opened(settings, report=lambda sentence: typer.echo(sentence, err=True)) as database:
        typer.echo("working on fits and proposals; Ctrl-C to stop", err=True)
        asyncio.run(_until_told(run_worker(database, settings)))


async def _until_told(working: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(working)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
