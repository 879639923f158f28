"""What every registered method must do, whatever it is. A new registry line is tested here at once."""

import dataclasses
import json
import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, StateError, UnknownMethodError
from mixlaws.estimator import Predictor, RescalablePredictor, ScaledPredictor
from mixlaws.problem import MixtureProblem
from mixlaws.registry import DESIGNS, ESTIMATORS, POLICIES, PROPOSERS, SAMPLING, SCALING, method
from mixlaws.sampling.rule import Statistics
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.simulation import simulated_curves
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from tests.support.proposing import predictor_for

SIMULATION = Simulation.create(domains=4, rng=np.random.default_rng(0))
ALL = {**DESIGNS, **ESTIMATORS, **PROPOSERS, **POLICIES, **SAMPLING, **SCALING}


@pytest.fixture(scope="module")
def swarm() -> Swarm:
    """Own-domain targets, one budget and two model sizes, so that laws of any of them find what they need."""
    made = SIMULATION.swarm(count=30, noise=0.01, rng=np.random.default_rng(1))
    return dataclasses.replace(made, tokens=np.full(30, 1e8), model_parameters=np.resize([1e6, 4e6], 30))


@pytest.mark.parametrize("name", sorted(ALL))
def test_hyperparameters_are_a_frozen_dataclass_with_defaults(name: str) -> None:
    made = ALL[name]()
    assert dataclasses.is_dataclass(made)
    assert made == ALL[name]()
    for field in dataclasses.fields(made):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, field.name, None)


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_module_says_what_it_is(name: str) -> None:
    module = sys.modules[ALL[name].__module__]
    assert module.__doc__
    assert len(module.__doc__) > 60
    assert ALL[name].__doc__


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownMethodError, match="did you mean 'odm'"):
        method("policy", POLICIES, "odn")


@pytest.fixture(scope="module")
def runs_for(swarm: Swarm) -> Callable[[str], Swarm]:
    """What a method is fitted to: all runs, and few of them for the stack of all methods."""
    return lambda name: swarm.take(np.arange(20)) if name == "auto" else swarm


@pytest.fixture(scope="module")
def fitted(runs_for: Callable[[str], Swarm]) -> Callable[[str], Predictor]:
    """A fit of every method to its runs, made once: fits are immutable, and no test needs one of its own."""
    return cache(lambda name: ESTIMATORS[name]().fit(runs_for(name), rng=np.random.default_rng(3)))


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_predictor_survives_json_and_one_seed_gives_one_fit(
    name: str, runs_for: Callable[[str], Swarm], fitted: Callable[[str], Predictor]
) -> None:
    estimator, swarm = ESTIMATORS[name](), runs_for(name)
    first, again = fitted(name), estimator.fit(swarm, rng=np.random.default_rng(3))
    predicted = first.predict(swarm.weights)
    assert predicted.shape == swarm.values.shape
    assert np.array_equal(predicted, again.predict(swarm.weights))
    loaded = estimator.load(json.loads(json.dumps(first.dump())))
    assert loaded.predict(swarm.weights) == pytest.approx(predicted, abs=1e-12)
    assert first.dump()["schema"] >= 1
    with pytest.raises(StateError):
        estimator.load({})


@pytest.mark.parametrize("name", ["bimix", "effective_transfer", "multi_scale", "multilingual"])
def test_a_law_that_knows_a_scale_stays_where_it_is_unless_told_and_refuses_nonsense(
    name: str, swarm: Swarm, fitted: Callable[[str], Predictor]
) -> None:
    law = fitted(name)
    assert isinstance(law, RescalablePredictor)
    assert np.array_equal(law.at().predict(swarm.weights), law.predict(swarm.weights))
    for scale in ({"tokens": np.nan}, {"model_parameters": 0.0}):
        with pytest.raises(InvalidInputError):
            law.at(**scale)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_the_order_of_domains_and_runs_does_not_matter(
    name: str, runs_for: Callable[[str], Swarm], fitted: Callable[[str], Predictor]
) -> None:
    swarm = runs_for(name)
    order = np.random.default_rng(0).permutation(len(swarm.domains))
    turned = Swarm(
        DomainSet(
            tuple(swarm.domains.names[j] for j in order), tuple(swarm.domains.tokens[j] for j in order)
        ),
        swarm.targets,
        swarm.weights[:, order],
        swarm.values,
        model_parameters=swarm.model_parameters,
        tokens=swarm.tokens,
    )
    straight = fitted(name).predict(swarm.weights)
    other = ESTIMATORS[name]().fit(turned, rng=np.random.default_rng(3)).predict(turned.weights)
    # Ties in trees and stopping points of searches may fall differently.
    assert np.abs(other - straight).mean() < 0.1 * swarm.values.std()


@pytest.fixture(scope="module")
def curves() -> LossCurves:
    return simulated_curves(SIMULATION.swarm(count=8, noise=0.0, rng=np.random.default_rng(6)).weights)


@pytest.fixture(scope="module")
def scaled(curves: LossCurves) -> Callable[[str], ScaledPredictor]:
    """A fit of every scaling law, made once."""
    return cache(lambda name: SCALING[name]().fit(curves, rng=np.random.default_rng(3)))


