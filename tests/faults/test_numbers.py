"""Numbers that are none, that cannot be meant, or that no column holds."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.trainers import create, losses, refused, report, send, told
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.stored import reports_of
from tests.support.trainers import client, train
from tests.support.trainers import create as create_followed


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def weights_of(service: Service, name: str) -> dict[str, float]:
    weights: dict[str, float] = service.client.call("GET", f"/v1/jobs/{name}/schedule")["stages"][-1][
        "weights"
    ]
    return weights


def test_case_05_a_loss_that_is_not_finite_is_stored_and_told_and_counts_as_not_observed(
    service: Service,
) -> None:
    create(service)
    answer = send(service, report(99, **losses(web=3.0, code=None, law=3.0)))
    assert answer["warnings"] == ["reports.0: the loss of code is not finite: it counts as not observed"]
    stored = reports_of(service, "run-7b")[0]
    assert (stored["loss_sums"], stored["non_finite"]) == ([512 * 3.0, None, 512 * 3.0], ["code"])
    create(service, name="silent")
    assert send(service, report(99, **losses(web=3.0, law=3.0)), job="silent")["warnings"] == []
    assert weights_of(service, "run-7b") == weights_of(service, "silent")


def test_case_05_so_many_in_a_row_freeze_the_job_and_say_so_and_reports_go_on(service: Service) -> None:
    create(service, guards={"freeze_after_non_finite": 5})
    broken = [report(step, **losses(web=None, code=2.0, law=4.0)) for step in range(9, 60, 10)]
    send(service, *broken[:4])
    assert told(service)["hold"] is None
    send(service, broken[4])
    hold = told(service)["hold"]
    assert hold["by"] == "guard"
    assert "5 feedbacks in a row" in hold["reason"]
    assert "'web'" in hold["reason"]
    assert told(service, "/audit")["items"][0]["reason"] == hold["reason"]
    held = weights_of(service, "run-7b")
    assert send(service, broken[5])["accepted"] == 1
    assert weights_of(service, "run-7b") == held
    assert told(service, "/schedule")["frozen"] is True


@pytest.mark.parametrize(
    ("measured", "tokens"),
    [([float("nan"), 1.0, 1.0], [5, 5, 5]), ([1.0], [1]), (None, None), (["x", 1, 1], [1, 1, 1])],
)
def test_case_05_whatever_the_loop_measures_it_goes_on(
    service: Service, tmp_path: Path, measured: Any, tokens: Any
) -> None:
    create_followed(service)
    follower = client(service.url, service.key, tmp_path)
    follower.start()
    for step in range(5):
        follower.step(step)
        follower.record(step, loss_sums=measured, token_counts=tokens)
    train(follower, range(5, 20))
    assert follower.close()
    assert service.client.job("run")["reported_step"] == 19


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e999", '"nan"', '"1536.0"', "true", "[1536.0]", "{}"]
)
def test_case_06_what_is_no_finite_number_is_refused_by_its_place(service: Service, literal: str) -> None:
    create(service)
    text = json.dumps({"reports": [report(9), report(19)]})
    text = literal.join(text.rsplit("1536.0", 1))
    problem = refused(service, None, 422, "loss_sums.web", code="invalid_request", text=text)
    assert problem["errors"][0]["loc"].startswith("body.batch.reports.1.loss_sums.web")
    assert told(service)["reports_accepted"] == 0


@pytest.mark.parametrize("literal", ["true", '"9"', "9.5", "null"])
@pytest.mark.parametrize("field", ["step_to", "attempt"])
def test_case_06_a_count_is_an_integer_and_nothing_that_looks_like_one(
    service: Service, field: str, literal: str
) -> None:
    create(service)
    body = json.dumps(report(9, **{field: "?"})).replace('"?"', literal)
    refused(service, None, 422, field, code="invalid_request", text=body)
    assert reports_of(service, "run-7b") == []


@pytest.mark.parametrize(("mean", "bound"), [(1e30, 20.0), (-1e30, -20.0), (1e300, 20.0)])
def test_case_07_an_absurd_loss_is_taken_and_told_and_held_at_the_bound(
    service: Service, mean: float, bound: float
) -> None:
    create(service)
    answer = send(service, report(99, **losses(web=3.0, code=mean, law=4.0)))
    assert "reports.0: the loss of code is beyond 20 nats a token: it is held there" in answer["warnings"]
    assert reports_of(service, "run-7b")[0]["loss_sums"][1] == 512 * mean, "stored as it was sent"
    create(service, name="bound")
    send(service, report(99, **losses(web=3.0, code=bound, law=4.0)), job="bound")
    assert weights_of(service, "run-7b") == weights_of(service, "bound")


def test_case_07_a_negative_loss_and_one_of_no_tokens_are_told(service: Service) -> None:
    create(service)
    body = report(99, **losses(web=3.0, code=-0.5, law=4.0))
    body["token_counts"]["law"] = 0
    assert send(service, body)["warnings"] == [
        "reports.0: the loss of code is negative",
        "reports.0: the loss of law is of no token: it is not used",
    ]
    assert math.isclose(sum(weights_of(service, "run-7b").values()), 1.0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"step_to": 2**63}, "step_to"),
        ({"step_to": 2**53}, "step_to"),
        ({"step_from": -1}, "step_from"),
        ({"step_to": 10**400}, "step_to"),
        ({"token_counts": {"web": -1}}, "token_counts.web"),
        ({"token_counts": {"web": 2**60}}, "token_counts.web"),
        ({"token_counts": {"web": 1e25}}, "token_counts.web"),
        ({"attempt": 0}, "attempt"),
        ({"schedule_version": -1}, "schedule_version"),
    ],
    ids=range(9),
)
def test_case_23_an_integer_that_not_every_reader_keeps_is_refused_by_field(
    service: Service, change: dict[str, Any], field: str
) -> None:
    create(service)
    refused(service, report(9, **change), 422, field, code="invalid_request")
    assert told(service)["reports_accepted"] == 0


def test_case_23_the_largest_integer_is_kept_to_the_last_digit(service: Service) -> None:
    create(service, wait_steps=2**53 - 1)
    largest = 2**53 - 1
    send(service, report(largest, step_from=largest, token_counts={"web": largest}))
    stored = reports_of(service, "run-7b")[0]
    assert (stored["step_to"], stored["token_counts"]) == (largest, [largest, 0, 0])
    assert told(service)["reported_step"] == largest


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, str(2**63), "1.5", "-1"]
)
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/studies", {"name": "t", "domains": [{"name": "a", "tokens": "?"}]}, "body.domains.0.tokens"),
        ("/v1/studies/none/sweeps", {"design": "sobol", "count": "?"}, "body.count"),
        ("/v1/studies/none/fits", {"method": "linear", "seed": "?"}, "body.seed"),
        ("/v1/jobs/none/attempts", {"from_step": "?"}, "body.from_step"),
        (
            "/v1/jobs/none/acks",
            {"attempt": 1, "version": "?", "step": 1, "outcome": "applied"},
            "body.one.version",
        ),
    ],
)
def test_case_23_a_number_that_no_integer_field_holds_is_refused_by_field(
    tenant: Service, path: str, body: dict[str, object], field: str, number: str
) -> None:
    content = json.dumps(body).replace('"?"', number)
    with tenant.http(tenant.key, **{"Content-Type": "application/json"}) as http:
        answer: httpx.Response = http.post(path, content=content)
    problem_of(answer, 422, field)
    assert tenant.client.studies() == tenant.client.jobs() == []
