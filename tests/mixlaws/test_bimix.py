"""BiMix: a law of the own share and the tokens, and shares of zero as a regime of their own."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError, UnknownDomainError
from mixlaws.laws.bimix import BiMix, BiMixPredictor
from mixlaws.swarm import Swarm

NAMES = ("a", "b", "c")
DOMAINS = DomainSet(NAMES, (1, 1, 1))
BUDGETS = np.array([1e9, 2e9, 4e9, 8e9])
TRUTH = BiMixPredictor(
    own=np.arange(3),
    alpha=np.array([0.05, 0.12, 0.3]),
    gain=np.array([0.5, 0.8, 0.3]),
    beta=np.array([0.5, 0.3, 0.7]),
    level=np.array([2.0, 1.0, 2.5]),
    at_zero=np.array([1.6, 1.9, 2.5]),
    zero_measured=(True, True, True),
    unit=2e9,
    tokens=8e9,
)


def runs(
    weights: FloatArray, *, noise: float, rng: np.random.Generator, budgets: FloatArray = BUDGETS
) -> Swarm:
    """Every mixture at every budget."""
    values = np.concatenate([TRUTH.at(tokens=budget).predict(weights) for budget in budgets])
    values = values * np.exp(noise * rng.standard_normal(values.shape))
    tokens = np.repeat(budgets, len(weights))
    return Swarm(DOMAINS, NAMES, np.tile(weights, (len(budgets), 1)), values, tokens=tokens)


def some_at_zero(rng: np.random.Generator, count: int = 15) -> FloatArray:
    weights = rng.dirichlet(np.ones(3), size=count)
    weights[: count // 3, 0] = 0.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_the_law_predicts_unseen_mixtures_at_an_unseen_budget(noise: float, rng: np.random.Generator) -> None:
    fitted = BiMix().fit(runs(some_at_zero(rng), noise=noise, rng=rng), rng=rng)
    elsewhere = rng.dirichlet(np.ones(3), size=100)
    for tokens in (1.5e9, 16e9):
        exact = TRUTH.at(tokens=tokens).predict(elsewhere)
        assert np.abs(fitted.at(tokens=tokens).predict(elsewhere) / exact - 1).mean() < 0.001 + 2 * noise
    assert fitted.alpha == pytest.approx(TRUTH.alpha, abs=0.001 + 3 * noise)


def test_a_swarm_of_one_budget_gives_the_power_law_of_the_share(rng: np.random.Generator) -> None:
    swarm = runs(rng.dirichlet(np.ones(3), size=12), noise=0.0, rng=rng, budgets=np.array([4e9]))
    unseen = rng.dirichlet(np.ones(3), size=50)
    for told in (swarm, replace(swarm, tokens=None)):
        fitted = BiMix().fit(told, rng=rng)
        assert fitted.predict(unseen) == pytest.approx(TRUTH.at(tokens=4e9).predict(unseen), rel=1e-9)
        with pytest.raises(InvalidInputError, match="fitted at one budget: give runs of several"):
            fitted.at(tokens=8e9)


def test_runs_at_an_own_share_of_zero_move_no_power_and_are_predicted_at_their_own_level(
    rng: np.random.Generator,
) -> None:
    swarm = runs(some_at_zero(rng), noise=0.002, rng=rng)
    fitted = BiMix().fit(swarm, rng=rng)
    absent = swarm.weights[:, 0] == 0
    jumped = swarm.values.copy()
    jumped[absent, 0] *= 3.0
    higher = BiMix().fit(replace(swarm, values=jumped), rng=rng)
    assert higher.alpha == pytest.approx(fitted.alpha, abs=1e-12)
    without = np.array([[0.0, 0.4, 0.6]])
    assert fitted.predict(without)[0, 0] == pytest.approx(TRUTH.predict(without)[0, 0], rel=0.01)
    assert higher.predict(without)[0, 0] == pytest.approx(3 * fitted.predict(without)[0, 0], rel=1e-9)


def test_a_share_of_zero_that_was_never_measured_is_predicted_as_the_smallest_share_and_marked(
    rng: np.random.Generator,
) -> None:
    weights = 0.1 + 0.7 * rng.dirichlet(np.ones(3), size=12)
    fitted = BiMix().fit(runs(weights, noise=0.0, rng=rng), rng=rng)
    smallest = weights[weights[:, 1].argmin()]
    at_zero = fitted.predict(np.array([[0.5, 0.0, 0.5]]))[0, 1]
    assert fitted.zero_measured == (False, False, False)
    assert at_zero == pytest.approx(fitted.predict(smallest[None, :])[0, 1], rel=1e-9)


def test_the_power_of_the_share_is_never_negative(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(3), size=20)
    rising = Swarm(DOMAINS, ("a",), weights, 2.0 + weights[:, :1])
    for swarm in (rising, replace(rising, tokens=np.resize(BUDGETS, 20))):
        fitted = BiMix().fit(swarm, rng=rng)
        assert fitted.alpha[0] == 0
        assert np.ptp(fitted.predict(weights)) < 1e-9


def test_the_unit_of_the_tokens_does_not_matter(rng: np.random.Generator) -> None:
    # Raw steps or tokens in a power are ill-conditioned unless the fit takes its own unit.
    swarm = runs(rng.dirichlet(np.ones(3), size=12), noise=0.005, rng=rng)
    predicted = BiMix().fit(swarm, rng=rng).predict(swarm.weights)
    tiny = BiMix().fit(replace(swarm, tokens=BUDGETS.repeat(12) * 1e-12), rng=rng)
    assert tiny.predict(swarm.weights) == pytest.approx(predicted, rel=1e-9)


def test_the_level_is_no_floor_since_the_share_multiplies_it(rng: np.random.Generator) -> None:
    fitted = BiMix().fit(runs(rng.dirichlet(np.ones(3), size=12), noise=0.0, rng=rng), rng=rng)
    endless = fitted.at(tokens=1e30).predict(np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]))
    assert endless[0, 0] / endless[1, 0] == pytest.approx(8**0.05, rel=1e-3)


def test_a_target_of_another_name_is_given_its_domain_by_hand(rng: np.random.Generator) -> None:
    swarm = replace(runs(rng.dirichlet(np.ones(3), size=8), noise=0.0, rng=rng), targets=("a", "x", "c"))
    with pytest.raises(InvalidInputError, match=r"target 'x' has no domain of its name.*name that domain"):
        BiMix().fit(swarm, rng=rng)
    assert BiMix(own=(("x", "b"),)).fit(swarm, rng=rng).own.tolist() == [0, 1, 2]
    with pytest.raises(UnknownDomainError, match="unknown domain 'z'"):
        BiMix(own=(("x", "z"),)).fit(swarm, rng=rng)
    with pytest.raises(InvalidInputError, match="unknown target 'y'"):
        BiMix(own=(("y", "b"), ("x", "b"))).fit(swarm, rng=rng)
    with pytest.raises(InvalidInputError, match="target 'x' twice"):
        BiMix(own=(("x", "a"), ("x", "b")))


def test_what_the_law_cannot_describe_is_refused_with_what_to_do(rng: np.random.Generator) -> None:
    swarm = runs(rng.dirichlet(np.ones(3), size=8), noise=0.0, rng=rng)
    with pytest.raises(FitError, match="target 'b' is not positive"):
        BiMix().fit(replace(swarm, values=swarm.values * [1, -1, 1]), rng=rng)
    with pytest.raises(SwarmTooSmallError, match="needs at least 4"):
        BiMix().fit(swarm.take([0, 9, 17]), rng=rng)
    absent = replace(swarm, weights=np.tile([0.0, 0.5, 0.5], (len(swarm), 1)))
    with pytest.raises(SwarmTooSmallError, match=r"0 finished .* positive own share"):
        BiMix().fit(absent, rng=rng)
    fitted = BiMix().fit(swarm, rng=rng)
    with pytest.raises(InvalidInputError, match="no model size"):
        fitted.at(model_parameters=1e9)
    with pytest.raises(InvalidInputError, match="tokens is -1: use a finite value > 0"):
        fitted.at(tokens=-1)
    with pytest.raises(StateError):
        BiMix().load({"schema": 0, "law": "bimix"})


def test_a_dump_keeps_budget_regime_and_slopes(rng: np.random.Generator) -> None:
    fitted = BiMix().fit(runs(some_at_zero(rng), noise=0.01, rng=rng), rng=rng).at(tokens=3e9)
    loaded = BiMix().load(json.loads(json.dumps(fitted.dump())))
    weights, step = np.concatenate([rng.dirichlet(np.ones(3), size=5), [[0.0, 0.5, 0.5]]]), 1e-6
    assert np.array_equal(loaded.predict(weights), fitted.predict(weights))
    assert loaded.zero_measured == (True, False, False)
    exact = loaded.jacobian(weights)
    for j in range(3):
        ahead = weights[:5] + step * np.eye(3)[j]
        numeric = (loaded.predict(ahead) - loaded.predict(weights[:5])) / step
        assert exact[:5, :, j] == pytest.approx(numeric, rel=1e-3, abs=1e-4)
    assert np.all(exact[5, 0] == 0)
