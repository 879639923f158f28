"""Readiness is told in time, whatever requests hold on to."""

import asyncio
from contextlib import ExitStack, closing
from pathlib import Path

from starlette.testclient import TestClient

from service.app import create_app
from service.db import Database
from service.observing.beside import Beside
from service.settings import Settings
from tests.service.test_board import until
from tests.support.callers import Caller
from tests.support.samples import samples
from tests.support.servers import Service


def test_case_36_signs_of_life_wait_for_no_connection_and_no_thread_that_requests_hold(
    service: Service,
) -> None:
    held = [service.database.engine.connect() for _ in range(20)]
    with ExitStack() as closed, service.http(service.key) as http:
        # More than the process has threads: all of them wait for a connection.
        callers = [closed.enter_context(closing(Caller(service.url, service.key))) for _ in range(45)]
        for caller in callers:
            caller.ask("GET", "/v1/studies")
        for _ in range(5):
            assert http.get("/readyz").json() == {"status": "ok"}
            assert http.get("/livez").json() == {"status": "ok"}
        found = samples(service)
        assert found["database_connections_used", "requests"] == 20
        assert ("request_seconds_count", "GET", "/v1/studies", "2xx") not in found, (
            "requests were not held up"
        )
        for connection in held:
            connection.close()
        assert {caller.answer().status for caller in callers} == {200}
    assert samples(service)["database_connections_used", "requests"] == 0


def test_a_part_that_ends_makes_a_process_unready_until_it_works_again() -> None:
    may_work = asyncio.Event()

    async def part() -> None:
        if not may_work.is_set():
            raise OSError("no way")
        await asyncio.sleep(60)

    async def play() -> None:
        beside = Beside({"the part": part})
        beside.start()
        await until(lambda: beside.failed == {"the part"})
        may_work.set()
        await until(lambda: not beside.failed)
        await asyncio.sleep(0)
        assert beside.failed == set(), "it works again and goes on"
        await beside.stop()

    asyncio.run(play())


def test_a_service_that_lacks_a_part_says_which(database: Database, tmp_path: Path) -> None:
    app = create_app(Settings(data_folder=tmp_path, tasks_inside=False), database)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/readyz").json() == {"status": "ok"}
        app.state.beside.failed.add("the committer")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "part_failed")
        assert "the committer" in answer.json()["detail"]
        assert client.get("/livez").status_code == 200
