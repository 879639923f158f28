"""Leases of proxy runs: one winner, one clock, and nothing more to say of what is finished."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from mixclient import ConflictError
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.trials import STUDY, claimed, let_leases_expire, queued, result, run_of


def held_by(service: Service, run_id: str) -> tuple[str, str]:
    run = run_of(service, run_id)
    return run["state"], run["worker"]


def test_case_16_of_two_workers_that_claim_one_run_the_second_is_told_who_holds_it(tenant: Service) -> None:
    (run_id,) = queued(tenant, 1)
    path = f"/v1/runs/{run_id}/claim"
    first = tenant.client.call("POST", path, body={"worker": "first"})
    refused = problem_of(tenant.call("POST", path, {"worker": "second"}), 409, "first holds", code="leased")
    assert refused["holder"] == "first"
    assert datetime.fromisoformat(refused["lease_expires_at"]).tzinfo is not None
    assert tenant.client.claim_run("second") is None
    assert held_by(tenant, run_id) == ("running", "first")
    tenant.client.heartbeat(run_id, first["lease"], 0.5)


def test_case_16_a_run_is_taken_over_once_its_lease_has_expired_and_the_old_lease_is_void(
    tenant: Service,
) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    assert tenant.client.claim_run("worker-2") is None
    let_leases_expire(tenant)
    assert run_of(tenant, run_id)["stale"] is True
    second = tenant.client.claim_run("worker-2")
    assert second is not None
    assert second["run"]["id"] == run_id
    seen = [{"step": 1, "target": "web", "value": 9.0}]
    attempts: list[Callable[[], object]] = [
        lambda: tenant.client.heartbeat(run_id, lease["lease"], 0.9),
        lambda: tenant.client.put_result(run_id, result(lease)),
        lambda: tenant.client.put_failure(run_id, lease["lease"], "too slow"),
        lambda: tenant.client.call(
            "POST", f"/v1/runs/{run_id}/observations", body={"lease": lease["lease"], "observations": seen}
        ),
    ]
    for say in attempts:
        with pytest.raises(ConflictError, match="worker-2 holds it now") as refused:
            say()
        assert refused.value.code == "lease_lost"
    assert held_by(tenant, run_id) == ("running", "worker-2")
    assert tenant.client.call("GET", f"/v1/runs/{run_id}/observations")["items"] == []
    assert tenant.client.put_result(run_id, result(second))["state"] == "completed"


def test_case_16_an_expired_lease_that_nobody_claimed_is_still_good(tenant: Service) -> None:
    lease = claimed(tenant)
    let_leases_expire(tenant)
    tenant.client.heartbeat(lease["run"]["id"], lease["lease"], 0.5)
    assert tenant.client.claim_run("worker-2") is None
    assert tenant.client.put_result(lease["run"]["id"], result(lease))["state"] == "completed"


def test_case_16_only_an_operator_takes_a_run_by_force(tenant: Service) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    body = {"worker": "second", "force": True}
    with tenant.http(tenant.new_key("runs:work")) as http:
        problem_of(http.post(f"/v1/runs/{run_id}/claim", json=body), 403, "studies:write")
    assert held_by(tenant, run_id) == ("running", "worker-1")
    taken = tenant.client.call("POST", f"/v1/runs/{run_id}/claim", body=body)
    assert held_by(tenant, run_id) == ("running", "second")
    with pytest.raises(ConflictError, match="second holds it now"):
        tenant.client.put_result(run_id, result(lease))
    assert tenant.client.put_result(run_id, result(taken))["state"] == "completed"


@pytest.mark.parametrize("count", [1, 3])
def test_case_16_many_workers_at_once_never_get_the_same_run(tenant: Service, count: int) -> None:
    ids = queued(tenant, 24)

    def claim(number: int) -> list[str]:
        body = {"worker": f"worker-{number}", "study": STUDY, "count": count}
        answer = tenant.client.call("POST", "/v1/runs/claims", body=body)
        return [lease["run"]["id"] for lease in answer["leases"]]

    with ThreadPoolExecutor(8) as pool:
        claims = dict(enumerate(pool.map(claim, range(32))))
    assert sorted(run for runs in claims.values() for run in runs) == sorted(ids)
    holders = {run["id"]: run["worker"] for run in tenant.client.runs(STUDY)}
    assert holders == {run: f"worker-{number}" for number, runs in claims.items() for run in runs}


def test_case_16_a_worker_that_asks_again_gets_what_is_still_its_own_under_a_new_lease(
    tenant: Service,
) -> None:
    first, second, third = queued(tenant, 3)
    before = [tenant.client.claim_run("mine"), tenant.client.claim_run("other")]
    assert [lease and lease["run"]["id"] for lease in before] == [first, second]
    answer = tenant.client.call("POST", "/v1/runs/claims", body={"worker": "mine", "count": 5})
    assert [lease["run"]["id"] for lease in answer["leases"]] == [first, third]
    assert before[0] is not None
    with pytest.raises(ConflictError) as refused:
        tenant.client.heartbeat(first, before[0]["lease"], 0.5)
    assert refused.value.code == "lease_lost"
    tenant.client.heartbeat(first, answer["leases"][0]["lease"], 0.5)
    assert held_by(tenant, second) == ("running", "other")


def said_of(service: Service, run_id: str, lease: dict[str, Any]) -> list[Any]:
    """Everything that a trainer may say of its run."""
    seen = {"lease": lease["lease"], "observations": [{"step": 9, "target": "web", "value": 2.0}]}
    return [
        service.call("PUT", f"/v1/runs/{run_id}/result", result(lease, seconds=9.0)),
        service.call("PUT", f"/v1/runs/{run_id}/heartbeat", {"lease": lease["lease"], "progress": 0.5}),
        service.call("PUT", f"/v1/runs/{run_id}/failure", {"lease": lease["lease"], "reason": "why"}),
        service.call("POST", f"/v1/runs/{run_id}/observations", seen),
    ]


def test_case_17_nothing_more_is_taken_for_a_run_that_was_cancelled(tenant: Service) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    cancelled = tenant.client.call("POST", f"/v1/runs/{run_id}/cancel", body={"reason": "wrong text"})
    assert (cancelled["state"], cancelled["error"]) == ("cancelled", "wrong text")
    for answer in said_of(tenant, run_id, lease):
        assert problem_of(answer, 409, "is cancelled", code="terminal")["state"] == "cancelled"
    assert run_of(tenant, run_id) == cancelled
    assert tenant.client.claim_run("worker-2") is None


def test_case_17_nothing_more_is_taken_for_a_run_that_was_completed(tenant: Service) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    completed = tenant.client.put_result(run_id, result(lease))
    other, *rest = said_of(tenant, run_id, lease)
    problem_of(other, 409, code="other_result")
    for answer in rest:
        problem_of(answer, 409, "is completed", code="terminal")
    problem_of(tenant.call("POST", f"/v1/runs/{run_id}/cancel", {"reason": "why"}), 409, code="terminal")
    assert run_of(tenant, run_id) == completed
    assert len(tenant.client.call("GET", f"/v1/runs/{run_id}/observations")["items"]) == 3


def test_case_18_no_clock_but_that_of_the_database_has_a_say_in_a_lease(
    tenant: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    for wrong in ("1970-01-01T00:00:00", "2100-01-01T00:00:00"):
        with monkeypatch.context() as patched:
            moment = datetime.fromisoformat(wrong).timestamp()
            patched.setattr("time.time", lambda moment=moment: moment)
            patched.setattr("time.time_ns", lambda moment=moment: int(moment * 1e9))
            assert tenant.client.claim_run("worker-2") is None
            tenant.client.heartbeat(run_id, lease["lease"], 0.5)
        assert run_of(tenant, run_id)["stale"] is False
    # A client has no field to say a time in.
    body = {"lease": lease["lease"], "progress": 0.5, "at": "2100-01-01T00:00:00Z"}
    problem_of(tenant.call("PUT", f"/v1/runs/{run_id}/heartbeat", body), 422, "body.at")


def test_case_19_a_clock_that_is_set_back_shortens_no_lease_below_what_a_beat_gives(
    tenant: Service,
) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    with tenant.database.session() as session:
        # As after a step back of three hours: the end that was noted lies far ahead.
        session.execute(text("UPDATE proxy_runs SET lease_expires_at = now() + interval '3 hours'"))
    tenant.client.heartbeat(run_id, lease["lease"], 0.5)
    left = text("SELECT extract(epoch FROM lease_expires_at - now()) FROM proxy_runs WHERE id = :run")
    with tenant.database.session() as session:
        seconds = session.scalar(left, {"run": run_id})
    assert seconds is not None
    assert seconds > 0
    assert tenant.client.claim_run("worker-2") is None
    tenant.client.put_result(run_id, result(lease))
