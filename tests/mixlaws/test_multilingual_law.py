"""The joint law of model size and share: fitted on small models, asked about large ones and unseen shares."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.laws.multilingual import Multilingual, MultilingualPredictor
from mixlaws.swarm import Swarm

NAMES = ("de", "zh")
DOMAINS = DomainSet(NAMES, (1, 1))
SIZES = np.array([2e7, 6e7, 2e8, 6e8])
TRUTH = MultilingualPredictor(
    own=np.arange(2),
    parameters=np.array([[np.log(1.2), 0.35, 0.9, 0.0, 1.0, 1.0], [np.log(0.8), 0.5, 1.3, 0.4, 0.6, 1.2]]),
    at_zero=np.array([4.0, 3.0]),
    zero_measured=(True, True),
    unit=1e8,
    model_parameters=6e8,
)


def runs(shares: FloatArray, *, noise: float, rng: np.random.Generator) -> Swarm:
    """Every share of the first domain at every model size."""
    weights = np.column_stack([shares, 1 - shares])
    values = np.concatenate([TRUTH.at(model_parameters=size).predict(weights) for size in SIZES])
    values = values + noise * rng.standard_normal(values.shape)
    sizes = np.repeat(SIZES, len(weights))
    return Swarm(DOMAINS, NAMES, np.tile(weights, (len(SIZES), 1)), values, model_parameters=sizes)


SHARES = np.array([0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95])
UNSEEN = np.column_stack([np.linspace(0.07, 0.93, 20), 1 - np.linspace(0.07, 0.93, 20)])


@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 0.001), (0.005, 0.015)])
def test_shares_of_small_models_are_worth_the_same_in_a_larger_one(
    noise: float, tolerance: float, rng: np.random.Generator
) -> None:
    fitted = Multilingual().fit(runs(SHARES, noise=noise, rng=rng), rng=rng)
    larger = fitted.at(model_parameters=4e9)
    exact = TRUTH.at(model_parameters=4e9)
    assert np.abs(larger.predict(UNSEEN) - exact.predict(UNSEEN)).mean() < tolerance
    assert larger.effective(UNSEEN) == pytest.approx(exact.effective(UNSEEN), abs=20 * tolerance)


def test_the_mixture_moves_no_irreducible_loss(rng: np.random.Generator) -> None:
    fitted = Multilingual().fit(runs(SHARES, noise=0.0, rng=rng), rng=rng)
    endless = fitted.at(model_parameters=1e40).predict(UNSEEN)
    assert endless == pytest.approx(np.tile([0.9, 1.3], (20, 1)), abs=0.005)


def test_runs_without_a_share_are_left_out_and_predicted_at_their_own_level(rng: np.random.Generator) -> None:
    fitted = Multilingual().fit(runs(SHARES, noise=0.0, rng=rng), rng=rng)
    with_zero = Multilingual().fit(runs(np.append(SHARES, 0.0), noise=0.0, rng=rng), rng=rng)
    assert with_zero.zero_measured == (True, False)
    assert fitted.zero_measured == (False, False)
    assert with_zero.predict(UNSEEN)[:, 0] == pytest.approx(fitted.predict(UNSEEN)[:, 0], abs=1e-3)
    without = np.array([[0.0, 1.0]])
    assert with_zero.predict(without)[0, 0] == pytest.approx(TRUTH.predict(without)[0, 0], abs=0.01)
    smallest = np.array([[0.05, 0.95]])
    assert fitted.predict(without)[0, 0] == pytest.approx(fitted.predict(smallest)[0, 0], abs=1e-9)


def test_what_the_law_cannot_describe_is_refused_with_what_to_do(rng: np.random.Generator) -> None:
    swarm = runs(SHARES, noise=0.0, rng=rng)
    for sizes in (None, np.full(len(swarm), 1e8)):
        with pytest.raises(InvalidInputError, match="at least two model sizes: give model_parameters"):
            Multilingual().fit(replace(swarm, model_parameters=sizes), rng=rng)
    with pytest.raises(SwarmTooSmallError, match="needs at least 6"):
        Multilingual().fit(swarm.take(range(5)), rng=rng)
    with pytest.raises(FitError, match="target 'zh' is negative"):
        Multilingual().fit(replace(swarm, values=swarm.values * [1, -1]), rng=rng)
    with pytest.raises(InvalidInputError, match="target 'fr' has no domain of its name"):
        Multilingual().fit(replace(swarm, targets=("de", "fr")), rng=rng)
    with pytest.raises(InvalidInputError, match="huber_delta is 0"):
        Multilingual(huber_delta=0)
    with pytest.raises(InvalidInputError, match="knows no budget"):
        TRUTH.at(tokens=1e9)
    with pytest.raises(StateError):
        Multilingual().load({"schema": 9, "law": "multilingual"})


def test_a_dump_keeps_values_and_slopes() -> None:
    loaded = Multilingual().load(json.loads(json.dumps(TRUTH.at(model_parameters=3e7).dump())))
    weights, step = np.concatenate([UNSEEN, [[0.0, 1.0]]]), 1e-7
    assert np.array_equal(loaded.predict(weights), TRUTH.at(model_parameters=3e7).predict(weights))
    exact = loaded.jacobian(UNSEEN)
    for j in range(2):
        numeric = (loaded.predict(UNSEEN + step * np.eye(2)[j]) - loaded.predict(UNSEEN)) / step
        assert exact[:, :, j] == pytest.approx(numeric, rel=1e-3, abs=1e-4)
    assert np.all(loaded.jacobian(weights)[-1, 0] == 0)
