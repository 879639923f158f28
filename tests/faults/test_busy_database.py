"""A database that others keep busy: who waits is refused in time, and polls are answered from memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from service import db
from service.db import Database
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service, running

STUDY = {"name": "trial", "domains": [{"name": "web", "tokens": 5}]}
SCHEDULE, REPORTS = "/v1/jobs/run-7b/schedule", "/v1/jobs/run-7b/reports"


@pytest.fixture
def impatient(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service of two connections, whose patience is a fraction of a second."""
    for name in ("POOL_SECONDS", "LOCK_SECONDS", "STATEMENT_SECONDS"):
        monkeypatch.setattr(db, name, 0.3)
    hasty = Database(database.url, connections=1)
    with running(hasty, tmp_path, tasks_inside=False) as service:
        service.client.create_job(JOB)
        yield service
    hasty.close()


@contextmanager
def held(database: Database, *tables: str) -> Iterator[None]:
    """Another session holds tables, as a migration or a backup might."""
    with psycopg.connect(database.conninfo) as holding:
        holding.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        yield


def test_case_36_without_a_free_connection_a_request_is_refused_and_health_and_trainers_are_not(
    impatient: Service,
) -> None:
    engine = impatient.database.engine
    with engine.connect(), engine.connect():
        refused = impatient.call("POST", "/v1/studies", STUDY)
        problem_of(refused, 503, "try again", code="database_busy")
        assert int(refused.headers["Retry-After"]) > 0
        assert impatient.call("GET", "/livez").status_code == 200
        assert impatient.call("GET", SCHEDULE).status_code == 200
        assert impatient.call("POST", REPORTS, report(9)).json()["accepted"] == 1
    assert impatient.client.studies() == [], "what was refused is stored"
    assert impatient.call("POST", "/v1/studies", STUDY).status_code == 201


def test_case_37_a_table_that_another_session_holds_refuses_writes_and_polls_go_on(
    impatient: Service,
) -> None:
    known = impatient.call("GET", SCHEDULE)
    with held(impatient.database, "studies", "jobs", "schedule_stages", "reports"):
        for path, body in (("/v1/studies", STUDY), (REPORTS, report(9))):
            refused = impatient.call("POST", path, body)
            problem_of(refused, 503, "try again", code="database_busy")
            assert int(refused.headers["Retry-After"]) > 0
        problem_of(impatient.call("GET", "/v1/jobs"), 503, code="database_busy")
        again = impatient.call("GET", SCHEDULE)
        assert (again.status_code, again.content) == (200, known.content)
        etag = {"If-None-Match": known.headers["ETag"]}
        assert impatient.call("GET", SCHEDULE, headers=etag).status_code == 304
    assert impatient.client.job("run-7b")["reports_accepted"] == 0
    assert impatient.call("POST", REPORTS, report(9)).json()["accepted"] == 1
    assert impatient.call("POST", "/v1/studies", STUDY).status_code == 201


def test_case_37_polls_of_a_job_whose_memory_is_old_are_answered_without_waiting_for_the_lock(
    impatient: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = impatient.call("GET", SCHEDULE)
    monkeypatch.setattr("service.jobs.board.FRESH_SECONDS", 0.0)  # whatever is in memory is read again
    with held(impatient.database, "jobs"):
        again = impatient.call("GET", SCHEDULE)
        assert (again.status_code, again.content) == (200, known.content)
    impatient.client.call("POST", REPORTS, body=report(9))
    assert impatient.call("GET", SCHEDULE).headers["ETag"] == '"1-2"'
