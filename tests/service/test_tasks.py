"""Task workers that end in the middle of a fit: another one does it again, and it is done once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import AsyncMock, patch

import numpy as np
import psutil
import pytest
from procrastinate import App, PsycopgConnector
from sqlalchemy import text

from mixlaws.simulation import Simulation
from service.db import Database
from service.tasks import worker as workers
from tests.service.embedded_postgres.actors import DEADLINE_SECONDS, is_gone, until
from tests.support.populated import finish_runs
from tests.support.servers import Service, running

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(database: Database, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that works on tasks, and nothing of which is left afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mixwright", "worker", "--tasks"],
        cwd=ROOT,
        env={
            **os.environ,
            "MIXWRIGHT_DATABASE_URL": database.url,
            "MIXWRIGHT_DATA_FOLDER": str(folder),
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def asked_fit(service: Service) -> str:
    """A fit that waits for somebody who works on it."""
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(3))
    domains = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
    service.client.create_study({"name": "trial", "domains": rows})
    service.client.create_sweep("trial", {"design": "sobol", "count": 16})
    finish_runs(service, simulation, noise=0.02, seed=0)
    fit = service.client.create_fit("trial", {"method": "linear"})
    assert fit["state"] == "queued"
    return str(fit["id"])


def computation(process: "subprocess.Popen[bytes]") -> psutil.Process:
    """The child in which a worker computes, held so that it cannot get done."""
    parent = psutil.Process(process.pid)
    found: list[psutil.Process] = []

    def begun() -> bool:
        assert process.poll() is None, "the worker ended"
        found.extend(child for child in parent.children() if is_computation(child))
        return bool(found)

    until(begun)
    found[0].suspend()
    return found[0]


def is_computation(child: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # libraries start processes of a moment
        return "service.compute.child" in child.cmdline()
    return False


def forget_heartbeats(database: Database) -> None:
    """What half a minute of silence comes to."""
    with database.session() as session:
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_fit_whose_worker_ended_is_done_by_another(
    database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    with running(database, tmp_path, tasks_inside=False) as service:
        fit_id = asked_fit(service)
        with worker(database, tmp_path) as first:
            child = computation(first)
            assert service.client.fit(fit_id)["state"] == "running"
            first.send_signal(number)
            if number == signal.SIGKILL:
                first.wait(DEADLINE_SECONDS)
                child.resume()
                assert service.client.fit(fit_id)["state"] == "running", "nobody knows of it yet"
                forget_heartbeats(database)
            else:
                assert first.wait(DEADLINE_SECONDS) == 0
                assert service.client.fit(fit_id)["state"] == "queued", "it was handed back"
            until(lambda: is_gone(child))
    with running(database, tmp_path) as service:
        until(lambda: service.client.fit(fit_id)["state"] not in {"queued", "running"})
        done = service.client.fit(fit_id)
    assert done["state"] == "done", done["error"]
    assert set(done["scores"]) == {"domain-0", "domain-1", "domain-2"}
    with database.session() as session:
        unfinished = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        assert session.scalar(text(unfinished)) == 0


def test_two_workers_that_take_over_the_same_task_both_go_on(database: Database, tmp_path: Path) -> None:
    async def play() -> None:
        app = App(connector=PsycopgConnector(conninfo=database.conninfo))
        async with app.open_async():
            listed = list(await app.job_manager.get_stalled_jobs())
            assert len(listed) == 1
            await app.job_manager.retry_job(listed[0])  # the other one was faster
            with patch.object(app.job_manager, "get_stalled_jobs", AsyncMock(return_value=listed)) as asked:
                going_on = asyncio.ensure_future(workers._take_over(app, database))
                async with asyncio.timeout(DEADLINE_SECONDS):
                    while not asked.called:  # noqa: ASYNC110 - a mock has no event
                        await asyncio.sleep(0.01)
                _, pending = await asyncio.wait([going_on], timeout=0.5)
                assert pending, going_on.exception()
                going_on.cancel()

    with running(database, tmp_path, tasks_inside=False) as service:
        asked_fit(service)
    with database.session() as session:
        session.execute(text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())"))
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'doing', "
                "worker_id = (SELECT max(id) FROM procrastinate_workers)"
            )
        )
    forget_heartbeats(database)
    asyncio.run(play())
