"""Targets that mix hidden domains: what several components buy, and what the simplex lets be known."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.implicit import ImplicitForm, ImplicitLaw
from mixlaws.laws.log_linear import LogLinearLaw
from mixlaws.swarm import Swarm

DOMAINS = DomainSet(("a", "b", "c", "d"), (1, 1, 1, 1))


def hidden_mixture(*, count: int, noise: float, rng: np.random.Generator) -> tuple[Swarm, Swarm]:
    """Runs with noise and unseen ones without, of a target of three exponentials in the shares .5, .3, .2."""
    tilts = np.array([[-9.0, 0.2, 0.1, -0.3], [0.1, -12.0, -0.2, 0.3], [-0.2, 0.1, -15.0, -0.5]])

    def runs(n: int, deviation: float) -> Swarm:
        weights = rng.dirichlet(np.ones(4), size=n)
        values = 2.0 + np.exp(weights @ tilts.T) @ np.array([[0.5], [0.3], [0.2]])
        return Swarm(DOMAINS, ("broad",), weights, values + deviation * rng.standard_normal(values.shape))

    return runs(count, noise), runs(200, 0.0)


@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_a_hidden_mixture_of_exponentials_is_predicted_better_by_several_than_by_one(
    noise: float, rng: np.random.Generator
) -> None:
    swarm, unseen = hidden_mixture(count=60, noise=noise, rng=rng)
    several, one = (
        np.abs(law.fit(swarm, rng=rng).predict(unseen.weights) - unseen.values).mean()
        for law in (ImplicitLaw(), ExponentialLaw())
    )
    assert several < 0.3 * one


def test_shares_within_the_exponent_change_no_prediction_on_the_simplex(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(4), size=20)
    tilts, shares = rng.normal(size=(3, 4)), np.array([0.2, 0.5, 0.3])
    absorbed = np.concatenate([[[1.5]], (tilts + np.log(shares)[:, None]).reshape(1, -1)], axis=1)
    values, _ = ImplicitForm(3).model(weights)(absorbed)
    assert values[0] == pytest.approx(1.5 + np.exp(weights @ tilts.T) @ shares, rel=1e-12)


def test_one_component_is_the_exponential_law(rng: np.random.Generator) -> None:
    swarm, unseen = hidden_mixture(count=40, noise=0.01, rng=rng)
    one, exponential = (
        law.fit(swarm, rng=rng).predict(unseen.weights)
        for law in (ImplicitLaw(components=1, ridge=0.0), ExponentialLaw(ridge=0.0))
    )
    assert one == pytest.approx(exponential, abs=1e-3)


def test_a_fit_with_any_number_of_components_loads_without_being_told_it(rng: np.random.Generator) -> None:
    swarm, unseen = hidden_mixture(count=40, noise=0.01, rng=rng)
    fitted = ImplicitLaw(components=2, ridge=1e-3).fit(swarm, rng=rng)
    assert np.array_equal(
        ImplicitLaw().load(fitted.dump()).predict(unseen.weights), fitted.predict(unseen.weights)
    )


def test_no_components_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="components is 0: use at least 1"):
        ImplicitLaw(components=0)


def test_log_linear_is_the_exponential_law_under_published_settings(rng: np.random.Generator) -> None:
    swarm, unseen = hidden_mixture(count=40, noise=0.005, rng=rng)
    spelt_out = ExponentialLaw(ridge=0.0, huber_delta=0.02, raw_residuals=True).fit(swarm, rng=rng)
    assert np.array_equal(
        LogLinearLaw().fit(swarm, rng=rng).predict(unseen.weights), spelt_out.predict(unseen.weights)
    )


def test_a_raw_huber_threshold_depends_on_the_unit_of_the_target_and_a_relative_one_does_not(
    rng: np.random.Generator,
) -> None:
    swarm, unseen = hidden_mixture(count=40, noise=0.01, rng=rng)
    outlier = swarm.values.copy()
    outlier[0] += 0.5
    swarm = replace(swarm, values=outlier)
    larger = replace(swarm, values=100 * outlier)
    moved = {
        law: np.abs(
            law.fit(larger, rng=rng).predict(unseen.weights) / 100
            - law.fit(swarm, rng=rng).predict(unseen.weights)
        ).max()
        for law in (ExponentialLaw(ridge=1e-3), LogLinearLaw())
    }
    assert moved[ExponentialLaw(ridge=1e-3)] < 1e-3
    assert moved[LogLinearLaw()] > 3e-3
