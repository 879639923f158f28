"""Observations: stored once under their natural key, a batch or nothing, read back by page or thinned."""

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fits import service as fits
from service.keys.service import principal_of_key
from service.runs.schemas import MOST_OBSERVATIONS
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.trials import DOMAINS, WEIGHTS, claimed, let_leases_expire, result

Point = dict[str, Any]


def point(step: int, target: str = "web", value: float = 3.0) -> Point:
    return {"step": step, "target": target, "value": value}


def send(service: Service, lease: dict[str, Any], *points: Point) -> httpx.Response:
    body = {"lease": lease["lease"], "observations": points}
    return service.call("POST", f"/v1/runs/{lease['run']['id']}/observations", body)


def seen(service: Service, lease: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    path = f"/v1/runs/{lease['run']['id']}/observations"
    page: dict[str, Any] = service.client.call("GET", path, parameters=parameters)
    return page


def test_the_same_again_is_counted_and_another_value_is_refused_with_both(tenant: Service) -> None:
    lease = claimed(tenant)
    assert send(tenant, lease, point(10), point(20)).json() == {"accepted": 2, "duplicates": 0}
    again = send(tenant, lease, point(10), point(20), point(30), point(30))
    assert again.json() == {"accepted": 1, "duplicates": 3}
    before = seen(tenant, lease)
    for batch in ([point(40), point(20, value=3.5)], [point(50, value=1.0), point(50, value=3.5)]):
        problem = problem_of(send(tenant, lease, *batch), 409, "first one stands", code="other_observation")
        assert (problem["target"], problem["offered"]) == ("web", 3.5)
        assert problem["stored"] in {3.0, 1.0}
    assert (
        seen(tenant, lease)
        == before
        == {"items": [point(s) for s in (10, 20, 30)], "next": None, "stored": 3}
    )


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"3.5"', "true", "null"])
def test_a_batch_with_a_value_that_is_no_number_is_refused_whole(tenant: Service, value: str) -> None:
    lease = claimed(tenant)
    good = '{"step": 1, "target": "web", "value": 3}'
    bad = f'{{"step": 2, "target": "web", "value": {value}}}'
    body = f'{{"lease": "{lease["lease"]}", "observations": [{good}, {bad}]}}'
    with tenant.http(tenant.key, **{"Content-Type": "application/json"}) as http:
        answer = http.post(f"/v1/runs/{lease['run']['id']}/observations", content=body)
    problem_of(answer, 422, "observations.1.value")
    assert seen(tenant, lease)["items"] == []


def test_an_unknown_target_and_too_many_at_once_are_refused_whole(tenant: Service) -> None:
    lease = claimed(tenant)
    unknown = send(tenant, lease, point(1), point(2, target="wep"))
    problem_of(unknown, 422, "observations.1: unknown target 'wep'", "did you mean 'web'?")
    many = [point(step) for step in range(MOST_OBSERVATIONS + 1)]
    problem_of(send(tenant, lease, *many), 413, f"at most {MOST_OBSERVATIONS}", code="batch_too_large")
    assert seen(tenant, lease)["items"] == []
    assert send(tenant, lease, *many[:-1]).json()["accepted"] == MOST_OBSERVATIONS


def test_pages_hold_everything_once_and_thinning_says_how_much_there_is(tenant: Service) -> None:
    lease = claimed(tenant)
    points = [point(step, target, 1 / (1 + step)) for step in range(37) for target in ("code", "web")]
    send(tenant, lease, *points)
    found, cursor = [], None
    while True:
        page = seen(tenant, lease, limit=7, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        assert page["stored"] == (74 if cursor is None else None)
        if (cursor := page["next"]) is None:
            break
    assert found == points
    thin = seen(tenant, lease, points=5, target="web")
    assert [item["step"] for item in thin["items"]] == [0, 9, 18, 27, 36]
    assert thin["stored"] == 37
    problem_of(
        tenant.call("GET", f"/v1/runs/{lease['run']['id']}/observations?cursor=x"), 400, code="invalid_cursor"
    )


def test_a_thinned_curve_has_its_ends_and_no_more_points_than_asked_for(tenant: Service) -> None:
    lease = claimed(tenant)
    sent: list[int] = []

    @settings(max_examples=10)
    @given(st.sets(st.integers(0, 10**6), min_size=1, max_size=12), st.integers(2, 15))
    def holds(steps: set[int], points: int) -> None:
        send(tenant, lease, *[point(step) for step in steps])
        sent.extend(step for step in steps if step not in sent)
        kept = [item["step"] for item in seen(tenant, lease, points=points)["items"]]
        assert len(kept) == min(points, len(sent))
        assert (kept[0], kept[-1]) == (min(sent), max(sent)) or len(sent) == 1
        assert kept == sorted(set(kept) & set(sent))

    holds()


def test_what_an_unfinished_try_observed_goes_with_its_lease(tenant: Service) -> None:
    lease = claimed(tenant)
    send(tenant, lease, point(10, value=3.0))
    let_leases_expire(tenant)
    second = tenant.client.claim_run("worker-2")
    assert second is not None
    assert seen(tenant, second)["items"] == []
    assert send(tenant, second, point(10, value=2.9)).json()["accepted"] == 1
    tenant.client.put_result(second["run"]["id"], result(second))
    assert len(seen(tenant, second)["items"]) == 4
    assert send(tenant, second, point(10, value=2.9)).json() == {"accepted": 0, "duplicates": 1}


def test_a_fit_sees_results_and_not_what_was_observed_on_the_way(tenant: Service) -> None:
    tenant.client.create_study({"name": "own", "domains": DOMAINS})
    run = tenant.client.call("PUT", "/v1/studies/own/runs/a", body={"weights": WEIGHTS})
    send(tenant, {"run": run, "lease": None}, point(10**6, value=99.0))
    tenant.client.put_result(run["id"], result(None))
    fit = tenant.client.create_fit("own", {"method": "linear"})
    with tenant.database.session() as session:
        caller = principal_of_key(session, tenant.key)
        assert caller is not None
        stored, study = fits.get(session, caller.project_id, fit["id"])
        assert fits.task_input(session, stored, study)["swarm"]["values"] == [[3.0, 3.1, 3.2]]
