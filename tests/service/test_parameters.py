"""What pages offer of a method, its API takes."""

import json

import pytest

from mixlaws.registry import ESTIMATORS, PROPOSERS
from service.dashboard.parameters import Parameter, parameters
from service.methods import build

REGISTRIES = {"method": ESTIMATORS, "proposer": PROPOSERS}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_choice_that_is_offered_is_taken(kind: str) -> None:
    registry = REGISTRIES[kind]
    offered = parameters(registry)
    assert list(offered) == list(registry)
    for method, choices in offered.items():
        for one in choices:
            for value, _ in one.others:
                built = build(kind, registry, method, {one.name: json.loads(value)})
                assert getattr(built, one.name) == json.loads(value)


def test_numbers_and_choices_are_offered_with_their_defaults_and_nothing_else() -> None:
    offered = parameters(ESTIMATORS)
    assert offered["auto"] == [
        Parameter("prefer", "accuracy", (('"transfer"', "transfer"),)),
        Parameter("seconds", "as usual"),
    ], "an objective is neither a number nor a choice"
    assert Parameter("ridge", "auto") in offered["exponential"]
    assert Parameter("raw_residuals", "no", (("true", "yes"),)) in offered["exponential"]
    assert Parameter("root", "2", (("1", "1"), ("4", "4"))) in offered["gaussian_process"]
