"""Trainers that go back, that will not end, that come late to a run, and clocks that are wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from mixclient import ConflictError
from service.models import ProxyRun
from tests.faults.trainers import create, losses, refused, report, send, told
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.stored import reports_of, steering_of
from tests.support.trainers import client, train, until
from tests.support.trainers import create as create_followed


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def moving(step: int, **more: Any) -> dict[str, Any]:
    """A report whose losses move the policy, so that states of different steps differ."""
    return report(step, **losses(web=3.0 + step / 100, code=2.0, law=4.0), **more)


def test_case_14_a_restart_brings_back_the_state_of_its_step_and_fences_the_old_attempt(
    service: Service,
) -> None:
    create(service)
    straight = [moving(step) for step in range(9, 200, 10)]
    answers = [send(service, one) for one in straight[:10]]
    token, followed = answers[-1]["state_token"], told(service, "/schedule")["stages"][-1]["weights"]
    state = steering_of(service, "run-7b")["job"]["state"]["policy"]
    first = [send(service, one) for one in straight[10:]]
    expected = _weights(service, after=answers[-1]["version"])
    service.client.open_attempt("run-7b", 100, state_token=token)
    assert told(service, "/schedule")["stages"][-1]["weights"] == followed
    assert steering_of(service, "run-7b")["job"]["state"]["policy"] == state
    refused(service, report(209), 409, "attempt 1", "attempt 2 is open", code="stale_attempt")
    again = [send(service, {**one, "attempt": 2}) for one in straight[10:]]
    assert [answer["accepted"] for answer in again] == [1] * len(first)
    # The same reports again, as attempt 2, lead to the very same weights as the first time.
    assert _weights(service, after=first[-1]["version"])[-len(expected) :] == expected
    assert len(reports_of(service, "run-7b")) == 30, "the history of the first attempt stays"


def _weights(service: Service, *, after: int) -> list[Any]:
    return [
        stage["weights"] for stage in steering_of(service, "run-7b")["stages"] if stage["version"] > after
    ]


def test_case_14_a_trainer_that_goes_back_without_saying_so_is_told_to_open_an_attempt(
    service: Service,
) -> None:
    create(service)
    for step in (9_999, 12_789, 12_799):
        send(service, moving(step))
    for body in (report(10_009), report(9_999, **losses(web=1.0))):
        problem = refused(service, body, 409, "step 12799", "opens an attempt", code="attempt_required")
        assert "stored" not in problem
    assert send(service, moving(9_999))["duplicates"] == 1, "what is stored may be said again"
    assert send(service, report(12_009))["late"] == 1, "a little out of order is no restart"
    service.client.open_attempt("run-7b", 10_000)
    assert send(service, report(10_009, attempt=2))["accepted"] == 1
    assert told(service)["refusals"] == {"attempt_required": 2}


def test_case_14_a_source_that_was_away_for_long_is_late_and_not_taken_for_a_restart(
    service: Service,
) -> None:
    create(service, sources=["rank0", "rank1"], wait_steps=50)
    for source, step in (("rank0", 9), ("rank1", 9), ("rank0", 12_799)):
        send(service, report(step, source=source))
    assert send(service, report(19, source="rank1"))["accepted"] == 1


def test_case_15_a_zombie_trainer_is_fenced_and_its_successor_goes_on(
    service: Service, tmp_path: Path
) -> None:
    create_followed(service)
    zombie = client(service.url, service.key, tmp_path / "a")
    zombie.start()
    train(zombie, range(50))
    until(lambda: service.client.job("run")["reported_step"] == 49)
    successor = client(service.url, service.key, tmp_path / "b")
    successor.start(from_step=30)
    assert successor.schedule.attempt == 2
    train(successor, range(30, 60))
    train(zombie, range(50, 80))
    zombie.close()
    successor.close()
    job = service.client.job("run")
    assert (job["attempt"], job["reported_step"]) == (2, 59)
    fenced = zombie.counters().get("refused_stale_attempt", 0)
    assert fenced > 0
    assert job["refusals"]["stale_attempt"] >= fenced
    assert {row["step_to"] for row in reports_of(service, "run") if row["attempt"] == 1} <= set(range(50))


def run_of(service: Service) -> str:
    """The only run of a study, which waits."""
    domains = [{"name": "web", "tokens": 9}, {"name": "code", "tokens": 3}]
    service.client.create_study({"name": "trial", "domains": domains})
    service.client.create_sweep("trial", {"design": "sobol", "count": 1})
    run_id: str = service.client.runs("trial")[0]["id"]
    return run_id


def claim(service: Service, run_id: str, worker: str, **more: Any) -> Any:
    return service.client.call("POST", f"/v1/runs/{run_id}/claim", body={"worker": worker, **more})


def move_lease(service: Service, seconds: int) -> None:
    """As if the database's clock had gone on, or back, by so many seconds."""
    with service.database.session() as session:
        move = "UPDATE proxy_runs SET lease_expires_at = lease_expires_at - make_interval(secs => :seconds)"
        session.execute(text(move), {"seconds": seconds})


