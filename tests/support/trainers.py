"""A training loop that follows a live job and measures made-up losses."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mixclient import MixtureClient
from tests.support.servers import Service

DOMAINS = {"web": 9_000, "code": 3_000, "law": 1_000}
LOSS = {0: 3.0, 1: 2.0, 2: 4.0}


def create(service: Service, **more: Any) -> None:
    """The job that these loops follow."""
    rows = [{"name": name, "tokens": tokens} for name, tokens in DOMAINS.items()]
    service.client.create_job(
        {"name": "run", "policy": "odm", "domains": rows, "samples_per_step": 8, "lead_steps": 20, **more}
    )


def client(url: str, key: str, folder: Path | None, **more: Any) -> MixtureClient:
    """A client of that job; without a folder it takes the default one."""
    return MixtureClient(url, key, **{"job": "run", "seed": 1, "report_every": 5, **more}, folder=folder)


def train(follower: MixtureClient, steps: range, *, paced_by: Service | None = None) -> Counter[int]:
    """A training loop that measures made-up losses; returns the samples that it drew by domain.

    Steps of real training take longer than an answer of the service; `paced_by` sees to that here.
    """
    drawn: Counter[int] = Counter()
    for step in steps:
        domains = follower.step(step)
        drawn.update(domains)
        counts = [64 * domains.count(d) for d in range(len(follower.domains))]
        losses = [LOSS[d] * count for d, count in enumerate(counts)]
        follower.record(step, loss_sums=losses, token_counts=counts)
        if paced_by is not None:
            until(partial(is_up_to_date, follower, step, paced_by))
    return drawn


def is_up_to_date(follower: MixtureClient, step: int, service: Service) -> bool:
    """Whether the service knows of the step, and the client of the newest version."""
    job = service.client.job("run")
    heard = job["reported_step"] >= step - 5 and job["version"] == follower.schedule.version
    return bool(heard)


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
