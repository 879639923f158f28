"""The live contract, clause by clause, over HTTP."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from mixclient import ConflictError, Schedule, ServiceError
from mixlaws.domains import DomainSet
from mixlaws.policies.odm import Odm
from mixlaws.policy import Feedback
from mixlaws.problem import MixtureProblem
from tests.support.servers import Service

DOMAINS = [
    {"name": "web", "tokens": 9_000},
    {"name": "code", "tokens": 3_000},
    {"name": "law", "tokens": 1_000},
]


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def create(service: Service, **more: Any) -> dict[str, Any]:
    body = {"name": "run-7b", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8, "lead_steps": 20}
    return service.client.create_job({**body, **more})


def report(step: int, losses: Mapping[str, float | None] | None = None, **more: Any) -> dict[str, Any]:
    losses = losses if losses is not None else {"web": 3.0, "code": 2.5, "law": 4.0}
    body = {
        "attempt": 1,
        "source": "rank0",
        "step_from": max(0, step - 9),
        "step_to": step,
        "schedule_version": 1,
        "loss_sums": {name: None if loss is None else 512 * loss for name, loss in losses.items()},
        "token_counts": dict.fromkeys(losses, 512),
        "non_finite": [name for name, loss in losses.items() if loss is None],
    }
    return {**body, **more}


def send(service: Service, *reports: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = service.client.call("POST", "/v1/jobs/run-7b/reports", body={"reports": reports})
    return answer


def schedule(service: Service) -> Schedule:
    return Schedule.parse(service.client.call("GET", "/v1/jobs/run-7b/schedule"))


def refusal(service: Service, *reports: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        send(service, *reports)
    return refused.value


def test_a_job_starts_at_its_prior_and_is_made_once(service: Service) -> None:
    first = create(service)
    assert create(service)["id"] == first["id"]
    with pytest.raises(ConflictError, match="exists with another lead_steps"):
        create(service, lead_steps=21)
    followed = schedule(service)
    assert followed.stages[0].effective_step == 0
    assert followed.stages[0].weights == pytest.approx([9 / 13, 3 / 13, 1 / 13])
    assert followed.stages[0].reason == "prior"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "odn"}, "did you mean 'odm'"),
        ({"params": {"smooth": 0.5}}, "smooth"),
        ({"params": {"smoothing": 1.5}}, r"smoothing is 1\.5"),
        ({"signals": []}, "needs losses"),
        ({"guards": {"floor": 0.4}}, "admit no mixture"),
        ({"sources": ["a", "a"]}, "occurs twice"),
        ({"prior": {"web": 1.0}}, "no value for 'code', 'law'"),
        ({"samples_per_step": 0}, "samples_per_step"),
    ],
)
def test_a_job_that_cannot_be_steered_is_refused(
    service: Service, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match=message) as refused:
        create(service, **change)
    assert refused.value.status == 422


def test_reports_move_the_policy_exactly_as_the_library_does(service: Service) -> None:
    create(service, guards={"floor": 0.0})
    policy = Odm()
    problem = MixtureProblem.create(DomainSet(("web", "code", "law"), (9_000, 3_000, 1_000)))
    state = policy.init(problem)
    rng = np.random.default_rng(0)
    for step in range(9, 300, 10):
        losses = {name: float(rng.uniform(2, 5)) for name in ("web", "code", "law")}
        version = schedule(service).version
        send(service, report(step, losses, schedule_version=version))
        sums = np.array([512 * loss for loss in losses.values()])
        state = policy.update(state, Feedback(step + 1, sums, np.full(3, 512), np.full(3, 1 / 3)))
    newest = schedule(service).stages[-1]
    assert newest.weights == pytest.approx(tuple(state.weights), abs=1e-12)
    assert newest.reason == "odm"


def test_a_new_version_holds_from_lead_steps_after_the_last_report(service: Service) -> None:
    create(service)
    answer = send(service, report(9))
    assert answer["version"] == 2
    assert schedule(service).stages[-1].effective_step == 29
    send(service, *(report(step) for step in range(19, 100, 10)))
    stages = schedule(service).stages
    assert stages[-1].effective_step == 119, "a batch gives one version, planned from its last step"
    assert [s.effective_step for s in stages] == sorted({s.effective_step for s in stages})


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"attempt": 2}, 409, "unknown_attempt"),
        ({"source": "rank9"}, 409, "undeclared_source"),
        ({"step_from": 50}, 422, "invalid_request"),
        ({"schedule_version": 77}, 422, "unknown_version"),
        ({"loss_sums": {"web": None}, "non_finite": []}, 422, "invalid_request"),
        ({"token_counts": {"web": -1}}, 422, "invalid_request"),
        ({"token_counts": {"web": 2**60}}, 422, "invalid_request"),
        ({"step_to": 2**63}, 422, "invalid_request"),
        ({"colour": "red"}, 422, "invalid_request"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(
    service: Service, change: dict[str, Any], status: int, code: str
) -> None:
    create(service)
    error = refusal(service, report(9, **change))
    assert (error.status, error.code) == (status, code)


def test_one_report_needs_no_envelope(service: Service) -> None:
    create(service)
    answer = service.client.call("POST", "/v1/jobs/run-7b/reports", body=report(9))
    assert answer["accepted"] == 1


def test_too_late_versions_are_planned_anew_beyond_the_trainer(service: Service) -> None:
    create(service)
    send(service, report(9))
    late = {"attempt": 1, "version": 2, "step": 140, "outcome": "too_late"}
    service.client.call("POST", "/v1/jobs/run-7b/acks", body=late)
    followed = schedule(service)
    assert followed.version == 3
    assert followed.stages[-1].effective_step == 160
    assert 2 not in [stage.version for stage in followed.stages]
    service.client.call("POST", "/v1/jobs/run-7b/acks", body={"acks": [late]})
    assert schedule(service) == followed, "the same acknowledgement again changes nothing"
    service.client.call(
        "POST", "/v1/jobs/run-7b/acks", body={"attempt": 1, "version": 3, "step": 160, "outcome": "applied"}
    )
    job = service.client.job("run-7b")
    assert (job["versions_published"], job["versions_applied"], job["versions_too_late"]) == (2, 1, 1)


def test_without_a_token_a_restart_restores_by_step(service: Service) -> None:
    create(service)
    for step in range(9, 100, 10):
        send(service, report(step, {"web": 3.0 + step / 100, "code": 2.0, "law": 4.0}))
    attempt = service.client.open_attempt("run-7b", 50)
    assert attempt["restored_seq"] == 5
    again = service.client.open_attempt("run-7b", 0)
    assert (again["number"], again["restored_seq"]) == (3, 0)
    assert schedule(service).stages[-1].reason == "prior"


@pytest.mark.parametrize("token", ["a1.s9", "nonsense", "a1.s4", ""])
def test_a_token_that_does_not_fit_the_checkpoint_is_refused(service: Service, token: str) -> None:
    create(service)
    for step in range(9, 50, 10):
        send(service, report(step))
    with pytest.raises(ServiceError) as refused:
        service.client.call("POST", "/v1/jobs/run-7b/attempts", body={"from_step": 30, "state_token": token})
    assert refused.value.status == 422
    assert service.client.job("run-7b")["attempt"] == 1


def test_a_poll_with_the_current_etag_is_304_and_a_long_poll_hears_of_news(service: Service) -> None:
    create(service)
    with service.http(service.key) as http:
        first = http.get("/v1/jobs/run-7b/schedule")
        etag = first.headers["ETag"]
        assert etag == '"1-1"'
        again = http.get("/v1/jobs/run-7b/schedule", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                http.get, "/v1/jobs/run-7b/schedule", headers={"If-None-Match": etag, "Prefer": "wait=25"}
            )
            send(service, report(9))
            heard = waiting.result(timeout=10)
        assert heard.status_code == 200
        assert heard.headers["ETag"] == '"1-2"'


def test_events_bring_the_schedule_and_every_change(service: Service) -> None:
    create(service)
    seen = []
    with service.http(service.key) as http, http.stream("GET", "/v1/jobs/run-7b/schedule/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("id:"):
                seen.append(line)
                if len(seen) == 1:
                    send(service, report(9))
                else:
                    break
    assert seen == ['id: "1-1"', 'id: "1-2"']


def test_many_trainers_at_once_lose_and_double_nothing(service: Service) -> None:
    jobs = [f"job-{i}" for i in range(6)]
    for name in jobs:
        create(service, name=name)
    steps = list(range(9, 400, 10))

    def train(name: str) -> int:
        accepted = 0
        for step in steps:
            for _ in range(2):  # everything is sent twice, as after a lost answer
                answer = service.client.call("POST", f"/v1/jobs/{name}/reports", body=report(step))
                accepted += answer["accepted"]
        return accepted

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(train, jobs)) == [len(steps)] * 6
    final = [Schedule.parse(service.client.call("GET", f"/v1/jobs/{name}/schedule")) for name in jobs]
    assert len({followed.stages[-1].weights for followed in final}) == 1
    assert {service.client.job(name)["reports_duplicate"] for name in jobs} == {len(steps)}


def test_guards_hold_whatever_the_policy_says(service: Service) -> None:
    create(service, guards={"floor": 0.1, "ceiling": 0.6, "loss_ceiling": 6.0})
    for step in range(1009, 3000, 100):
        send(service, report(step, {"web": 5.9, "code": 1.0, "law": 1.0}))
    weights = schedule(service).stages[-1].weights
    assert weights[0] == pytest.approx(0.6)
    assert min(weights) >= 0.1 - 1e-12