@pytest.mark.parametrize("name", sorted(SCALING))
def test_a_scaling_law_survives_json_and_tells_the_scale_of_a_prediction(
    name: str, curves: LossCurves, scaled: Callable[[str], ScaledPredictor]
) -> None:
    law = SCALING[name]()
    first, again = scaled(name), law.fit(curves, rng=np.random.default_rng(3))
    scale = {"model_parameters": float(curves.model_parameters[0]), "tokens": float(curves.tokens.max())}
    at = first.at(**scale)
    rows = (curves.model_parameters == scale["model_parameters"]) & (curves.tokens == scale["tokens"])
    mixtures = curves.take(rows)
    predicted = at.predict(mixtures.weights)
    assert predicted.shape == mixtures.values.shape
    assert np.abs(predicted - mixtures.values).max() < 0.1 * mixtures.values.max()
    assert np.array_equal(predicted, again.at(**scale).predict(mixtures.weights))
    loaded = law.load(json.loads(json.dumps(first.dump())))
    assert loaded.at(**scale).predict(mixtures.weights) == pytest.approx(predicted, abs=1e-12)
    assert {key: at.dump()[key] for key in scale} == scale
    with pytest.raises(StateError):
        law.load({})


@pytest.mark.parametrize("name", sorted(SCALING))
def test_a_scaling_law_does_not_care_in_which_order_it_is_told(
    name: str, curves: LossCurves, scaled: Callable[[str], ScaledPredictor]
) -> None:
    turned = curves.take(np.random.default_rng(0).permutation(len(curves)))
    scale = {"model_parameters": float(curves.model_parameters[0]), "tokens": float(curves.tokens.max())}
    straight, other = (
        law.at(**scale).predict(curves.weights)
        for law in (scaled(name), SCALING[name]().fit(turned, rng=np.random.default_rng(3)))
    )
    assert other == pytest.approx(straight, abs=1e-4)


@pytest.mark.parametrize("name", sorted(SCALING))
@pytest.mark.parametrize("scale", [(0.0, 1e9), (1e7, np.nan), (-1.0, 1e9)])
def test_a_scaling_law_refuses_a_scale_that_is_none(
    name: str, scale: tuple[float, float], scaled: Callable[[str], ScaledPredictor]
) -> None:
    with pytest.raises(InvalidInputError, match="use a finite value > 0"):
        scaled(name).at(model_parameters=scale[0], tokens=scale[1])


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_a_design_stays_within_bounds_and_caps(name: str) -> None:
    domains = DomainSet(tuple("abcde"), (5, 4, 3, 2, 1))
    problem = MixtureProblem.create(
        domains, lower={"e": 0.01}, upper={"a": 0.6}, final_tokens=10, max_epochs=dict.fromkeys("abcde", 3.0)
    )
    mixtures = DESIGNS[name]().design(problem, count=40, rng=np.random.default_rng(0))
    assert mixtures.shape == (40, 5)
    assert np.abs(mixtures.sum(axis=1) - 1).max() < 1e-9
    assert np.all((mixtures >= problem.lower - 1e-9) & (mixtures <= problem.caps + 1e-9))


def statistics(d: int, *, order: np.ndarray | None = None) -> Statistics:
    rng = np.random.default_rng(0)
    turn = np.arange(d) if order is None else order
    conditional, unigram = rng.uniform(3, 6, d), rng.uniform(6, 8, d)
    return Statistics(
        unigram_entropy=unigram[turn],
        joint_entropy=(unigram + conditional)[turn],
        conditional_entropy=conditional[turn],
        von_neumann_entropy=rng.uniform(1, 3, d)[turn],
        embeddings=rng.normal(size=(d, 16))[turn],
        utilities=rng.random((d, 3))[turn],
        log_probabilities=rng.normal(-200, 10, (40, d))[:, turn],
        lengths=rng.integers(50, 90, 40).astype(np.float64),
    )


@pytest.mark.parametrize("name", sorted(SAMPLING))
def test_a_sampling_rule_stays_within_bounds_and_caps_however_domains_are_numbered(name: str) -> None:
    order = np.array([3, 0, 4, 1, 2])
    weights = []
    for turn in (np.arange(5), order):
        names, tokens = (np.array(values)[turn] for values in (list("abcde"), [5, 4, 3, 2, 1]))
        problem = MixtureProblem.create(
            DomainSet(tuple(names.tolist()), tuple(tokens.tolist())),
            lower={"e": 0.01},
            upper={"a": 0.3},
            final_tokens=10,
            max_epochs=dict.fromkeys("abcde", 3.0),
        )
        mixture = SAMPLING[name]().mixture(problem, statistics(5, order=turn))
        assert abs(mixture.sum() - 1) <= 1e-9
        assert np.all((mixture >= problem.lower - 1e-12) & (mixture <= problem.caps + 1e-12))
        weights.append(mixture)
    assert weights[1] == pytest.approx(weights[0][order], abs=1e-6)


@pytest.mark.parametrize("name", sorted(SAMPLING))
def test_a_sampling_rule_says_what_it_needs(name: str) -> None:
    rule = SAMPLING[name]()
    problem = MixtureProblem.create(DomainSet(("a", "b"), (5, 4)), final_tokens=10)
    if rule.needs:
        with pytest.raises(InvalidInputError, match=f"needs ({'|'.join(rule.needs)})"):
            rule.mixture(problem)
    else:
        assert rule.mixture(problem).sum() == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(PROPOSERS))
def test_a_proposer_gives_what_is_asked_for_within_bounds(name: str) -> None:
    # With five domains the worst case has a flat optimum, and takes most of the time of this whole file.
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    problem = simulation.problem
    predictor = predictor_for(name, simulation, seed=1)
    first, again = (
        PROPOSERS[name]().propose(predictor, problem, count=3, rng=np.random.default_rng(4)) for _ in range(2)
    )
    assert len(first) == 3
    for proposal, repeat in zip(first, again, strict=True):
        assert np.array_equal(proposal.weights, repeat.weights)
        assert abs(proposal.weights.sum() - 1) <= 1e-9
        assert np.all((proposal.weights >= problem.lower) & (proposal.weights <= problem.caps + 1e-12))
