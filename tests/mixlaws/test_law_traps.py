"""What a naive implementation of mixture laws gets wrong, each as a property that must hold."""

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import WeightsError
from mixlaws.laws.exponential import ExponentialForm, ExponentialLaw
from mixlaws.laws.fitting import FittedLaw, Law, floors
from mixlaws.laws.shared_amplitude import SharedAmplitudeForm, SharedAmplitudeLaw
from mixlaws.least_squares import Batch, minimise
from mixlaws.registry import LAWS
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

MIXTURE_LAWS = {name: law for name, law in LAWS.items() if issubclass(law, Law)}
NAMES = ("a", "b", "c", "d")
DOMAINS = DomainSet(NAMES, (1, 1, 1, 1))


def exponential_truth(rng: np.random.Generator) -> FittedLaw:
    parts = [np.full((3, 1), 2.0), rng.uniform(-6, 0.5, (3, 4))]
    return FittedLaw(ExponentialForm(), np.concatenate(parts, axis=1), ridge=0.0)


def test_rows_that_were_rounded_in_a_file_are_scaled_to_sum_1_and_move_a_fit_hardly(
    rng: np.random.Generator,
) -> None:
    truth, exact = exponential_truth(rng), rng.dirichlet(np.ones(4), size=40)
    rounded = exact.round(2)
    with pytest.raises(WeightsError, match="must sum to 1"):
        Swarm(DOMAINS, ("x", "y", "z"), rounded, truth.predict(exact))
    rows = as_weights(rounded, tolerance=2 * FILE_TOLERANCE)
    swarm = Swarm(DOMAINS, ("x", "y", "z"), rows, truth.predict(exact))
    unseen = rng.dirichlet(np.ones(4), size=100)
    error = np.abs(ExponentialLaw().fit(swarm, rng=rng).predict(unseen) - truth.predict(unseen))
    assert error.mean() < 0.01


def test_an_amplitude_is_no_parameter_beside_the_tilts_since_weights_sum_to_1(
    rng: np.random.Generator,
) -> None:
    weights, tilts = rng.dirichlet(np.ones(4), size=30), rng.normal(size=(1, 4))
    one, other = (amplitude * np.exp((tilts - np.log(amplitude)) @ weights.T) for amplitude in (0.1, 10.0))
    assert one == pytest.approx(other, rel=1e-12)
    # In the gauge of the forms a fit without noise is the one truth, parameter by parameter.
    truth = np.array([[1.5, -0.5, -3.0, -7.0, -1.0, -12.0]])
    values, _ = SharedAmplitudeForm().model(weights)(truth)
    swarm = Swarm(DOMAINS, ("x",), weights, values.T)
    fitted = SharedAmplitudeLaw(ridge=0.0).fit(swarm, rng=rng)
    assert fitted.parameters == pytest.approx(truth, abs=1e-2)


@pytest.mark.parametrize("name", sorted(set(MIXTURE_LAWS) - {"log_linear"}))
def test_no_random_start_leads_far_below_the_starts_of_a_law(name: str, rng: np.random.Generator) -> None:
    simulation = Simulation.create(domains=4, rng=rng)
    swarm = simulation.swarm(count=40, noise=0.01, rng=rng).only(["domain-0"])
    form = MIXTURE_LAWS[name]().form
    starts = form.starts(swarm.weights, swarm.values)[:, 0]
    picked = starts[rng.integers(0, len(starts), 100)]
    random = picked + rng.normal(scale=1.0, size=picked.shape)

    def lowest(theta: FloatArray) -> float:
        count = len(theta)
        batch = Batch(
            y=np.tile(swarm.values.T, (count, 1)),
            mask=np.ones((count, len(swarm))),
            scale=np.full(count, swarm.values.std()),
            delta=1.0,
            ridge=np.full(count, 1e-4),
            penalty=form.penalty(4),
            lower=form.lower(4),
        )
        return float(minimise(form.model(swarm.weights), theta, batch)[1].min())

    # Of 1.0 a target's whole variance: half a percent of it is far below its noise.
    assert lowest(starts) <= lowest(random) + 0.005


def test_no_floor_to_start_from_touches_the_smallest_value() -> None:
    for values in ([[2.0], [2.1], [3.0]], [[1e-6], [1.0], [2.0]], [[5.0], [5.0], [5.0]]):
        grid = floors(np.array(values), count=12)
        assert np.all(grid >= 0)
        assert np.all(grid < np.min(values))


def test_without_a_ridge_a_few_runs_of_many_domains_fit_well_and_predict_without_bound() -> None:
    worst = {}
    for ridge in (0.0, 1e-3):
        seen, unseen = [], []
        for seed in range(5):
            rng = np.random.default_rng(seed)
            simulation = Simulation.create(domains=8, rng=rng)
            swarm = simulation.swarm(count=12, noise=0.03, rng=rng)
            fitted = ExponentialLaw(ridge=ridge).fit(swarm, rng=rng)
            elsewhere = rng.dirichlet(np.ones(8), size=200)
            exact = simulation.truth.predict(elsewhere)
            seen.append(np.abs(fitted.predict(swarm.weights) - swarm.values).mean())
            unseen.append(np.abs(fitted.predict(elsewhere) - exact).mean())
        worst[ridge] = max(seen), max(unseen)
    assert worst[0.0][0] < worst[1e-3][0] < 0.03
    assert worst[0.0][1] > 100
    assert worst[1e-3][1] < 0.5
