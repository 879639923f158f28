"""An answer is given after its commit, and tells of it: what was answered is stored, what failed is not."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from service.db import LOCK_SECONDS, POOL_SIZE, Database
from service.errors import UnavailableError
from service.jobs.committing import Committer
from service.jobs.schemas import MOST_REPORTS, ReportIn, ReportsOut
from service.keys import repository as projects
from service.keys.service import DEFAULT_PROJECT
from service.models import Base, Job, Report, Study
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}]
JOB = {"name": "live", "policy": "static", "domains": DOMAINS, "samples_per_step": 8}
STUDY = {"name": "trial", "domains": DOMAINS}


def report(step: int) -> dict[str, Any]:
    return {
        "attempt": 1,
        "source": "rank0",
        "step_from": step,
        "step_to": step,
        "schedule_version": 1,
        "loss_sums": {"web": 3.0},
        "token_counts": {"web": 1},
    }


def stored(database: Database, model: type[Base]) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def fail_commits(database: Database, table: str) -> None:
    """Let every transaction that writes to a table fail, at its commit and not before."""
    with database.session() as session:
        session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
            )
        )
        session.execute(
            text(
                f"CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [("/v1/studies", STUDY, Study), ("/v1/jobs/live/reports", report(9), Report)],
)
def test_a_commit_that_fails_is_no_success(
    service: Service, path: str, body: dict[str, Any], model: type[Base]
) -> None:
    service.client.create_job(JOB)
    fail_commits(service.database, model.__tablename__)
    problem_of(service.call("POST", path, body), 500, code="internal_error")
    assert stored(service.database, model) == 0
    with service.database.session() as session:
        session.execute(text(f"DROP TRIGGER refuse ON {model.__tablename__}"))
    assert service.call("POST", path, body).is_success


def test_what_was_answered_is_seen_by_everybody(service: Service) -> None:
    elsewhere = Database(service.database.url)
    service.client.create_job(JOB)
    assert stored(elsewhere, Job) == 1
    for number in range(1, 20):
        service.call("POST", "/v1/jobs/live/reports", report(number))
        assert stored(elsewhere, Report) == number
        service.call("POST", "/v1/studies", {**STUDY, "name": f"trial-{number}"})
        assert stored(elsewhere, Study) == number
    elsewhere.close()


def test_trainers_that_send_all_they_have_at_once_are_all_answered(service: Service) -> None:
    # After an outage every trainer sends what it kept: more than one query takes values.
    service.client.create_job(JOB)
    with service.database.session() as session:
        project = projects.project_named(session, DEFAULT_PROJECT)
        assert project is not None
    requests = 17

    async def send() -> list[ReportsOut]:
        committer = Committer(service.database, lambda _: None)
        answers = []
        for number in range(requests):
            steps = range(number * MOST_REPORTS, (number + 1) * MOST_REPORTS)
            reports = [ReportIn.model_validate(report(step)) for step in steps]
            answers.append(asyncio.ensure_future(committer.submit(project.id, "live", reports)))
        await asyncio.sleep(0)  # every request waits before the first commit
        running = asyncio.ensure_future(committer.run())
        try:
            return await asyncio.gather(*answers)
        finally:
            running.cancel()

    answered = asyncio.run(send())
    assert [answer.accepted for answer in answered] == [MOST_REPORTS] * requests
    assert service.client.job("live")["reported_step"] == requests * MOST_REPORTS - 1


def test_a_job_that_this_version_cannot_steer_does_not_stop_the_others(service: Service) -> None:
    for name in ("live", "foreign"):
        service.client.create_job({**JOB, "name": name})
    with service.database.session() as session:
        unknown = "jsonb_set(definition, '{policy}', '\"of-a-newer-version\"')"
        session.execute(text(f"UPDATE jobs SET definition = {unknown} WHERE name = 'foreign'"))  # noqa: S608
        project = projects.project_named(session, DEFAULT_PROJECT)
        assert project is not None
    body = [ReportIn.model_validate(report(9))]

    async def send() -> list[ReportsOut | BaseException]:
        committer = Committer(service.database, lambda _: None)
        answers = [committer.submit(project.id, name, body) for name in ("foreign", "live")]
        running = asyncio.ensure_future(committer.run())
        try:
            return await asyncio.gather(*answers, return_exceptions=True)
        finally:
            running.cancel()

    refused, answered = asyncio.run(send())
    assert isinstance(refused, UnavailableError)
    assert isinstance(answered, ReportsOut)
    assert answered.accepted == 1


def test_a_job_that_cannot_be_written_does_not_stop_the_others(service: Service) -> None:
    for name in ("live", "broken", "other"):
        service.client.create_job({**JOB, "name": name})
    with service.database.session() as session:
        rule = "ALTER TABLE jobs ADD CHECK (name <> 'broken' OR reported_step < 0)"
        session.execute(text(rule))
        project = projects.project_named(session, DEFAULT_PROJECT)
        assert project is not None
    body = [ReportIn.model_validate(report(9))]

    async def send() -> list[ReportsOut | BaseException]:
        committer = Committer(service.database, lambda _: None)
        names = ("live", "broken", "other")
        answers = [asyncio.ensure_future(committer.submit(project.id, name, body)) for name in names]
        await asyncio.sleep(0)  # all wait before the first commit
        running = asyncio.ensure_future(committer.run())
        try:
            return await asyncio.gather(*answers, return_exceptions=True)
        finally:
            running.cancel()

    first, refused, last = asyncio.run(send())
    assert isinstance(refused, IntegrityError)
    for answer in (first, last):
        assert isinstance(answer, ReportsOut)
        assert answer.accepted == 1


def test_trainers_are_answered_while_all_other_requests_hang_on_a_lock(service: Service) -> None:
    service.client.create_job(JOB)
    fresh = service.new_key()
    with ThreadPoolExecutor(50) as others, psycopg.connect(service.database.conninfo) as blocking:
        blocking.execute("LOCK TABLE proxy_runs IN ACCESS EXCLUSIVE MODE")
        for _ in range(50):  # more than there are threads and connections for
            others.submit(service.call, "POST", "/v1/runs/claim", {"worker": "tester"})
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(service.database.conninfo, autocommit=True) as looking:
            until(lambda: looking.execute(waiting).fetchone() == (2 * POOL_SIZE,))
        with service.http(fresh) as http:
            began = time.monotonic()
            assert http.post("/v1/jobs/live/reports", json=report(9)).is_success
            assert http.get("/v1/jobs/live/schedule").is_success
            assert time.monotonic() - began < LOCK_SECONDS / 2
