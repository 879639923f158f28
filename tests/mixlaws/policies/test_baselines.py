"""Mixtures that are chosen before training, and schedules by hand."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError, UnknownDomainError, WeightsError
from mixlaws.policies.handwritten import Handwritten, PlannedStage
from mixlaws.policies.natural import NaturalPolicy
from mixlaws.policies.stratified import Stratified
from mixlaws.policies.temperature import TemperaturePolicy
from mixlaws.policies.unimax import UniMaxPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.temperature import Temperature
from mixlaws.sampling.unimax import UniMax

DOMAINS = DomainSet(("a", "b", "c"), (600, 300, 100))
PROBLEM = MixtureProblem.create(DOMAINS, prior={"a": 0.2, "b": 0.3, "c": 0.5})


def test_natural_follows_tokens_and_stratified_neither_tokens_nor_prior() -> None:
    assert NaturalPolicy().init(PROBLEM).weights == pytest.approx([0.6, 0.3, 0.1])
    assert Stratified().init(PROBLEM).weights == pytest.approx([1 / 3] * 3)


def test_temperature_and_unimax_are_the_rules_of_the_same_name() -> None:
    tempered = TemperaturePolicy(exponent=0.5).init(PROBLEM).weights
    assert np.array_equal(tempered, Temperature(exponent=0.5).mixture(PROBLEM))
    capped = MixtureProblem.create(DOMAINS, final_tokens=1500)
    expected = UniMax(max_epochs=2).mixture(capped)
    assert np.array_equal(UniMaxPolicy(max_epochs=2).init(capped).weights, expected)
    assert np.array_equal(UniMaxPolicy(max_epochs=2, budget_tokens=1500).init(PROBLEM).weights, expected)


def test_unimax_says_what_budget_it_lacks_or_cannot_fill() -> None:
    with pytest.raises(InvalidInputError, match="give it budget_tokens"):
        UniMaxPolicy().init(PROBLEM)
    with pytest.raises(InfeasibleError):
        UniMaxPolicy(budget_tokens=10_000).init(PROBLEM)


def test_a_schedule_by_hand_is_followed_stage_by_stage() -> None:
    policy = Handwritten(
        (PlannedStage({"a": 0.9, "b": 0.1}, 100), PlannedStage({"a": 0.2, "b": 0.2, "c": 0.6}, 50))
    )
    plan = policy.stages(policy.init(PROBLEM))
    assert [stage.steps for stage in plan] == [100, None], "the last stage holds to the end"
    assert plan[0].weights.tolist() == [0.9, 0.1, 0.0]
    assert plan[1].weights.tolist() == [0.2, 0.2, 0.6]
    assert Handwritten().stages(Handwritten().init(PROBLEM))[0].weights == pytest.approx(PROBLEM.prior)


def test_a_schedule_by_hand_that_cannot_be_followed_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"plan\.0: steps is None"):
        Handwritten((PlannedStage({"a": 1.0}), PlannedStage({"b": 1.0})))
    with pytest.raises(UnknownDomainError):
        Handwritten((PlannedStage({"z": 1.0}),)).init(PROBLEM)
    with pytest.raises(WeightsError):
        Handwritten((PlannedStage({"a": 0.7}),)).init(PROBLEM)
