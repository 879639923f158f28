"""Runs from their beginning to their ends: put by clients, cancelled, invalid, queued again, annotated."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.trials import DOMAINS, STUDY, WEIGHTS, claimed, queued, result, run_of

OWN = f"/v1/studies/{STUDY}/runs/mine-7"
BODY = {"weights": WEIGHTS, "seed": 3, "train": {"model": "60M"}}


@pytest.fixture
def study(tenant: Service) -> Service:
    """A service with an empty study."""
    tenant.client.create_study({"name": STUDY, "domains": DOMAINS})
    return tenant


def act(service: Service, run_id: str, what: str, body: Any = None) -> httpx.Response:
    return service.call("POST", f"/v1/runs/{run_id}/{what}", body)


def test_a_run_that_its_client_trains_is_put_once_and_goes_to_no_worker(study: Service) -> None:
    first, again = study.call("PUT", OWN, BODY), study.call("PUT", OWN, BODY)
    assert (first.status_code, again.status_code) == (201, 200)
    run = first.json()
    assert again.json() == run == study.call("GET", OWN).json()
    assert (run["client_id"], run["label"], run["state"], run["stale"]) == (
        "mine-7",
        "mine-7",
        "running",
        False,
    )
    assert study.client.claim_run("worker") is None
    problem_of(act(study, run["id"], "claim", {"worker": "w"}), 409, code="not_trainable")
    study.client.call("PUT", f"/v1/runs/{run['id']}/heartbeat", body={"progress": 0.5})
    assert study.client.claim_run("worker") is None, "a sign of life is no lease"
    done = study.client.put_result(run["id"], result(None))
    assert (done["state"], done["progress"]) == ("completed", 1.0)
    assert study.client.put_result(run["id"], result(None)) == done
    assert study.call("PUT", OWN, BODY).json() == done
    assert [r["id"] for r in study.client.runs(STUDY, state="completed", purpose="proxy")] == [run["id"]]


@pytest.mark.parametrize(
    ("change", "stored"),
    [({"seed": 4}, 3), ({"train": {}}, {"model": "60M"}), ({"label": "other"}, "mine-7")],
)
def test_another_run_under_the_same_id_is_refused_with_both(
    study: Service, change: dict[str, Any], stored: object
) -> None:
    run = study.client.call("PUT", OWN, body=BODY)
    problem = problem_of(study.call("PUT", OWN, {**BODY, **change}), 409, "mine-7", code="other_run")
    ((field, offered),) = change.items()
    assert (problem["stored"][field], problem["offered"][field]) == (stored, offered)
    assert study.client.runs(STUDY) == [run]


def test_many_who_put_the_same_run_at_once_get_the_same(study: Service) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: study.call("PUT", OWN, BODY), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(study.client.runs(STUDY)) == 1
    assert len(study.client.call("GET", f"/v1/studies/{STUDY}/sweeps")["items"]) == 1


def test_a_mixture_off_the_simplex_and_an_odd_id_are_refused(study: Service) -> None:
    problem_of(study.call("PUT", OWN, {"weights": {**WEIGHTS, "web": 0.9}}), 422, "weights", "1.4")
    problem_of(study.call("PUT", f"/v1/studies/{STUDY}/runs/a b", BODY), 422, "path.run_id")
    problem_of(study.call("GET", OWN), 404, "no run 'mine-7' was put")
    assert study.client.runs(STUDY) == []


def test_an_imported_run_and_one_that_was_put_share_their_names(study: Service) -> None:
    study.client.call("PUT", OWN, body=BODY)
    run = {"name": "mine-7", "weights": WEIGHTS, "losses": {"web": 3, "code": 3, "law": 3}, "seed": 3}
    problem_of(study.call("POST", f"/v1/studies/{STUDY}/runs", {"runs": [run]}), 409, code="other_run")
    study.client.import_runs(STUDY, [{**run, "name": "theirs"}])
    assert study.call("GET", f"/v1/studies/{STUDY}/runs/theirs").json()["state"] == "completed"
    assert len(study.client.runs(STUDY)) == 2


def test_an_invalid_run_leaves_the_swarm_and_makes_fits_stale(study: Service) -> None:
    runs = [
        study.client.call("PUT", f"/v1/studies/{STUDY}/runs/r{number}", body={**BODY, "seed": number})
        for number in range(2)
    ]
    for run in runs:
        study.client.put_result(run["id"], result(None))
    fit = study.client.create_fit(STUDY, {"method": "linear"})
    assert (fit["runs"], fit["stale_inputs"]) == (2, False)
    out = act(study, runs[0]["id"], "invalidate", {"reason": "wrong tokeniser"}).json()
    assert (out["state"], out["error"]) == ("invalid", "wrong tokeniser")
    assert out["result"]["losses"]["web"] == 3.0, "it stays to be seen"
    assert act(study, runs[0]["id"], "invalidate", {"reason": "again"}).json() == out
    assert study.client.fit(fit["id"])["stale_inputs"] is True
    assert study.client.create_fit(STUDY, {"method": "linear"})["runs"] == 1
    problem_of(act(study, runs[0]["id"], "requeue"), 409, code="not_trainable")


def test_what_is_not_completed_is_not_invalidated_and_what_is_not_failed_is_not_queued_again(
    tenant: Service,
) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    problem_of(act(tenant, run_id, "invalidate", {"reason": "why"}), 409, code="not_completed")
    problem_of(act(tenant, run_id, "requeue"), 409, "is running", code="not_failed")
    tenant.client.put_result(run_id, result(lease))
    problem_of(act(tenant, run_id, "requeue"), 409, "is completed", code="not_failed")
    assert run_of(tenant, run_id)["state"] == "completed"


@pytest.mark.parametrize("end", ["failure", "cancel"])
def test_a_run_that_ended_badly_is_queued_again_without_what_it_observed(tenant: Service, end: str) -> None:
    lease = claimed(tenant)
    run_id = lease["run"]["id"]
    seen = {"lease": lease["lease"], "observations": [{"step": 1, "target": "web", "value": 3.0}]}
    assert act(tenant, run_id, "observations", seen).json()["accepted"] == 1
    if end == "failure":
        tenant.client.put_failure(run_id, lease["lease"], "out of memory")
    else:
        act(tenant, run_id, "cancel", {"reason": "not now"})
    assert tenant.client.claim_run("worker-2") is None
    again = act(tenant, run_id, "requeue").json()
    assert (again["state"], again["claims"], again["worker"], again["progress"]) == ("pending", 0, None, 0.0)
    assert act(tenant, run_id, "requeue").json() == again
    assert tenant.client.call("GET", f"/v1/runs/{run_id}/observations")["items"] == []
    second = tenant.client.claim_run("worker-2")
    assert second is not None
    problem_of(
        tenant.call("PUT", f"/v1/runs/{run_id}/result", result(lease)), 409, "worker-2", code="lease_lost"
    )
    assert tenant.client.put_result(run_id, result(second))["error"] is None


def test_a_sweep_is_cancelled_but_for_what_is_finished(tenant: Service) -> None:
    queued(tenant, 3)
    lease = tenant.client.claim_run("worker")
    assert lease is not None
    tenant.client.put_result(lease["run"]["id"], result(lease))
    path = f"/v1/sweeps/{lease['run']['sweep_id']}"
    body = {"reason": "enough is known"}
    cancelled = tenant.client.call("POST", f"{path}/cancel", body=body)
    assert cancelled["runs"] == {"completed": 1, "cancelled": 2}
    assert tenant.client.call("POST", f"{path}/cancel", body=body) == cancelled
    assert tenant.client.claim_run("worker") is None


def test_notes_are_edited_in_any_state_and_no_edit_is_lost(tenant: Service) -> None:
    lease = claimed(tenant)
    tenant.client.put_result(lease["run"]["id"], result(lease))
    path = f"/v1/runs/{lease['run']['id']}/notes"
    first = tenant.call("GET", path)
    assert first.json() == {"notes": "", "tags": []}
    mine, theirs = {"notes": "odd curve", "tags": ["odd"]}, {"notes": "fine", "tags": []}
    problem_of(tenant.call("PUT", path, mine), 428, "If-Match", code="precondition_required")
    seen = {"If-Match": first.headers["ETag"]}
    stored = tenant.call("PUT", path, mine, headers=seen)
    assert (stored.status_code, stored.json()) == (200, mine)
    assert stored.headers["ETag"] != first.headers["ETag"]
    refused = problem_of(tenant.call("PUT", path, theirs, headers=seen), 412, "edited meanwhile")
    assert (refused["stored"], refused["etag"]) == (mine, stored.headers["ETag"])
    assert tenant.call("PUT", path, mine, headers=seen).status_code == 200, "an answer that was lost"
    run = run_of(tenant, lease["run"]["id"])
    assert (run["notes"], run["tags"], run["state"]) == ("odd curve", ["odd"], "completed")
    newest = {"If-Match": f"W/{stored.headers['ETag']}"}
    assert tenant.call("PUT", path, theirs, headers=newest).json() == theirs


def test_of_editors_at_once_one_wins(tenant: Service) -> None:
    (run_id,) = queued(tenant, 1)
    path = f"/v1/runs/{run_id}/notes"
    seen = {"If-Match": tenant.call("GET", path).headers["ETag"]}

    def edit(number: int) -> int:
        return tenant.call("PUT", path, {"notes": f"by {number}"}, headers=seen).status_code

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(edit, range(6)))
    assert sorted(codes) == [200] + [412] * 5
    assert run_of(tenant, run_id)["notes"] == f"by {codes.index(200)}"
