"""Fits of data that says little or nothing: a typed refusal, or an answer that promises nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.tasks import SIMULATION, Measured, work_on

METHODS = ("auto", "linear", "exponential", "gaussian_process")
FULL = Measured.simulated(16)


def changed(change: Callable[[Any, Any], None]) -> Measured:
    weights, values = FULL.weights.copy(), FULL.values.copy()
    change(weights, values)
    return Measured(weights / weights.sum(axis=1, keepdims=True), values)


def constant_share(weights: Any, _: Any) -> None:
    weights[:, 1:] *= 0.8 / weights[:, 1:].sum(axis=1, keepdims=True)
    weights[:, 0] = 0.2


def constant_losses(_: Any, values: Any) -> None:
    values[:] = 2.5


def collinear(weights: Any, _: Any) -> None:
    weights[:, 1] = 2 * weights[:, 0]


def duplicates(weights: Any, values: Any) -> None:
    weights[8:], values[8:] = weights[:8], values[:8]


def test_case_42_without_a_run_a_fit_is_refused_with_the_number_that_is_needed(tenant: Service) -> None:
    Measured(FULL.weights[:0], FULL.values[:0]).stored(tenant)
    for method in METHODS:
        refused = tenant.call("POST", "/v1/studies/trial/fits", {"method": method})
        problem_of(refused, 422, "at least 1 is needed", code="insufficient_data")
        assert (refused.json()["got"], refused.json()["needed"]) == (0, 1)
    assert tenant.client.fits("trial") == []


@pytest.mark.parametrize(
    ("measured", "methods"),
    [
        (Measured(FULL.weights[:1], FULL.values[:1]), METHODS),
        (Measured(FULL.weights[:2], FULL.values[:2]), METHODS),  # fewer runs than domains
        (Measured(np.tile(FULL.weights[:1], (16, 1)), FULL.values), METHODS),  # one mixture
        (Measured(FULL.weights[:4], FULL.values[:4]), ("auto",)),
    ],
    ids=["one run", "fewer than domains", "one mixture", "too few for auto"],
)
def test_case_42_too_little_data_fails_with_the_number_that_is_needed(
    tenant: Service, measured: Measured, methods: tuple[str, ...]
) -> None:
    measured.stored(tenant)
    for method in methods:
        failed = work_on(tenant, "fit", tenant.client.create_fit("trial", {"method": method}))
        assert (failed["state"], failed["error_code"]) == ("failed", "insufficient_data"), failed["error"]
        assert "needs at least" in failed["error"]
        assert (failed["tries"], failed["scores"]) == (1, None), "to try it again would not help"
        refused = tenant.call("POST", "/v1/studies/trial/proposals", {"fit_id": failed["id"]})
        problem_of(refused, 409, code="fit_not_done")


@pytest.mark.parametrize("change", [constant_share, constant_losses, collinear, duplicates])
def test_case_42_data_that_cannot_tell_domains_apart_gives_no_nonsense_proposal(
    tenant: Service, change: Callable[[Any, Any], None]
) -> None:
    measured = changed(change)
    measured.stored(tenant)
    # auto takes seconds, and stacks the others.
    for method in METHODS if change is constant_losses else METHODS[1:]:
        fit = work_on(tenant, "fit", tenant.client.create_fit("trial", {"method": method, "folds": 2}))
        if fit["state"] == "failed":
            assert fit["error_code"] in {"insufficient_data", "fit"}, (method, fit["error"])
            continue
        asked = tenant.client.create_proposal("trial", {"fit_id": fit["id"]})
        answer = work_on(tenant, "proposal", asked)
        assert answer["state"] == "done", (method, answer["error"])
        best = answer["proposals"][0]
        weights = SIMULATION.problem.domains.to_array(best["weights"])
        assert weights.sum() == pytest.approx(1.0)
        low, high = measured.weights.min(axis=0), measured.weights.max(axis=0)
        assert np.all((weights >= low - 1e-6) & (weights <= high + 1e-6)), (method, weights)
        predicted = np.array(list(best["predicted"].values()))
        reach = np.ptp(measured.values, axis=0) + 0.1
        assert np.all(predicted >= measured.values.min(axis=0) - reach), (method, predicted)
        if change is constant_losses:
            assert best["gain_over_prior"] == pytest.approx(0.0, abs=1e-6)


def test_case_42_runs_without_a_metric_are_refused_by_name_and_none_of_them_is_stored(
    tenant: Service,
) -> None:
    names = SIMULATION.problem.domains.names
    Measured(FULL.weights[:0], FULL.values[:0]).stored(tenant)
    rows = [
        {
            "name": f"run-{at}",
            "weights": dict(zip(names, map(float, weights), strict=True)),
            "losses": dict(zip(names[: 3 - at % 2], map(float, values), strict=False)),
        }
        for at, (weights, values) in enumerate(zip(FULL.weights, FULL.values, strict=True))
    ]
    refused = tenant.call("POST", "/v1/studies/trial/runs", {"runs": rows})
    problem_of(refused, 422, "runs.1.losses: no value for ['domain-2']")
    assert tenant.client.runs("trial") == []
