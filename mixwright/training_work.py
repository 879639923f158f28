"""Training proxy runs from the command line, with one line of progress for each process."""

import queue
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mixwright.corpora import text_of
from mixwright.handshake import admin_key, refusal
from mixwright.pool import Order, Pool
from mixwright.problems import CommandError


def train_runs(
    *,
    url: str,
    key: str | None,
    folder: Path | None,
    processes: int,
    study: str | None,
    device: str,
    until_idle: bool,
    megabytes: float,
    vocabulary: int,
) -> None:
    """Build the corpus, then train in `processes` processes until interrupted or idle.

    Raises:
        CommandError: no key, an address that cannot be right, or a process died.
        NotAuthorisedError: the service refuses the key.
        CorpusError: the corpus cannot be made.
    """
    console = Console(stderr=True)
    shown_key = key or admin_key(url)
    if reason := refusal(url, shown_key):
        # Workers are often started before their service, and wait for it while they train, too.
        console.print(f"waiting for the service: {reason}", highlight=False, markup=False, soft_wrap=True)
    corpus = text_of(folder, megabytes=megabytes, vocabulary=vocabulary, console=console)
    pool = Pool(Order(url, shown_key, corpus.folder, study, device, until_idle))
    try:
        said = f"corpus {corpus.id} with {len(corpus.domains)} domains"
        console.print(said, highlight=False, soft_wrap=True)
        pool.start(processes)
        _show(console, pool)
    except KeyboardInterrupt:
        console.print("stopping; runs in training return to the queue when their leases end")
    finally:
        pool.stop()
    if died := pool.died():
        raise CommandError(
            f"{len(died)} of {processes} workers died, exit codes {died}: see the messages above"
        )


def _show(console: Console, pool: Pool) -> None:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        rows: dict[int, TaskID] = {}
        while pool.alive or not pool.told.empty():
            try:
                number, moment = pool.told.get(timeout=0.5)
            except queue.Empty:
                continue
            if number not in rows:
                rows[number] = progress.add_task("", total=1.0)
            progress.update(rows[number], description=moment.label, completed=moment.progress)
            if moment.state != "training":
                line = f"{moment.label}: {moment.state} {moment.detail}"
                progress.console.print(line, highlight=False, markup=False)
                progress.reset(rows[number], description="waiting for a run")
