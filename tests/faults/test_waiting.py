"""Polls from memory, and those who wait: freed when they leave, and no more of them than may be."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from service.db import Database
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.service.reports import JOB
from tests.support.callers import Caller
from tests.support.samples import samples
from tests.support.servers import Service, running

PATH = f"/v1/jobs/{JOB['name']}/schedule"
WAIT_SECONDS = 50
HELD = {"If-None-Match": '"1-1"'}
WAITING = {**HELD, "Prefer": f"wait={WAIT_SECONDS}"}


@contextmanager
def waiting(service: Service, number: int, path: str = PATH) -> Iterator[list[Caller]]:
    """So many who wait."""
    already = samples(service)["waiters",]
    with ExitStack() as closed:
        callers = [closed.enter_context(closing(Caller(service.url, service.key))) for _ in range(number)]
        for caller in callers:
            caller.ask("GET", path, **WAITING)
        until(lambda: samples(service)["waiters",] == already + number)
        yield callers


def test_case_24_a_poll_with_the_current_etag_reads_and_writes_nothing(service: Service) -> None:
    service.client.create_job(JOB)
    with service.http(service.key) as http, psycopg.connect(service.database.conninfo) as other:
        first = http.get(PATH)
        before = other.execute("SELECT xmin::text, jobs.* FROM jobs").fetchall()
        # Nobody can read a job now, and a trainer does not notice.
        other.execute("LOCK TABLE jobs, schedule_stages IN ACCESS EXCLUSIVE MODE")
        answers = [http.get(PATH, headers={"If-None-Match": first.headers["ETag"]}) for _ in range(50)]
        assert {(answer.status_code, answer.content) for answer in answers} == {(304, b"")}
        assert {answer.headers["ETag"] for answer in answers} == {'"1-1"'}
        again = http.get(PATH, headers={"If-None-Match": '"1-0"'})
        assert (again.status_code, again.content) == (200, first.content)
        assert other.execute("SELECT xmin::text, jobs.* FROM jobs").fetchall() == before


@pytest.mark.parametrize("path", [PATH, f"{PATH}/events"])
def test_case_25_who_leaves_is_forgotten_at_once_and_held_no_connection(service: Service, path: str) -> None:
    service.client.create_job(JOB)
    with waiting(service, 20, path) as callers:
        found = samples(service)
        assert found["database_connections_used", "requests"] == 0
        assert found["database_connections_used", "live"] == 0
        began = time.monotonic()
        for caller in callers:
            caller.close()
        until(lambda: samples(service)["waiters",] == 0)
        assert time.monotonic() - began < WAIT_SECONDS / 2, "they were kept until their time was over"
    kind = "stream" if path.endswith("events") else "poll"
    assert samples(service)["waits_total", "left", kind] == 20


def test_case_25_no_more_wait_than_may_and_the_next_gets_a_place_that_is_free(
    database: Database, tmp_path: Path
) -> None:
    with running(database, tmp_path, waiters=3, tasks_inside=False) as service:
        service.client.create_job(JOB)
        with waiting(service, 3) as callers:
            for path, headers in ((PATH, WAITING), (f"{PATH}/events", {})):
                refused = service.call("GET", path, headers=headers)
                problem_of(refused, 503, "MIXWRIGHT_WAITERS", code="too_many_waiters")
                assert int(refused.headers["Retry-After"]) > 0
            assert service.call("GET", PATH, headers=HELD).status_code == 304, "who does not wait is served"
            callers[0].close()
            until(lambda: samples(service)["waiters",] == 2)
            with waiting(service, 1) as (late,):
                service.call("POST", f"/v1/jobs/{JOB['name']}/freeze", {"reason": "a new version"})
                answers = [caller.answer() for caller in (*callers[1:], late)]
                assert {(answer.status, answer.headers["ETag"]) for answer in answers} == {(200, '"1-2"')}
        assert samples(service)["waiters",] == 0
