"""Every policy can be asked for by name with hyperparameters from JSON."""

import dataclasses
import json

import pytest

from mixlaws.domains import DomainSet
from mixlaws.policies.handwritten import Handwritten, PlannedStage
from mixlaws.registry import POLICIES
from service.errors import InvalidRequestError
from service.methods import build
from tests.support.steering import example

DOMAINS = DomainSet(("a", "b"), (3, 1))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_hyperparameters_survive_json(name: str) -> None:
    policy = example(name, DOMAINS)
    params = json.loads(json.dumps(dataclasses.asdict(policy)))  # type: ignore[call-overload]
    assert build("policy", POLICIES, name, params) == policy
    with pytest.raises(InvalidRequestError, match="misspelt"):
        build("policy", POLICIES, name, {"misspelt": 1})


def test_stages_and_graphs_are_checked_field_by_field() -> None:
    plan = [{"weights": {"a": 0.5, "b": 0.5}, "steps": 10}, {"weights": {"a": 1.0}}]
    expected = Handwritten((PlannedStage({"a": 0.5, "b": 0.5}, 10), PlannedStage({"a": 1.0})))
    assert build("policy", POLICIES, "handwritten", {"plan": plan}) == expected
    with pytest.raises(InvalidRequestError, match="graph"):
        build("policy", POLICIES, "skillit", {"graph": {"a": 1.0}})
