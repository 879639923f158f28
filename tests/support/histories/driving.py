"""One schedule of faults over some clients, from their first operation to the checks."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from mixclient import ServiceClient
from service.keys.service import create_key
from service.scopes import EVERY_SCOPE
from tests.support.histories.checks import violations
from tests.support.histories.clients import DOMAINS, Client, Surroundings
from tests.support.histories.failing import bring_about
from tests.support.histories.faults import Fault, drawn
from tests.support.histories.following import Listener, Poller
from tests.support.histories.history import Operation, Recorder
from tests.support.histories.reading import read
from tests.support.histories.reporting import Source, Trainer
from tests.support.histories.working import STUDY, Creator, Operator, Worker
from tests.support.histories.world import REPLICAS, World
from tests.support.servers import Service

SOURCES = ("a", "b")
_FEW_STEPS = 50  # that a source is waited for: what one of them leaves must not hold the job for ever
_SECONDS = 60.0  # within which all clients get through once nothing fails any more


@dataclass(frozen=True)
class Ended:
    """What came of a schedule.

    Args:
        faults: what went wrong.
        history: what clients did.
        violations: what must not be.
    """

    faults: list[Fault]
    history: list[Operation]
    violations: list[str]

    def counted(self) -> dict[str, int]:
        """Operations by kind and outcome."""
        return Counter(f"{done.kind.value} {done.outcome.value}" for done in self.history)


def run(world: World, seed: int, folder: Path) -> Ended:
    """Let clients work while the faults of a seed come and go; then look at what is there."""
    faults, recorder = drawn(seed, replicas=REPLICAS), Recorder()
    with _tenant(world) as service:
        _prepare(service)
        around = Surroundings(recorder, world.addresses, service.key)
        writers, followers = _writers(around, seed, folder), _followers(around, seed)
        threads = {
            client: threading.Thread(target=client.run, name=client.name, daemon=True)
            for client in writers + followers
        }
        for thread in threads.values():
            thread.start()
        try:
            for fault in faults:
                bring_about(world, fault, recorder)
        finally:
            world.mend()
            around.ending.set()
        stuck = _joined([threads[client] for client in writers])
        for name in ("plain", "real"):
            job = service.client.job(name)
            around.newest[name] = f'"{job["attempt"]}-{job["version"]}"'
        around.settled.set()
        stuck += _joined([threads[client] for client in followers])
        found = [f"{name} did not get through though nothing fails any more" for name in stuck]
        history = recorder.history()
        return Ended(faults, history, found + violations(history, read(service)))


@contextmanager
def _tenant(world: World) -> Iterator[Service]:
    """A project of its own, read through one of the processes."""
    project, database = f"tenant-{uuid4()}", world.server.database
    with database.session() as session:
        _, secret = create_key(session, name="client", scopes=EVERY_SCOPE, project=project)
    address = world.addresses[0]
    with ServiceClient(address, secret.text) as client:
        yield Service(address, database, secret.text, client, project)


def _prepare(service: Service) -> None:
    """The jobs and the study that clients work on."""
    domains = [{"name": name, "tokens": 10**12} for name in DOMAINS]
    job = {"policy": "odm", "domains": domains, "samples_per_step": 8, "lead_steps": 20}
    service.client.create_job({**job, "name": "plain", "sources": SOURCES, "wait_steps": _FEW_STEPS})
    service.client.create_job({**job, "name": "real"})
    service.client.create_study({"name": STUDY, "domains": domains, "targets": list(DOMAINS)})


def _writers(around: Surroundings, seed: int, folder: Path) -> list[Client]:
    seen: list[str] = []
    return [
        *(Source(f"source {source}", around, seed, job="plain", source=source) for source in SOURCES),
        Trainer("trainer", around, seed, job="real", folder=folder),
        *(Worker(f"worker {number}", around, seed, seen=seen) for number in range(2)),
        Creator("creator", around, seed),
        Operator("operator", around, seed, job="plain"),
    ]


def _followers(around: Surroundings, seed: int) -> list[Client]:
    return [
        Poller("poller", around, seed, job="plain"),
        Poller("waiter", around, seed, job="plain", wait=True),
        Listener("listener", around, seed, job="plain"),
        Poller("other waiter", around, seed, job="real", wait=True),
    ]


def _joined(threads: list[threading.Thread]) -> list[str]:
    """Wait for clients to end; names of those who do not, or who failed."""
    deadline = time.monotonic() + _SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread.name for thread in threads if thread.is_alive()]
