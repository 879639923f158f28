"""A database that goes away and comes back: one safe try more, or a wait that is asked for; nothing twice."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from service.db import Database
from service.embedded_postgres import watching
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.closed import closed
from tests.support.own_server import OwnServer, own_server
from tests.support.proxy import Mode, proxied, proxied_database
from tests.support.replaying import same_again
from tests.support.servers import Service, running

STUDY = {"name": "trial", "domains": [{"name": "web", "tokens": 5}]}
REPORTS = "/v1/jobs/run-7b/reports"
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


def count(database: Database, table: str) -> int:
    with database.session() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608


@pytest.mark.parametrize(
    ("table", "method", "path", "body", "status"),
    [
        ("studies", "POST", "/v1/studies", STUDY, 201),
        ("studies", "GET", "/v1/studies", None, 200),
        ("reports", "POST", REPORTS, report(9), 200),
    ],
)
def test_case_34_a_request_whose_session_is_ended_is_served_all_the_same(
    service: Service, table: str, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    service.client.create_job(JOB)
    with (
        psycopg.connect(service.database.conninfo, autocommit=True) as operator,
        psycopg.connect(service.database.conninfo) as holding,
        ThreadPoolExecutor(1) as caller,
    ):
        holding.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        answer = caller.submit(service.call, method, path, body)
        until(lambda: operator.execute(WAITING).fetchone() is not None)
        ended = operator.execute(WAITING).fetchone()
        operator.execute("SELECT pg_terminate_backend(%s)", ended)
        until(lambda: operator.execute(WAITING).fetchone() not in {None, ended})  # it came back
        holding.rollback()
        assert answer.result().status_code == status, answer.result().text
    assert count(service.database, "studies") == (path == "/v1/studies" and method == "POST")
    assert count(service.database, "reports") == (path == REPORTS)


def test_case_34_without_a_database_callers_are_asked_to_try_again_and_then_served(
    service: Service, postgres_url: str
) -> None:
    service.client.create_job(JOB)
    with service.http(service.key) as known, service.http(service.new_key()) as unknown:
        assert known.get("/v1/studies").status_code == 200
        schedule = known.get("/v1/jobs/run-7b/schedule")
        with closed(service, postgres_url):
            for client in (known, unknown):
                answer = client.get("/v1/studies")
                problem_of(answer, 503, "try again", code="database_unavailable")
                assert int(answer.headers["Retry-After"]) > 0
            refused = known.post("/v1/studies", json=STUDY)
            problem_of(refused, 503, "try again", code="database_unavailable")
            problem_of(known.get("/readyz"), 503, "does not answer", code="database_unavailable")
            assert known.get("/livez").status_code == 200
            again = known.get("/v1/jobs/run-7b/schedule")
            assert (again.status_code, again.content) == (200, schedule.content), "not from memory"
        for client in (known, unknown):
            assert client.get("/v1/studies").json()["items"] == []
        assert known.get("/readyz").status_code == 200


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with own_server() as started:
        yield started


def test_case_34_every_report_that_was_acknowledged_through_a_restart_is_there_once(
    server: OwnServer, tmp_path: Path
) -> None:
    reporters = 4
    with running(server.database, tmp_path, tasks_inside=False) as service:
        for number in range(reporters):
            service.client.create_job({**JOB, "name": f"run-{number}"})
        acknowledged: list[list[int]] = [[] for _ in range(reporters)]
        refused: list[int] = []
        stopping = Event()

        def reporting(number: int) -> None:
            with service.http(service.key) as http:
                for step in itertools.count(9, 10):
                    while not stopping.is_set():
                        answer = http.post(f"/v1/jobs/run-{number}/reports", json=report(step))
                        if answer.status_code == 200:
                            acknowledged[number].append(step)
                            break
                        problem_of(answer, 503, "try again")
                        refused.append(step)
                    if stopping.is_set():
                        return

        with ThreadPoolExecutor(reporters) as threads, service.http() as health:
            working = [threads.submit(reporting, number) for number in range(reporters)]
            try:
                until(lambda: all(len(steps) > 3 for steps in acknowledged))
                server.stop()
                until(lambda: len(refused) > reporters)
                problem_of(health.get("/readyz"), 503, "does not answer")
                server.start()
                before = [len(steps) for steps in acknowledged]
                until(lambda: all(len(now) > was + 3 for now, was in zip(acknowledged, before, strict=True)))
                assert health.get("/readyz").status_code == 200
            finally:
                stopping.set()
            for work in working:
                work.result()
        for number in range(reporters):
            with server.database.session() as session:
                query = text("SELECT step_to FROM reports JOIN jobs ON jobs.id = job_id WHERE name = :name")
                stored = sorted(session.scalars(query, {"name": f"run-{number}"}))
            assert len(stored) == len(set(stored))
            assert set(acknowledged[number]) <= set(stored), "an acknowledged report is lost"
            assert set(stored) - set(acknowledged[number]) <= {max(stored)}, "more than the one in flight"
            same_again(service, f"run-{number}")


def test_case_34_a_network_that_cuts_between_service_and_database_costs_a_try_and_no_report(
    database: Database, tmp_path: Path
) -> None:
    with proxied_database(database.url) as (proxy, url):
        through = Database(url)
        with running(through, tmp_path, tasks_inside=False) as service:
            service.client.create_job(JOB)
            service.client.call("POST", REPORTS, body=report(9))
            for step, mode in enumerate((Mode.PASS, Mode.DRIP, Mode.DELAY), start=2):
                proxy.set(mode)  # connections that are open are cut in the middle
                answer = service.call("POST", REPORTS, report(10 * step - 1))
                assert answer.is_success, answer.text
            proxy.set(Mode.CUT)
            refused = service.call("POST", REPORTS, report(49))
            problem_of(refused, 503, "try again", code="database_unavailable")
            proxy.set(Mode.PASS)
            assert service.call("POST", REPORTS, report(49)).json()["accepted"] == 1
            assert count(database, "reports") == 5
            same_again(service, "run-7b")
        through.close()


def test_case_34_what_arrives_twice_or_late_over_the_network_counts_once(
    tenant: Service,
) -> None:
    tenant.client.create_job(JOB)
    with proxied(tenant.url) as proxy:
        headers = {"Authorization": f"Bearer {tenant.key}", "Connection": "close"}
        for step, mode in enumerate((Mode.DUPLICATE, Mode.DELAY, Mode.DRIP), start=1):
            proxy.set(mode)
            with httpx.Client(base_url=proxy.url, headers=headers, trust_env=False) as http:
                answer = http.post(REPORTS, json=report(10 * step - 1))
            assert answer.status_code == 200
            assert answer.json()["accepted"] + answer.json()["duplicates"] == 1
    until(lambda: tenant.client.job("run-7b")["reports_duplicate"] == 1)
    assert tenant.client.job("run-7b")["reports_accepted"] == 3
    same_again(tenant, "run-7b")


def test_case_34_an_embedded_server_that_was_killed_is_started_again_by_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.1)
    told: list[str] = []
    with own_server() as server, watching.watched(server.embedded, report=told.append):
        with server.database.session() as session:
            session.execute(text("CREATE TABLE kept (n integer)"))
        server.stop()
        until(lambda: told == ["the database had ended and was started again"])
        assert count(server.database, "kept") == 0
