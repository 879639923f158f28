"""A rollback by people while the policy computes: what it computes for the past is dropped, and told."""

import logging
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import select

from service.jobs import expensive, log_repository
from service.models import ExpensiveStep, TaskState
from tests.service.embedded_postgres.actors import until
from tests.service.reports import JOB, report
from tests.support.replaying import same_again
from tests.support.servers import Service

PATH = f"/v1/jobs/{JOB['name']}"
ROLLBACK = {"version": 1, "reason": "the loss jumped"}
PARAMS = {"start_step": 50, "fit_every": 50, "ignore_steps": 0, "fit_rows": 1, "window": 5}
ADO = {"policy": "ado", "params": PARAMS}


def test_case_31_a_result_for_a_state_that_was_rolled_back_is_dropped_and_told(
    tenant: Service, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.client.create_job({**JOB, **ADO})
    for step in range(9, 60, 10):
        tenant.client.call("POST", f"{PATH}/reports", body=report(step))
    with tenant.database.session() as session:
        step_id = session.scalars(
            select(ExpensiveStep.id).where(ExpensiveStep.state == TaskState.QUEUED)
        ).one()
        result = expensive.compute(expensive.task_input(session, session.get_one(ExpensiveStep, step_id)))
    rolled_back = tenant.client.call("POST", f"{PATH}/rollback", body=ROLLBACK)
    with caplog.at_level(logging.INFO, "service.jobs"), tenant.database.session() as session:
        waiting = log_repository.locked_step(session, step_id)
        assert waiting is not None
        expensive.enter(session, waiting, result, None)
    assert "the result for steps 1 to 60 of attempt 1 is dropped" in caplog.text
    assert tenant.client.job(JOB["name"])["version"] == rolled_back["version"]
    kinds = [entry["kind"] for entry in tenant.client.job_audit(JOB["name"])]
    assert "rollback" in kinds
    assert "result" not in kinds
    same_again(tenant, JOB["name"])


def test_case_31_rollback_and_reports_at_once_come_one_after_the_other(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    for step in range(9, 60, 10):
        tenant.client.call("POST", f"{PATH}/reports", body=report(step))
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    with (
        psycopg.connect(tenant.database.conninfo, autocommit=True) as looking,
        psycopg.connect(tenant.database.conninfo) as holding,
        ThreadPoolExecutor(2) as callers,
    ):
        holding.execute("SELECT 1 FROM jobs WHERE name = %s FOR UPDATE", [JOB["name"]])
        answers = [
            callers.submit(tenant.call, "POST", f"{PATH}/{what}", body)
            for what, body in (("reports", report(69)), ("rollback", ROLLBACK))
        ]
        until(lambda: looking.execute(waiting).fetchone() == (2,))
        holding.rollback()
        assert [answer.result().status_code for answer in answers] == [200, 200]
    job = tenant.client.job(JOB["name"])
    assert (job["reported_step"], job["hold"]["by"]) == (69, "operator")
    versions = [version.version for version in same_again(tenant, JOB["name"])]
    assert versions == list(range(1, job["version"] + 1)), "a number was given twice, or left out"
    newest = tenant.client.versions(JOB["name"])[-1]
    assert newest["weights"] == tenant.client.versions(JOB["name"])[0]["weights"]
