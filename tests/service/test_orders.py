"""What people order of a live job: it holds, it is told with its reason, and it can be tried out before."""

from typing import Any

import pytest

from mixclient import ServiceError
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.replaying import same_again
from tests.support.servers import Service

PATH = f"/v1/jobs/{JOB['name']}"
HALVES = {"web": 0.5, "code": 0.5, "law": 0.0}


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


@pytest.fixture(autouse=True)
def job(service: Service) -> None:
    service.client.create_job(JOB)


def order(service: Service, kind: str, **body: Any) -> Any:
    return service.client.call("POST", f"{PATH}/{kind}", body={"reason": "on a whim", **body})


def send(service: Service, *steps: int, **more: Any) -> Any:
    reports = [report(step, **more) for step in steps]
    return service.client.call("POST", f"{PATH}/reports", body={"reports": reports})


def told(service: Service, what: str = "") -> Any:
    return service.client.call("GET", f"{PATH}{what}")


def test_a_pin_holds_until_it_is_released_and_the_audit_says_who_and_why(service: Service) -> None:
    send(service, 9)
    order(service, "pin", weights=HALVES)
    send(service, 19, 29, 39)
    schedule = told(service, "/schedule")
    assert schedule["frozen"]
    assert schedule["stages"][-1]["weights"] == HALVES
    assert told(service)["hold"] == {"by": "operator", "reason": "pinned: on a whim"}
    order(service, "release")
    schedule = told(service, "/schedule")
    assert not schedule["frozen"]
    assert schedule["stages"][-1]["weights"] != HALVES
    trail = [(entry["kind"], entry["actor"], entry["reason"]) for entry in told(service, "/audit")["items"]]
    assert trail[:4] == [
        ("version", "key test", "odm; released: on a whim"),
        ("release", "key test", "on a whim"),
        ("version", "key test", "pinned: on a whim"),
        ("pin", "key test", "on a whim"),
    ]
    second = told(service, f"/audit?cursor={told(service, '/audit?limit=4')['next']}")
    older = second["items"]
    assert [(entry["version"], entry["actor"]) for entry in older] == [(2, "policy"), (1, "policy")]
    assert service.call("POST", f"{PATH}/release", {"reason": "again"}).status_code == 409


def test_who_waits_hears_of_an_order_at_once_even_if_weights_stay(service: Service) -> None:
    held = service.call("GET", f"{PATH}/schedule").headers["ETag"]
    order(service, "freeze")
    answer = service.call("GET", f"{PATH}/schedule", headers={"If-None-Match": held})
    assert answer.status_code == 200
    assert answer.json()["frozen"]
    assert answer.json()["stages"][-1]["weights"] == answer.json()["stages"][0]["weights"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("pin", {"weights": HALVES}),
        ("freeze", {}),
        ("rollback", {"version": 1}),
        ("retire", {"domain": "law"}),
        ("shadow", {"on": True}),
        ("domains", {"name": "maths", "tokens": 500}),
    ],
)
def test_a_dry_run_shows_what_would_be_and_changes_nothing(
    service: Service, kind: str, body: dict[str, Any]
) -> None:
    send(service, 9, 19)
    before = [told(service, what) for what in ("", "/schedule", "/audit", "/log")]
    shown = order(service, kind, **body, dry_run=True)
    assert not shown["stored"]
    assert [told(service, what) for what in ("", "/schedule", "/audit", "/log")] == before
    carried_out = order(service, kind, **body)
    assert carried_out["stored"]
    assert {**carried_out, "stored": False} == shown
    assert carried_out["schedule"] == told(service, "/schedule")


def test_a_rollback_brings_back_weights_and_what_the_policy_knew(service: Service) -> None:
    send(service, 9)
    second = told(service, "/schedule")["stages"][-1]
    for step in range(19, 100, 10):
        send(service, step, loss_sums={"web": 512 * 9.0, "code": 512.0, "law": 512.0})
    order(service, "rollback", version=second["version"])
    assert told(service, "/schedule")["stages"][-1]["weights"] == second["weights"]
    order(service, "release")
    assert told(service, "/schedule")["stages"][-1]["weights"] == second["weights"]
    refused = service.call("POST", f"{PATH}/rollback", {"version": 99, "reason": "why"})
    problem_of(refused, 422, "version 99", "never published", code="unknown_version")


@pytest.mark.parametrize("kind", ["retire", "freeze"])
def test_an_order_that_came_too_late_is_placed_again(service: Service, kind: str) -> None:
    body = {"name": "steady", "policy": "static"}
    service.client.create_job({**JOB, **body})
    path = "/v1/jobs/steady"
    service.client.call("POST", f"{path}/reports", body=report(9))
    more = {"domain": "law"} if kind == "retire" else {}
    given = service.client.call("POST", f"{path}/{kind}", body={"reason": "a broken shard", **more})
    ordered = given["schedule"]["stages"][-1]
    late = {"attempt": 1, "version": ordered["version"], "step": 60, "outcome": "too_late"}
    for _ in range(2):
        service.client.call("POST", f"{path}/acks", body=late)
    stages = service.client.call("GET", f"{path}/schedule")["stages"]
    assert [stage["version"] for stage in stages] == [1, 3]
    assert stages[-1]["effective_step"] == 60 + JOB["lead_steps"]
    assert stages[-1]["weights"] == ordered["weights"]
    same_again(service, "steady")


