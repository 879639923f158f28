"""Moving a mixture by hand: what the page is told beside the predictions of the API."""

from typing import Any

import numpy as np
import pytest

from mixclient import ServiceError
from mixlaws.simulation import Simulation
from tests.support.servers import Service
from tests.support.tasks import Measured, work_on

SIMULATION = Simulation.create(domains=4, rng=np.random.default_rng(3))
MEASURED = Measured.simulated(24, simulation=SIMULATION)
DOMAINS = SIMULATION.problem.domains


def fitted(service: Service, method: str) -> str:
    MEASURED.stored(service)
    done = work_on(service, "fit", service.client.create_fit("trial", {"method": method}))
    assert done["state"] == "done", done["error"]
    return str(done["id"])


def explored(service: Service, fit: str, weights: Any, **more: Any) -> dict[str, Any]:
    body = {"mixture": DOMAINS.to_mapping(np.asarray(weights)), **more}
    told: dict[str, Any] = service.client.call("POST", f"/fits/{fit}/explore", body=body)
    return told


def test_predictions_are_those_of_the_api(tenant: Service) -> None:
    fit = fitted(tenant, "gaussian_process")
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    (said,) = tenant.client.predict(fit, [DOMAINS.to_mapping(weights)])
    told = explored(tenant, fit, weights)
    assert told["prediction"] == said
    assert told == explored(tenant, fit, weights), "the same mixture is told the same twice"


def test_the_interval_of_the_gain_vanishes_at_the_prior_and_that_of_the_objective_does_not(
    tenant: Service,
) -> None:
    fit = fitted(tenant, "gaussian_process")
    at_prior = explored(tenant, fit, SIMULATION.problem.prior)
    assert at_prior["gain_half_width_95"] == pytest.approx(0.0, abs=1e-3)
    assert at_prior["objective_half_width_95"] > 0
    widest = max(at_prior["prediction"]["half_width_95"].values())
    assert at_prior["objective_half_width_95"] <= 1.2 * widest, "a mean is no less sure than its worst part"
    better = min(MEASURED.weights, key=lambda w: explored(tenant, fit, w)["prediction"]["objective"])
    told = explored(tenant, fit, better)
    assert told["prediction"]["gain_over_prior"] > 0
    assert told["probability_better"] > 0.5


def test_a_mean_of_runs_is_no_extrapolation_and_a_corner_beyond_them_is(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    inside = explored(tenant, fit, MEASURED.weights.mean(axis=0))
    assert inside["hull_distance"] == pytest.approx(0.0, abs=1e-3)
    assert not inside["extrapolates"]
    corner = np.eye(4)[int(MEASURED.weights.max(axis=0).argmin())]
    outside = explored(tenant, fit, corner)
    assert outside["hull_distance"] > 0.05
    assert outside["extrapolates"]
    assert outside["objective_half_width_95"] is None, "a line does not know how sure it is"
    assert outside["probability_better"] is None


def test_another_objective_weighs_the_same_predictions(tenant: Service) -> None:
    fit = fitted(tenant, "gaussian_process")
    weights = MEASURED.weights[0]
    usual = explored(tenant, fit, weights)
    first, second, *_ = DOMAINS.names
    told = explored(tenant, fit, weights, objective={first: 3.0, second: 1.0})
    predicted = told["prediction"]["predicted"]
    assert predicted == usual["prediction"]["predicted"]
    assert told["prediction"]["objective"] == pytest.approx(
        0.75 * predicted[first] + 0.25 * predicted[second]
    )
    prior = explored(tenant, fit, SIMULATION.problem.prior)["prediction"]["predicted"]
    gain = 0.75 * (prior[first] - predicted[first]) + 0.25 * (prior[second] - predicted[second])
    assert told["prediction"]["gain_over_prior"] == pytest.approx(gain)
    alone = explored(tenant, fit, weights, objective={first: 1.0})
    assert alone["objective_half_width_95"] == pytest.approx(
        alone["prediction"]["half_width_95"][first], rel=0.1
    )
    with pytest.raises(ServiceError, match="unknown target"):
        explored(tenant, fit, weights, objective={"poetry": 1.0})


def test_it_is_flatter_around_the_optimum_than_on_a_slope(tenant: Service) -> None:
    fit = fitted(tenant, "gaussian_process")
    every = [explored(tenant, fit, weights) for weights in MEASURED.weights]
    ordered = sorted(every, key=lambda told: told["prediction"]["objective"])
    assert all(told["noise"] == every[0]["noise"] > 0 for told in every)
    # From a bad mixture all better ones are "within the noise", however far: only good ones tell a plateau.
    assert ordered[0]["flatness"] < ordered[-1]["flatness"]
    assert 0 <= ordered[0]["flatness"] <= 1


def test_what_is_no_mixture_is_refused(tenant: Service) -> None:
    fit = fitted(tenant, "linear")
    with pytest.raises(ServiceError, match="sum"):
        explored(tenant, fit, [0.4, 0.4, 0.4, 0.4])


def test_a_fit_that_is_not_done_has_a_page_that_says_so(tenant: Service) -> None:
    MEASURED.stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear"})
    with tenant.http(tenant.key) as http:
        page = http.get(f"/fits/{fit['id']}/explore", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "once it is done" in page.text
    assert "range" not in page.text
