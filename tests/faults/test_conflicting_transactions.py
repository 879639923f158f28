"""Transactions that PostgreSQL ends because of others are run again, for every endpoint that writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from service import db
from service.app import create_app
from service.db import Database
from service.settings import Settings
from service.transactions import MOST_CONFLICTS
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.replaying import same_again
from tests.support.servers import Service, running

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
RUNS = [
    {
        "name": f"run {n}",
        "weights": {"web": n / 8, "code": 1 - n / 8},
        "losses": {"web": 3.0 - n, "code": 2.0 + n},
    }
    for n in range(8)
]
# Every kind of write there is, in an order in which each can be carried out.
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/studies", {"name": "trial", "domains": DOMAINS}),
    ("POST", "/v1/studies/trial/sweeps", {"design": "sobol", "count": 4}),
    ("POST", "/v1/runs/claim", {"worker": "tester"}),
    ("POST", "/v1/studies/trial/runs", {"runs": RUNS}),
    ("POST", "/v1/studies/trial/fits", {"method": "linear"}),
    ("POST", "/v1/keys", {"name": "k", "scopes": ["runs:work"]}),
    ("POST", "/v1/jobs", JOB),
    ("POST", "/v1/jobs/run-7b/reports", report(9)),
    ("POST", "/v1/jobs/run-7b/acks", {"attempt": 1, "version": 1, "step": 0, "outcome": "applied"}),
    ("POST", "/v1/jobs/run-7b/pin", {"weights": {"web": 0.5, "code": 0.5, "law": 0}, "reason": "why"}),
    ("POST", "/v1/jobs/run-7b/release", {"reason": "why"}),
    ("POST", "/v1/jobs/run-7b/attempts", {"from_step": 10}),
]
TABLES = [
    "studies", "sweeps", "proxy_runs", "fits", "procrastinate_jobs", "api_keys", "jobs", "reports",
    "schedule_stages", "attempts", "job_events",
]  # fmt: skip


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A service without tasks, whose worker writes as well: collisions are for requests alone."""
    with running(database, tmp_path, tasks_inside=False) as started:
        yield started


@contextmanager
def colliding(database: Database, sqlstate: str, *, times: int) -> Iterator[None]:
    """The next transactions that write end with a conflict; the count of them is outside all transactions."""
    with database.session() as session:
        session.execute(text(f"CREATE SEQUENCE collisions MAXVALUE {2**40}"))
        session.execute(
            text(
                "CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF nextval('collisions') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; "
                "END IF; RETURN NULL; END $$"
            )
        )
        for table in TABLES:
            session.execute(
                text(f"CREATE TRIGGER collide BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION collide()")
            )
    try:
        yield
    finally:
        with database.session() as session:
            session.execute(text("DROP FUNCTION collide CASCADE"))
            session.execute(text("DROP SEQUENCE collisions"))


def collisions(database: Database) -> int:
    with database.session() as session:
        return session.scalar(text("SELECT last_value FROM collisions")) or 0


def test_case_35_every_kind_of_write_is_run_again_after_a_conflict_and_has_one_effect(
    service: Service,
) -> None:
    for number, (method, path, body) in enumerate(WRITES):
        sqlstate = ("40001", "40P01")[number % 2]
        with colliding(service.database, sqlstate, times=2):
            answer = service.call(method, path, body)
            assert answer.is_success, (path, answer.text)
            assert collisions(service.database) > 2, path
    with service.database.session() as session:
        stored = {
            table: session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("studies", "sweeps", "proxy_runs", "fits", "jobs", "reports", "attempts")
        }
    assert stored == {
        "studies": 1, "sweeps": 2, "proxy_runs": 12, "fits": 1, "jobs": 1, "reports": 1, "attempts": 2,
    }  # fmt: skip
    same_again(service, "run-7b")


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/studies", WRITES[0][2]), ("/v1/jobs/run-7b/reports", report(9))]
)
def test_case_35_what_collides_again_and_again_is_refused_and_leaves_nothing(
    service: Service, path: str, body: dict[str, Any]
) -> None:
    service.client.create_job(JOB)
    with colliding(service.database, "40001", times=2**30):
        refused = service.call("POST", path, body)
        problem_of(refused, 503, "try again", code="database_busy")
        assert int(refused.headers["Retry-After"]) > 0
        assert collisions(service.database) == 1 + MOST_CONFLICTS
    with service.database.session() as session:
        for table in ("studies", "reports"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608
    assert service.call("POST", path, body).is_success


def test_case_35_no_endpoint_writes_outside_of_what_is_run_again(database: Database) -> None:
    app = create_app(Settings(), database)
    outside = []
    for route in iter_route_contexts(app.routes):
        if not route.methods or route.methods <= {"GET", "HEAD", "OPTIONS"}:
            continue
        found, waiting = set(), [getattr(route.original_route, "dependant", None)]
        while waiting:
            dependant = waiting.pop()
            if isinstance(dependant, Dependant):
                found.add(dependant.call)
                waiting += dependant.dependencies
        if db._request_session not in found:
            outside.append(route.path)
    # Reports are the committer's, which runs its transactions again by itself.
    assert outside == ["/v1/jobs/{job}/reports"]
