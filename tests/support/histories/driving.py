"""One schedule of faults over some clients, from their first operation to the checks."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
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
from tests.support.histories.faults import Fault
from tests.support.histories.following import Listener, Poller
from tests.support.histories.history import Kind, Operation, Outcome, Recorder
from tests.support.histories.reading import read
from tests.support.histories.reporting import Source, Trainer
from tests.support.histories.working import STUDY, Creator, Operator, Worker
from tests.support.histories.world import World
from tests.support.servers import Service

VARIABLE = "MIXWRIGHT_SOAK_SCHEDULES"  # how many schedules to try
JOBS = PLAIN, REAL = "plain", "real"
SOURCES = ("a", "b")
_FEW_STEPS = 50  # that a source is waited for: what one of them leaves must not hold the job for ever
_SECONDS = 60.0  # within which all clients get through once nothing fails any more


@dataclass(frozen=True)
class Ended:
    """What came of a schedule.

    Args:
        history: what clients did.
        violations: what must not be.
    """

    history: list[Operation]
    violations: list[str]

    def counted(self) -> dict[str, int]:
        """Operations by kind and outcome."""
        return dict(Counter(f"{done.kind.value} {done.outcome.value}" for done in self.history))


def run(world: World, seed: int, faults: Sequence[Fault], folder: Path) -> Ended:
    """Let clients work while faults come and go; then look at what is there.

    Args:
        world: the installation, which serves before and after.
        seed: of what clients choose.
        faults: one after the other.
        folder: for files of clients.
    """
    recorder = Recorder()
    with _tenant(world) as service:
        _prepare(service)
        around = Surroundings(recorder, world.addresses, service.key)
        writers = [_started(client) for client in _writers(around, seed, folder)]
        followers = [_started(client) for client in _followers(around, seed)]
        try:
            for fault in faults:
                bring_about(world, fault, recorder)
        finally:
            world.mend()
            around.ending.set()
        wrong = _joined(writers)
        _settle(service, around)
        wrong += _joined(followers)
        history = recorder.history()
        return Ended(history, wrong + violations(history, read(service)))


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
    service.client.create_job({**job, "name": PLAIN, "sources": SOURCES, "wait_steps": _FEW_STEPS})
    service.client.create_job({**job, "name": REAL})
    service.client.create_study({"name": STUDY, "domains": domains, "targets": list(DOMAINS)})


def _settle(service: Service, around: Surroundings) -> None:
    """Let each job have a last version, of which everybody who follows it must hear."""
    jobs = [service.client.job(name) for name in JOBS]
    around.newest.update({job["name"]: f'"{job["attempt"]}-{job["version"] + 1}"' for job in jobs})
    around.settled.set()
    for name in JOBS:
        reason = "all is well again"
        order = around.recorder.began("driver", Kind.ORDER, name, reason=reason)
        service.client.call("POST", f"/v1/jobs/{name}/freeze", body={"reason": reason})
        around.recorder.ended(order, Outcome.OK)


def _writers(around: Surroundings, seed: int, folder: Path) -> list[Client]:
    seen: list[str] = []
    return [
        *(Source(f"source {source}", around, seed, job=PLAIN, source=source) for source in SOURCES),
        Trainer("trainer", around, seed, job=REAL, folder=folder),
        *(Worker(f"worker {number}", around, seed, seen=seen) for number in range(2)),
        Creator("creator", around, seed),
        Operator("operator", around, seed, job=PLAIN),
    ]


def _followers(around: Surroundings, seed: int) -> list[Client]:
    return [
        Poller("poller", around, seed, job=PLAIN),
        Poller("waiter", around, seed, job=PLAIN, wait=True),
        Listener("listener", around, seed, job=PLAIN),
        Poller("other waiter", around, seed, job=REAL, wait=True),
    ]


def _started(client: Client) -> Future[None]:
    """A client at work in a thread of its own."""
    ended: Future[None] = Future()

    def work() -> None:
        try:
            client.run()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for it
            error.add_note(f"in client {client.name}")
            ended.set_exception(error)
        else:
            ended.set_result(None)

    threading.Thread(target=work, name=client.name, daemon=True).start()
    return ended


def _joined(clients: list[Future[None]]) -> list[str]:
    """Wait for clients to end; says how many do not. What one of them raised is raised here."""
    done, stuck = wait(clients, timeout=_SECONDS)
    for ended in done:
        ended.result()
    return [f"{len(stuck)} clients do not get through, though nothing fails any more"] if stuck else []
