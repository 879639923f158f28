"""Weights that are no mixture."""

import json
from typing import Any

import httpx
import pytest

from tests.service.problems import problem_of
from tests.service.reports import JOB
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]


@pytest.fixture
def service(tenant: Service) -> Service:
    tenant.client.create_study({"name": "trial", "domains": DOMAINS})
    tenant.client.create_job({**JOB, "domains": DOMAINS})
    return tenant


def asked_for(service: Service, weights: dict[str, Any]) -> list[httpx.Response]:
    """The answers of every place that takes a mixture."""
    bodies = {
        "/v1/studies/trial/sweeps": {"mixtures": [{"weights": weights}]},
        "/v1/jobs/run-7b/pin": {"weights": weights, "reason": "why"},
        "/v1/jobs": {**JOB, "name": "another", "domains": DOMAINS, "prior": weights},
        "/v1/studies": {"name": "another", "domains": DOMAINS, "prior": weights},
    }
    with service.http(service.key, **{"Content-Type": "application/json"}) as http:
        return [http.post(path, content=json.dumps(body)) for path, body in bodies.items()]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"web": 0.5, "code": 0.5 + 1.1e-6}, "must sum to 1"),
        ({"web": 0.5, "code": 0.5 - 1.1e-6}, "must sum to 1"),
        ({"web": 0.5, "code": 1.0}, "sum to 1.5"),
        ({"web": 0.0, "code": 0.0}, "sum to 0"),
        ({"web": 1.5, "code": -0.5}, "weights.web"),
        ({"web": -1e-9, "code": 1.0}, "greater than or equal to 0"),
        ({"web": 1.0 + 1e-9, "code": 0.0}, "less than or equal to 1"),
        ({"web": float("nan"), "code": 1.0}, "finite number"),
        ({"web": float("inf"), "code": 1.0}, "finite number"),
    ],
    ids=range(9),
)
def test_case_10_weights_that_are_no_mixture_are_refused_with_what_is_wrong(
    service: Service, weights: dict[str, float], words: str
) -> None:
    words = words.removeprefix("weights.")
    for answer in asked_for(service, weights):
        problem_of(answer, 422, words)
    assert service.client.runs("trial") == []
    assert service.client.job("run-7b")["version"] == 1
    assert len(service.client.jobs()) == len(service.client.studies()) == 1


@pytest.mark.parametrize("off", [0.9e-6, -0.9e-6])
def test_case_10_weights_that_were_rounded_are_put_on_the_simplex_and_shown_so(
    service: Service, off: float
) -> None:
    answers = asked_for(service, {"web": 0.5, "code": 0.5 + off})
    assert [answer.status_code for answer in answers] == [201, 200, 201, 201]
    shown = [
        service.client.runs("trial")[0]["weights"],
        service.client.versions("run-7b")[-1]["weights"],
        service.client.versions("another")[0]["weights"],
    ]
    for weights in shown:
        assert sum(weights.values()) == pytest.approx(1.0, abs=1e-15)
        assert weights["web"] != 0.5, "what is shown is what holds"


def test_case_10_a_negative_zero_is_zero(service: Service) -> None:
    for answer in asked_for(service, {"web": 1.0, "code": -0.0}):
        assert answer.status_code in {200, 201}, answer.text
    weights = service.client.runs("trial")[0]["weights"]
    held = service.client.versions("run-7b")[-1]["weights"]
    assert json.dumps([weights["code"], held["code"]]) == "[0.0, 0.0]"
