"""Asking a finished fit about mixtures, while the caller waits."""

import time
from typing import Any

import numpy as np
import pytest

from mixclient import ConflictError, ServiceError
from mixlaws.simulation import Simulation
from service.fits.prediction import Predictors
from service.models import Fit, TaskState
from tests.support.servers import Service
from tests.support.tasks import Measured, work_on

SIMULATION = Simulation.create(domains=4, rng=np.random.default_rng(3))
MEASURED = Measured.simulated(24, simulation=SIMULATION)
NAMES = SIMULATION.problem.domains.names
UNIFORM = dict.fromkeys(NAMES, 0.25)


def fitted(service: Service, method: str, **body: Any) -> str:
    """A finished fit of a study whose truth is known."""
    MEASURED.stored(service)
    asked = service.client.create_fit("trial", {"method": method, **body})
    done = work_on(service, "fit", asked)
    assert done["state"] == "done", done["error"]
    return str(done["id"])


def test_predictions_follow_the_truth_in_the_order_of_the_request(tenant: Service) -> None:
    fit = fitted(tenant, "gaussian_process")
    domains, problem = SIMULATION.problem.domains, SIMULATION.problem
    asked = np.random.default_rng(1).dirichlet(np.full(4, 3.0), size=50)
    told = tenant.client.predict(fit, [domains.to_mapping(row) for row in asked])
    predicted = np.array([[row["predicted"][name] for name in NAMES] for row in told])
    assert np.abs(predicted - SIMULATION.truth.predict(asked)).mean() < 0.05  # nats
    assert all(0 < deviation < 0.5 for row in told for deviation in row["deviation"].values())
    objective = np.array([row["objective"] for row in told])
    assert objective == pytest.approx(predicted @ problem.prior)  # the default objective
    gains = np.array([row["gain_over_prior"] for row in told])
    (natural,) = tenant.client.predict(fit, [domains.to_mapping(problem.prior)])
    assert natural["gain_over_prior"] == pytest.approx(0.0, abs=1e-12)
    assert gains == pytest.approx(natural["objective"] - objective)


def test_ten_thousand_mixtures_are_answered_at_once_and_one_more_is_refused(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    tenant.client.predict(fit, [UNIFORM])
    started = time.monotonic()
    told = tenant.client.predict(fit, [UNIFORM] * 10_000)
    assert time.monotonic() - started < 5
    assert len(told) == 10_000
    assert told[0] == told[-1]
    assert told[0]["deviation"] is None  # a line does not know how sure it is
    with pytest.raises(ServiceError, match="mixtures"):
        tenant.client.predict(fit, [UNIFORM] * 10_001)


def test_what_is_no_mixture_is_refused_by_its_number(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    first, second, *_ = NAMES
    for broken, message in (
        ({**UNIFORM, first: 0.251}, r"mixtures\.1: weights sum to 1\.001"),
        ({name: 0.25 for name in NAMES if name != first}, rf"mixtures\.1: no value for '{first}'"),
        ({**UNIFORM, "poetry": 0.0}, r"mixtures\.1: unknown domain 'poetry'"),
        ({**UNIFORM, first: -0.25, second: 0.75}, r"mixtures\.1"),
    ):
        with pytest.raises(ServiceError, match=message) as refused:
            tenant.client.predict(fit, [UNIFORM, broken])
        assert refused.value.status == 422
    rounded = {**UNIFORM, first: 0.25 + 9e-7}
    assert tenant.client.predict(fit, [rounded])


def test_a_scale_is_refused_by_a_method_that_knows_none(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    for at, message in (
        ({"tokens": 10**9}, "linear predicts the scale that it was fitted at alone: .* such as bimix"),
        ({}, "at names no scale"),
        ({"tokens": 0}, "greater than or equal to 1"),
    ):
        with pytest.raises(ServiceError, match=message) as refused:
            tenant.client.predict(fit, [UNIFORM], at=at)
        assert refused.value.status == 422


def test_a_fit_that_is_not_done_says_so_and_its_predictor_is_not_kept_over_a_new_result(
    tenant: Service,
) -> None:
    fit = fitted(tenant, "linear")
    kept = Predictors()
    with tenant.database.session() as session:
        row = session.get_one(Fit, fit)
        first = kept.of(row)
        assert kept.of(row) is first
        row.state = TaskState.FAILED
    with pytest.raises(ConflictError, match="is failed: wait until it is done") as refused:
        tenant.client.predict(fit, [UNIFORM])
    assert refused.value.code == "fit_not_done"
    again = fitted(tenant, "linear")  # queued anew, and done with the very identifier
    assert again == fit
    with tenant.database.session() as session:
        assert kept.of(session.get_one(Fit, fit)) is not first
    assert tenant.client.predict(fit, [UNIFORM])


def test_only_the_predictors_that_were_asked_last_are_kept(tenant: Service) -> None:
    fits = [fitted(tenant, "linear", seed=seed) for seed in range(3)]
    kept = Predictors(most=2)
    with tenant.database.session() as session:
        rows = [session.get_one(Fit, fit) for fit in fits]
        first = kept.of(rows[0])
        second = kept.of(rows[1])
        assert kept.of(rows[0]) is first
        kept.of(rows[2])  # pushes out the second, which was asked longest ago
        assert kept.of(rows[0]) is first
        assert kept.of(rows[1]) is not second


def test_a_stored_predictor_of_another_version_is_a_conflict(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    with tenant.database.session() as session:
        row = session.get_one(Fit, fit)
        assert row.result is not None
        row.result = {**row.result, "predictor": {**row.result["predictor"], "schema": 0}}
    with pytest.raises(ConflictError, match="stored by another version"):
        tenant.client.predict(fit, [UNIFORM])
