"""Training proxy runs from the command line, with one line of progress for each process."""

import queue
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mixwright.pool import Pool
from mixwright.problems import CommandError
from proxy_training.corpus import FolderSource, LocalSource, build_corpus, default_cache_folder


def train_runs(
    *,
    url: str,
    key: str | None,
    folder: Path | None,
    processes: int,
    study: str | None,
    until_idle: bool,
    megabytes: float,
    vocabulary: int,
) -> None:
    """Build the corpus, then train in `processes` processes until interrupted or idle.

    Raises:
        CommandError: no key, or a process died.
        CorpusError: the corpus cannot be made.
    """
    console = Console(stderr=True)
    shown_key = key or _admin_key()
    with console.status("reading text ...") as status:
        corpus = build_corpus(
            FolderSource(folder) if folder else LocalSource(),
            cache=default_cache_folder(),
            vocabulary=vocabulary,
            megabytes_per_domain=megabytes,
            progress=lambda phase, share: status.update(f"{phase} {share:.0%}"),
        )
    console.print(f"corpus {corpus.id} with {len(corpus.domains)} domains", highlight=False, soft_wrap=True)
    pool = Pool(url, shown_key, corpus.folder, study=study, until_idle=until_idle)
    pool.start(processes)
    try:
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
        TextColumn("{task.description}"),
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


def _admin_key() -> str:
    """The key that the service of this installation wrote on its first start."""
    from service.settings import Settings  # noqa: PLC0415 - a worker elsewhere has no service installed

    file = Settings().admin_key_file
    if not file.exists():
        raise CommandError(
            f"no API key: pass --key, set MIXWRIGHT_KEY, or start `mixwright serve` (no {file})"
        )
    return file.read_text(encoding="ascii").strip()
