"""Waiting for the service, with progress: sweeps, fits and proposals go on without us."""

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from mixclient.documents.fits import FitOut
from mixclient.documents.proposals import ProposalOut
from mixclient.documents.sweeps import SweepOut
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mixclient import ServiceClient, ServiceUnreachableError
from mixwright.pool import Pool
from mixwright.problems import CommandError

_LOOK_SECONDS = 0.25
_WAIT_SECONDS = 20  # the service answers at once when a task ends
_AWAY_SECONDS = 120.0  # how long the service may be gone, such as while it starts again


T = TypeVar("T")
Row = TypeVar("Row", FitOut, ProposalOut)


class Patient:
    """Asks the service again while it does not answer.

    Args:
        client: the connection.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.client = client

    def ask(self, call: Callable[[], T]) -> T:
        """The answer of a call, once the service gives one.

        Raises:
            CommandError: it stayed away for two minutes.
        """
        deadline = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return call()
            except ServiceUnreachableError as error:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"the service has been away for {_AWAY_SECONDS:.0f} s: {error}"
                    ) from None
                time.sleep(_LOOK_SECONDS)


def sweep_ends(
    patient: Patient,
    console: Console,
    pool: Pool,
    sweep_id: str,
    title: str,
    *,
    told: Callable[[], str] = str,
) -> SweepOut:
    """Show the progress of a sweep until all its runs have ended.

    Args:
        patient: asks the service.
        console: where to show it.
        pool: the workers.
        sweep_id: which sweep.
        title: what to call it.
        told: what to add to the line.

    Raises:
        CommandError: a run failed, or a worker died.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        row = progress.add_task(title, total=1.0, told="")
        while True:
            sweep = patient.ask(lambda: patient.client.sweep(sweep_id))
            progress.update(row, completed=sweep["progress"], told=told())
            counts = sweep["runs"]
            if counts.get("failed"):
                raise CommandError(f"{title}: {_failures(patient, sweep)}")
            if set(counts) == {"completed"}:
                return sweep
            if died := pool.died():
                raise CommandError(f"{title}: {len(died)} workers died with exit codes {died}")
            time.sleep(_LOOK_SECONDS)


def task_ends(patient: Patient, read: Callable[..., Row], row: Row) -> Row:
    """Wait for a fit or proposal to end."""
    while row["state"] in {"queued", "running"}:
        row = patient.ask(partial(read, row["id"], wait=_WAIT_SECONDS))
    return row


def _failures(patient: Patient, sweep: SweepOut) -> str:
    runs = patient.client.runs(sweep["study"], state="failed")
    return "; ".join(f"{run['label']}: {run['error']}" for run in runs[:3])
