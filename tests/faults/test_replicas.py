"""Two processes on one database: a version that is written through one reaches who polls the other."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.db import Database
from tests.service.embedded_postgres.actors import until
from tests.service.reports import JOB, report
from tests.support.callers import Caller
from tests.support.closed import closed
from tests.support.samples import samples
from tests.support.servers import Service, running

PATH = f"/v1/jobs/{JOB['name']}/schedule"


@pytest.fixture
def replicas(database: Database, tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Two services with a job that both know."""
    with (
        closing(Database(database.url)) as other,
        running(database, tmp_path / "1", tasks_inside=False) as first,
        running(other, tmp_path / "2", tasks_inside=False) as second,
    ):
        first.client.create_job(JOB)
        for service in (first, second):
            assert service.call("GET", PATH).headers["ETag"] == '"1-1"'
            until(partial(listens, service))
        yield first, second


def listens(service: Service) -> bool:
    return samples(service)["listening",] == 1


def deaf(service: Service, server_url: str) -> AbstractContextManager[None]:
    """Nobody hears notifications: those who listen lose their connections, and get no new ones."""
    return closed(service, server_url, to="LISTEN%")


def answered(service: Service, method: str, path: str, *body: Any, **kwargs: Any) -> httpx.Response:
    """An answer, asked for as clients do: where a database takes no connections no pool can grow, and who
    finds all of one in use is told to come again."""
    told: list[httpx.Response] = []

    def came() -> bool:
        told.append(service.call(method, path, *body, **kwargs))
        return told[-1].status_code != 503

    until(came)
    return told[-1]


def heard_by_a_waiter(first: Service, second: Service) -> None:
    """Who waits at the second gets what is written through the first."""
    with closing(Caller(second.url, second.key)) as poll, closing(Caller(second.url, second.key)) as stream:
        poll.ask("GET", PATH, **{"If-None-Match": '"1-1"', "Prefer": "wait=50"})
        stream.ask("GET", f"{PATH}/events", **{"Last-Event-ID": '"1-1"'})
        until(lambda: samples(second)["waiters",] == 2)
        stored = answered(first, "POST", f"/v1/jobs/{JOB['name']}/reports", report(9))
        assert (stored.status_code, stored.json()["version"]) == (200, 2)
        answer = poll.answer()
        assert (answer.status, answer.headers["ETag"]) == (200, '"1-2"')
        events = stream.answer()
        line = b""
        while not line.startswith(b"id:"):
            line = events.readline()
        assert line == b'id: "1-2"\n'
    for service in (first, second):
        assert answered(service, "GET", PATH).headers["ETag"] == '"1-2"'


def test_a_version_written_through_one_process_reaches_waiters_of_another(
    replicas: tuple[Service, Service],
) -> None:
    heard_by_a_waiter(*replicas)
    assert {samples(service)["listening",] for service in replicas} == {1}, "by notification"


def test_a_version_whose_notification_is_lost_is_found_by_looking(
    replicas: tuple[Service, Service], postgres_url: str
) -> None:
    first, second = replicas
    with deaf(first, postgres_url):
        until(lambda: samples(second)["listening",] == 0)
        heard_by_a_waiter(first, second)
        assert samples(second)["listening",] == 0, "nobody heard of it by notification"
    until(lambda: samples(second)["listening",] == 1)


def test_no_process_gives_a_client_an_older_version_than_another_gave_it(
    replicas: tuple[Service, Service], postgres_url: str
) -> None:
    first, second = replicas
    with deaf(first, postgres_url):
        until(lambda: samples(second)["listening",] == 0)
        answered(first, "POST", f"/v1/jobs/{JOB['name']}/reports", report(9))
        held = answered(first, "GET", PATH).headers["ETag"]
        assert held == '"1-2"'
        assert answered(second, "GET", PATH, headers={"If-None-Match": held}).status_code == 304
