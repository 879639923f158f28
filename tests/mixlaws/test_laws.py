"""Laws recover what they describe, on mixtures that were not fitted, and at shares of zero."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.designs.sobol import SobolDesign
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, SwarmTooSmallError
from mixlaws.laws.additive import AdditiveForm, AdditiveLaw
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.fitting import RIDGES, FittedLaw, Law
from mixlaws.laws.shared_amplitude import SharedAmplitudeForm, SharedAmplitudeLaw
from mixlaws.laws.transfer import TransferForm, TransferLaw
from mixlaws.registry import LAWS
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

# Laws of the mixture alone; those of own shares, tokens or sizes have tests of their own.
MIXTURE_LAWS = {name: law for name, law in LAWS.items() if issubclass(law, Law)}
DOMAINS = DomainSet(("a", "b", "c", "d"), (1, 1, 1, 1))


def additive(rng: np.random.Generator) -> FittedLaw:
    parts = [np.full((3, 1), 1.5), rng.uniform(-1, 0.5, (3, 4)), -rng.uniform(2, 20, (3, 4))]
    return FittedLaw(AdditiveForm(), np.concatenate(parts, axis=1), ridge=0.0)


def transfer(rng: np.random.Generator) -> FittedLaw:
    parts = [np.full((3, 1), 0.2), np.log(rng.uniform(0.02, 0.3, (3, 4))), rng.uniform(0.02, 0.4, (3, 4))]
    return FittedLaw(TransferForm(), np.concatenate(parts, axis=1), ridge=0.0)


def shared_amplitude(rng: np.random.Generator) -> FittedLaw:
    parts = [np.full((3, 1), 1.5), rng.uniform(-1.5, 0, (3, 1)), -rng.uniform(2, 20, (3, 4))]
    return FittedLaw(SharedAmplitudeForm(), np.concatenate(parts, axis=1), ridge=0.0)


def measured(truth: FittedLaw, weights: FloatArray, *, noise: float, rng: np.random.Generator) -> Swarm:
    values = truth.predict(weights)
    return Swarm(DOMAINS, ("x", "y", "z"), weights, values + noise * rng.standard_normal(values.shape))


@pytest.mark.parametrize(
    ("truth", "law"),
    [
        (additive, AdditiveLaw()),
        (shared_amplitude, SharedAmplitudeLaw()),
        (transfer, TransferLaw()),
    ],
)
@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 0.003), (0.01, 0.012)])
def test_a_law_predicts_its_own_truth_where_it_was_not_measured(
    truth: object, law: Law, noise: float, tolerance: float, rng: np.random.Generator
) -> None:
    exact = truth(rng)  # type: ignore[operator]
    swarm = measured(exact, rng.dirichlet(np.ones(4), size=60), noise=noise, rng=rng)
    elsewhere = rng.dirichlet(np.ones(4), size=200)
    error = law.fit(swarm, rng=rng).predict(elsewhere) - exact.predict(elsewhere)
    assert np.sqrt((error**2).mean()) < tolerance
    assert tolerance < 0.1 * swarm.values.std()


def test_a_spike_at_zero_is_followed_by_laws_of_several_responses_and_not_by_one(
    rng: np.random.Generator,
) -> None:
    # Half of the mixtures leave a domain out altogether.
    weights = rng.dirichlet(np.ones(4), size=60)
    weights[np.arange(30), rng.integers(0, 4, 30)] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    truth = transfer(rng)
    swarm = measured(truth, weights, noise=0.005, rng=rng)
    corners = np.eye(4)[rng.integers(0, 4, 40)] * 0.5 + rng.dirichlet(np.ones(3), 40) @ np.eye(3, 4) * 0.5
    errors = {
        name: np.abs(law().fit(swarm, rng=rng).predict(corners) - truth.predict(corners)).mean()
        for name, law in (
            ("one", ExponentialLaw), ("additive", AdditiveLaw), ("transfer", TransferLaw),
        )
    }  # fmt: skip
    assert errors["transfer"] < 0.5 * errors["one"]
    assert errors["additive"] < 0.5 * errors["one"]


@pytest.mark.parametrize("name", sorted(MIXTURE_LAWS))
def test_a_law_that_is_asked_of_too_few_runs_says_how_many_it_needs(
    name: str, rng: np.random.Generator
) -> None:
    needed = MIXTURE_LAWS[name]().form.size(4)
    swarm = measured(additive(rng), rng.dirichlet(np.ones(4), size=needed), noise=0.01, rng=rng)
    MIXTURE_LAWS[name]().fit(swarm, rng=rng)
    with pytest.raises(SwarmTooSmallError, match=f"needs at least {needed}"):
        MIXTURE_LAWS[name]().fit(swarm.take(range(needed - 1)), rng=rng)


@pytest.mark.parametrize("name", sorted(MIXTURE_LAWS))
def test_a_constant_target_is_predicted_as_that_constant(name: str, rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(4), size=30)
    swarm = Swarm(DOMAINS, ("x",), weights, np.full((30, 1), 2.5))
    predicted = MIXTURE_LAWS[name]().fit(swarm, rng=rng).predict(rng.dirichlet(np.ones(4), size=50))
    assert predicted == pytest.approx(np.full((50, 1), 2.5), abs=1e-3)


@pytest.mark.parametrize("name", sorted(MIXTURE_LAWS))
def test_a_negative_target_is_refused_by_name_and_not_fitted_badly(
    name: str, rng: np.random.Generator
) -> None:
    swarm = Simulation.create(domains=3, rng=rng).swarm(count=24, noise=0.01, rng=rng)
    turned = replace(swarm, values=swarm.values * [1, -1, 1])
    with pytest.raises(FitError, match=f"target {swarm.targets[1]!r} has the value -"):
        MIXTURE_LAWS[name]().fit(turned, rng=rng)


def test_repeats_of_a_mixture_do_not_talk_a_law_out_of_its_ridge() -> None:
    rng = np.random.default_rng(2)
    simulation = Simulation.create(domains=5, rng=rng)
    weights = SobolDesign().design(simulation.problem, count=10, rng=rng)
    swarm = simulation.measure(np.repeat(weights, 3, axis=0), noise=0.01, rng=rng)
    # A repeat tells the value of its twin, so that the weakest ridge always wins where they are parted.
    assert ExponentialLaw().fit(swarm, rng=rng).ridge > min(RIDGES)
