"""Responses move one domain alone, and tell the truth of a law that is known."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.responses import along, effects, responses
from mixlaws.simulation import Simulation


@dataclass(frozen=True)
class Slopes:
    """Targets that are linear in the weights."""

    matrix: FloatArray

    def predict(self, weights: FloatArray, /) -> FloatArray:
        return weights @ self.matrix

    def dump(self) -> JsonObject:
        return {}


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_a_line_stays_on_the_simplex_and_keeps_the_others_in_proportion(seed: int, domains: int) -> None:
    rng = np.random.default_rng(seed)
    base, shares = rng.dirichlet(np.ones(domains)), rng.uniform(size=5)
    line = along(base, 0, shares)
    np.testing.assert_allclose(line.sum(axis=1), 1)
    np.testing.assert_allclose(line[:, 0], shares)
    others = base[1:] / base[1:].sum()
    np.testing.assert_allclose(line[:, 1:], (1 - shares)[:, None] * others, atol=1e-12)


def test_effects_of_a_linear_truth_are_its_slopes_against_the_others() -> None:
    rng = np.random.default_rng(0)
    slopes, weights = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(4), size=40)
    base = weights.mean(axis=0)
    found = effects(Slopes(slopes), weights, base)
    spread = np.subtract(*np.quantile(weights, [0.75, 0.25], axis=0))
    for domain in range(4):
        others = np.delete(base, domain) / (1 - base[domain])
        expected = spread[domain] * (slopes[domain] - others @ np.delete(slopes, domain, axis=0))
        np.testing.assert_allclose(found[domain], expected)


def test_a_response_lies_over_the_range_of_the_runs_and_goes_through_the_base() -> None:
    rng = np.random.default_rng(1)
    weights = np.column_stack([np.full(20, 0.2), 0.8 * rng.dirichlet(np.ones(2), size=20)])
    base, coefficients = weights.mean(axis=0), np.array([1.0])
    slopes = Slopes(np.array([[1.0], [2.0], [4.0]]))
    fixed, varied, _ = responses(slopes, weights, base, coefficients)
    assert fixed is None
    assert varied is not None
    assert varied.interval is None
    assert varied.shares[[0, -1]] == pytest.approx([weights[:, 1].min(), weights[:, 1].max()])
    at_base = np.interp(base[1], varied.shares, varied.objective)
    assert at_base == pytest.approx(float(slopes.predict(base[None, :])[0, 0]))


def test_the_interval_of_a_process_holds_most_of_a_truth_that_it_has_not_seen() -> None:
    held = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = Simulation.create(domains=3, rng=rng)
        swarm = truth.swarm(count=24, noise=0.01, rng=rng)
        fitted = GaussianProcess().fit(swarm, rng=rng)
        base, coefficients = swarm.weights.mean(axis=0), np.full(len(swarm.targets), 1 / len(swarm.targets))
        for domain, line in enumerate(responses(fitted, swarm.weights, base, coefficients)):
            assert line is not None
            assert line.interval is not None
            mixtures = along(base, domain, line.shares)
            real = truth.measure(mixtures, noise=0.0, rng=rng).values @ coefficients
            held.append((real >= line.interval[0]) & (real <= line.interval[1]))
    assert np.mean(held) > 0.6  # 80 % are wanted; points of a line stand or fall together