def test_case_16_a_run_has_one_holder_until_its_lease_is_over(service: Service) -> None:
    run_id = run_of(service)
    first = claim(service, run_id, "worker-1")
    before = service.client.runs("trial")[0]
    with pytest.raises(ConflictError, match="worker-1 holds run") as error:
        claim(service, run_id, "worker-2")
    assert (error.value.code, error.value.problem["holder"]) == ("leased", "worker-1")
    with service.database.session() as session:
        expires = session.scalars(select(ProxyRun.lease_expires_at).where(ProxyRun.id == UUID(run_id))).one()
    assert expires == datetime.fromisoformat(error.value.problem["lease_expires_at"])
    assert service.client.claim_run("worker-2") is None
    assert service.client.runs("trial")[0] == before
    move_lease(service, 121)
    assert claim(service, run_id, "worker-2")["run"]["worker"] == "worker-2"
    with pytest.raises(ConflictError, match="worker-2 holds it now") as lost:
        service.client.heartbeat(run_id, first["lease"], 0.5)
    assert lost.value.code == "lease_lost"


def test_case_16_force_takes_a_run_over_and_its_former_holder_is_told_to_stop(service: Service) -> None:
    run_id = run_of(service)
    first = claim(service, run_id, "worker-1")
    second = claim(service, run_id, "worker-2", force=True)
    attempts: list[Callable[[], object]] = [
        lambda: service.client.heartbeat(run_id, first["lease"], 0.5),
        lambda: service.client.put_result(run_id, result(first)),
        lambda: service.client.put_failure(run_id, first["lease"], "too slow"),
    ]
    for say in attempts:
        with pytest.raises(ConflictError, match="worker-2 holds it now"):
            say()
    assert service.client.runs("trial")[0]["progress"] == 0.0
    assert service.client.put_result(run_id, result(second))["state"] == "completed"


def result(lease: dict[str, Any], **more: Any) -> dict[str, Any]:
    measured = {"losses": dict.fromkeys(lease["targets"], 3.0), "step": 700, "tokens": 400, "seconds": 8.0}
    return {"lease": lease["lease"], "model_parameters": 92_000, **measured, **more}


def test_case_17_a_finished_run_stays_as_it_is(service: Service) -> None:
    run_id = run_of(service)
    lease = claim(service, run_id, "worker-1")
    service.client.put_result(run_id, result(lease))
    assert service.client.put_result(run_id, result(lease))["state"] == "completed", "said once more"
    before = service.client.runs("trial")[0]
    with pytest.raises(ConflictError) as other:
        service.client.put_result(run_id, result(lease, seconds=9.0))
    assert other.value.code == "other_result"
    assert (other.value.problem["stored"]["seconds"], other.value.problem["offered"]["seconds"]) == (8.0, 9.0)
    attempts: list[Callable[[], object]] = [
        lambda: service.client.heartbeat(run_id, lease["lease"], 0.5),
        lambda: service.client.put_failure(run_id, lease["lease"], "too slow"),
        lambda: claim(service, run_id, "worker-2", force=True),
    ]
    for say in attempts:
        with pytest.raises(ConflictError, match="nothing more can be said of it") as error:
            say()
        assert error.value.code == "terminal"
    assert service.client.runs("trial")[0] == before


@pytest.mark.parametrize("hours", [3, -3, -500_000, 650_000])
def test_case_18_the_clock_of_a_trainer_counts_for_nothing(service: Service, hours: int) -> None:
    create(service)
    date = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    with service.http(service.key, Date=date) as http:
        assert http.post("/v1/jobs/run-7b/reports", json=report(9)).status_code == 200
        wrong = {**report(19), "sent_at": date}
        problem_of(http.post("/v1/jobs/run-7b/reports", json=wrong), 422, "sent_at", code="invalid_request")
    with service.database.session() as session:
        age = "SELECT extract(epoch FROM clock_timestamp() - max(last_report_at)) FROM jobs"
        assert 0 <= float(session.scalar(text(age)) or -1) < 60
    stored = reports_of(service, "run-7b")
    assert [row["step_to"] for row in stored] == [9]


def test_case_19_a_clock_that_goes_back_ends_no_lease_and_uses_no_version_again(service: Service) -> None:
    run_id = run_of(service)
    lease = claim(service, run_id, "worker-1")
    create(service)
    versions = [send(service, moving(9))["version"]]
    with service.database.session() as session:  # what was written before the clock went back by an hour
        for table, column in (("jobs", "last_report_at"), ("reports", "received_at")):
            session.execute(text(f"UPDATE {table} SET {column} = {column} + interval '1 hour'"))  # noqa: S608
        session.execute(text("UPDATE schedule_stages SET created_at = created_at + interval '1 hour'"))
    move_lease(service, -3600)
    assert service.client.claim_run("worker-2") is None, "a lease is never shorter than it was"
    service.client.heartbeat(run_id, lease["lease"], 0.5)
    with service.database.session() as session:
        left = text(
            "SELECT extract(epoch FROM lease_expires_at - now()) FROM proxy_runs WHERE lease = :lease"
        )
        assert 100 < float(session.scalar(left, {"lease": lease["lease"]}) or 0) <= 120
    versions += [send(service, moving(step))["version"] for step in (19, 29)]
    assert versions == [2, 3, 4]
    seqs = [row["applied_seq"] for row in reports_of(service, "run-7b")]
    assert seqs == [1, 2, 3]
