"""Worker processes: each trains one run at a time, on one thread of arithmetic."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path

from mixwright.problems import explained
from proxy_training.moment import Moment

Told = tuple[int, Moment]


@dataclass(frozen=True)
class Order:
    """What workers are to do.

    Args:
        url: address of the service.
        key: API key of the workers.
        folder: folder of the corpus.
        study: train runs of this study alone.
        device: where torch computes; `auto` takes a GPU where there is one.
        until_idle: end when nothing is left to train.
    """

    url: str
    key: str
    folder: Path
    study: str | None = None
    device: str = "cpu"
    until_idle: bool = False


@dataclass(eq=False)
class Pool:
    """Processes that train what the service hands out."""

    order: Order
    children: list[SpawnProcess] = field(default_factory=list)
    told: "Queue[Told]" = field(default_factory=lambda: multiprocessing.get_context("spawn").Queue())

    def start(self, processes: int) -> None:
        """Start processes."""
        context = multiprocessing.get_context("spawn")
        for number in range(processes):
            child = context.Process(target=_work, args=(self.told, number, self.order), daemon=True)
            child.start()
            self.children.append(child)

    @property
    def alive(self) -> bool:
        """Whether a process still runs."""
        return any(child.is_alive() for child in self.children)

    def died(self) -> list[int]:
        """Exit codes of processes that ended on their own in another way than well."""
        return [child.exitcode for child in self.children if child.exitcode not in {None, 0, -signal.SIGTERM}]

    def stop(self) -> None:
        """End all processes; a run in training returns to the queue when its lease ends."""
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.join(10)


def _work(told: "Queue[Told]", number: int, order: Order) -> None:
    """Train in this process; what went wrong is told in a sentence, as the command itself does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of it and ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _train(told, number, order)
    except Exception as error:
        text = explained(error)
        if text is None:
            raise
        sys.exit(f"mixwright: {text}")


def _train(told: "Queue[Told]", number: int, order: Order) -> None:
    # Imported here: the parent has no use for torch, which takes seconds and memory.
    import torch  # noqa: PLC0415

    from proxy_training.allocation import keep_freed_memory  # noqa: PLC0415
    from proxy_training.corpus import Corpus  # noqa: PLC0415
    from proxy_training.device import usable_device  # noqa: PLC0415
    from proxy_training.worker import Worker  # noqa: PLC0415

    device = usable_device(order.device)
    torch.set_num_threads(1)
    keep_freed_memory()
    name = f"{socket.gethostname()}-{os.getpid()}"
    worker = Worker(
        order.url,
        order.key,
        Corpus.open(order.folder),
        name=name,
        study=order.study,
        device=device,
        watch=lambda moment: told.put((number, moment)),
    )
    worker.run(until_idle=order.until_idle)


def _end_with_parent() -> None:
    """A worker whose parent was killed trains for nobody who would see it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