def test_a_domain_is_added_with_the_next_attempt_as_if_it_had_been_there(service: Service) -> None:
    more = [*JOB["domains"], {"name": "maths", "tokens": 2_000}]
    prior = {"web": 9 / 15, "code": 3 / 15, "law": 1 / 15, "maths": 2 / 15}
    service.client.create_job({**JOB, "name": "from-the-start", "domains": more, "prior": prior})
    token = ""
    for step in range(9, 60, 10):
        for name in (JOB["name"], "from-the-start"):
            body = report(step, schedule_version=1)
            token = service.client.call("POST", f"/v1/jobs/{name}/reports", body=body)["state_token"]
    order(service, "domains", name="maths", tokens=2_000)
    assert "maths" not in told(service, "/schedule")["stages"][-1]["weights"], "not before a restart"
    for name in (JOB["name"], "from-the-start"):
        restart = {"from_step": 60, "state_token": token}
        service.client.call("POST", f"/v1/jobs/{name}/attempts", body=restart)
    added, always = (
        service.client.call("GET", f"/v1/jobs/{name}/schedule") for name in (JOB["name"], "from-the-start")
    )
    assert [domain["name"] for domain in added["domains"]] == ["web", "code", "law", "maths"]
    assert added["stages"][-1]["effective_step"] == 60
    for name in (JOB["name"], "from-the-start"):
        body = report(
            69, attempt=2, schedule_version=1, token_counts={"maths": 512}, loss_sums={"maths": 900.0}
        )
        service.client.call("POST", f"/v1/jobs/{name}/reports", body=body)
    added, always = (
        service.client.call("GET", f"/v1/jobs/{name}/schedule")["stages"][-1]["weights"]
        for name in (JOB["name"], "from-the-start")
    )
    assert added == pytest.approx(always, abs=1e-12)
    assert service.client.create_job(JOB)["definition"]["domains"][-1]["name"] == "maths", (
        "still the same job"
    )


@pytest.mark.parametrize(
    ("job", "domain", "words"),
    [
        ({"guards": {"floor": 0.33}}, "maths", "4 domains with floors that sum to 1.32"),
        (
            {
                "policy": "velocitune",
                "params": {"target_losses": {"web": 1.0, "code": 1.0, "law": 1.0}},
                "signals": ["eval_losses"],
            },
            "maths",
            "no value for 'maths'",
        ),
        ({}, "la\u202ew", "invisible or control characters"),
        (
            {"domains": [*JOB["domains"], {"name": "caf\u00e9", "tokens": 9}]},
            "cafe\u0301",
            "in the job already",
        ),
    ],
)
def test_a_domain_without_which_no_restart_could_go_on_is_refused(
    service: Service, job: dict[str, Any], domain: str, words: str
) -> None:
    service.client.create_job({**JOB, "name": "strict", **job})
    body = {"name": domain, "tokens": 10, "reason": "more"}
    before = service.client.job("strict")["definition"]["domains"]
    problem_of(service.call("POST", "/v1/jobs/strict/domains", body), 422, words)
    service.client.open_attempt("strict", 0)
    assert service.client.job("strict")["definition"]["domains"] == before


def test_domains_that_are_added_together_have_their_shares_of_all_tokens(service: Service) -> None:
    for name, tokens in {"maths": 3_000, "chess": 4_000}.items():
        order(service, "domains", name=name, tokens=tokens)
    service.client.open_attempt(JOB["name"], 0)
    prior = {"web": 0.45, "code": 0.15, "law": 0.05, "maths": 0.15, "chess": 0.2}
    assert told(service)["definition"]["prior"] == pytest.approx(prior)


def test_domains_show_what_was_read_of_them_and_when_they_end(service: Service) -> None:
    body = {**JOB, "name": "short", "policy": "static", "domains": [
        {"name": "web", "tokens": 90_000}, {"name": "code", "tokens": 10_000, "max_epochs": 1},
    ]}  # fmt: skip
    service.client.create_job(body)
    for step in range(9, 40, 10):
        one = report(step, loss_sums={"web": 1e4, "code": 1e3}, token_counts={"web": 4400, "code": 600})
        service.client.call("POST", "/v1/jobs/short/reports", body=one)
    web, code = service.client.call("GET", "/v1/jobs/short/domains")
    assert (web["realised_share"], code["realised_share"]) == pytest.approx((0.88, 0.12))
    assert (web["intended_share"], code["intended_share"]) == pytest.approx((0.9, 0.1))
    assert (web["tokens_left"], code["tokens_left"]) == (None, 10_000 - 2_400)
    assert code["dry_step"] == 40 + 7_600 / (500 * 0.1)
    assert code["zero_step"] == pytest.approx(code["dry_step"] - JOB["lead_steps"], abs=10)
    assert service.client.call("GET", "/v1/jobs/short/schedule")["stages"][-1]["weights"]["code"] == 0


def test_a_key_that_follows_a_job_gives_no_orders(service: Service) -> None:
    with service.http(service.new_key("jobs:follow", "jobs:read")) as http:
        answer = http.post(f"{PATH}/freeze", json={"reason": "why"})
        assert answer.status_code == 403
        assert http.get(f"{PATH}/audit").status_code == 200


def test_signals_of_an_unknown_domain_are_refused_before_they_are_stored(service: Service) -> None:
    with pytest.raises(ServiceError, match="unknown domain 'lax'"):
        send(service, 9, signals={"sequence_counts": {"lax": 3}})
    assert told(service)["reports_accepted"] == 0
