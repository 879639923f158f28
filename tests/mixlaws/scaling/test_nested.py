"""The nested law: small models on a few mixtures tell of mixtures never run, at scales never run."""

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError
from mixlaws.estimator import DifferentiablePredictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.nested import NestedLaw

DOMAINS = DomainSet(("a", "b", "c"), (3, 2, 1))
TILT = np.array([[-1.5, 0.1, 0.2], [0.3, -2.0, 0.0], [0.1, 0.2, -1.0]])
LARGE = {"model_parameters": 1e9, "tokens": 1e11}
LARGE_SCALE = {"parameters": 1e9, "tokens": 1e11}
SEEN = np.random.default_rng(1).dirichlet(np.ones(3), size=14)
UNSEEN = np.random.default_rng(2).dirichlet(np.ones(3), size=40)


def truth(weights: FloatArray, parameters: float, tokens: float) -> FloatArray:
    """(n, 3) losses: an exponential law at every scale, whose height falls with size and tokens."""
    level = 0.5 + 2.0 * (parameters / 1e7) ** -0.2 + 1.5 * (tokens / 1e9) ** -0.4
    return np.asarray(1.0 + 0.4 * level * np.exp(weights @ TILT.T))


def curves(
    weights: FloatArray, *, sizes: tuple[float, ...] = (1e7, 4e7, 1.5e8), noise: float = 0.0
) -> LossCurves:
    scales = [(n, d) for n in sizes for d in np.geomspace(1e9, 1e10, 6)]
    values = np.concatenate([truth(weights, n, d) for n, d in scales])
    values = values + noise * np.random.default_rng(0).standard_normal(values.shape)
    m = len(weights)
    return LossCurves(
        DOMAINS,
        DOMAINS.names,
        np.tile(weights, (len(scales), 1)),
        values,
        model_parameters=np.repeat([n for n, _ in scales], m),
        tokens=np.repeat([d for _, d in scales], m),
        runs=np.concatenate([np.arange(m) + 1000 * sizes.index(n) for n, _ in scales]),
    )


def test_unseen_mixtures_are_predicted_at_a_scale_never_run() -> None:
    fitted = NestedLaw().fit(curves(SEEN, noise=0.002), rng=np.random.default_rng(0))
    expected = truth(UNSEEN, **LARGE_SCALE)
    error = np.abs(fitted.at(**LARGE).predict(UNSEEN) - expected)
    spread = np.abs(expected - expected.mean(axis=0))
    assert error.mean() < 0.1 * spread.mean()


def test_without_noise_only_the_mixing_law_and_its_ridge_err() -> None:
    nested = NestedLaw(law=ExponentialLaw(ridge=1e-6))
    fitted = nested.fit(curves(SEEN), rng=np.random.default_rng(0))
    assert fitted.table(**LARGE).predict(SEEN) == pytest.approx(truth(SEEN, **LARGE_SCALE), abs=1e-4)
    assert fitted.at(**LARGE).predict(UNSEEN) == pytest.approx(truth(UNSEEN, **LARGE_SCALE), abs=1e-2)


def test_every_prediction_says_for_which_scale_it_holds() -> None:
    at = NestedLaw().fit(curves(SEEN), rng=np.random.default_rng(0)).at(**LARGE)
    assert (at.model_parameters, at.tokens) == (1e9, 1e11)
    assert {key: at.dump()[key] for key in LARGE} == LARGE


def test_its_predictor_serves_a_proposer_like_any_other() -> None:
    at = NestedLaw().fit(curves(SEEN), rng=np.random.default_rng(0)).at(**LARGE)
    assert isinstance(at, DifferentiablePredictor)
    slope = at.jacobian(UNSEEN[:1])[0]
    step = 1e-6 * np.array([1.0, -1.0, 0.0])
    secant = (at.predict(UNSEEN[:1] + step) - at.predict(UNSEEN[:1] - step))[0] / 2
    assert slope @ step == pytest.approx(secant, abs=1e-10)
    problem = MixtureProblem.create(DOMAINS)
    best = ConvexProposer(kl=0.0).propose(at, problem, count=1, rng=np.random.default_rng(0))[0].weights
    reached = truth(best[None], **LARGE_SCALE).mean()
    assert reached < truth(problem.prior[None], **LARGE_SCALE).mean()
    assert reached < truth(UNSEEN, **LARGE_SCALE).mean(axis=1).min() + 0.01


def test_a_mixing_law_without_slopes_claims_none() -> None:
    at = NestedLaw(law=LightGbm()).fit(curves(SEEN), rng=np.random.default_rng(0)).at(**LARGE)
    assert not isinstance(at, DifferentiablePredictor)
    assert np.all(np.isfinite(at.predict(UNSEEN)))


def test_one_model_size_tells_of_other_tokens_and_of_no_other_size() -> None:
    fitted = NestedLaw().fit(curves(SEEN, sizes=(4e7,)), rng=np.random.default_rng(0))
    at = fitted.at(model_parameters=4e7, tokens=1e11)
    assert at.predict(UNSEEN) == pytest.approx(truth(UNSEEN, 4e7, 1e11), abs=0.03)
    with pytest.raises(CurveTooShortError, match="1 model size; another model size needs at least 2"):
        fitted.at(**LARGE)


def test_repeats_of_a_mixture_are_one_curve() -> None:
    once, noisy = curves(SEEN), curves(SEEN, noise=0.01)
    both = LossCurves(
        DOMAINS,
        DOMAINS.names,
        np.concatenate([once.weights, noisy.weights]),
        np.concatenate([once.values, noisy.values]),
        np.concatenate([once.model_parameters, noisy.model_parameters]),
        np.concatenate([once.tokens, noisy.tokens]),
        np.concatenate([once.runs, noisy.runs + 10_000]),
    )
    table = NestedLaw().fit(both, rng=np.random.default_rng(0)).table(**LARGE)
    assert len(table.weights) == len(SEEN)
