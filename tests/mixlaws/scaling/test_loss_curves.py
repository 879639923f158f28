"""Loss curves are checked once, on construction, and say what is wrong with a value."""

from typing import Any

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, WeightsError
from mixlaws.scaling.checkpoints import checkpoint_step
from mixlaws.scaling.curves import LossCurves


def curves(**changed: Any) -> LossCurves:
    given: dict[str, Any] = {
        "domains": DomainSet(("a", "b"), (1, 1)),
        "targets": ("x",),
        "weights": np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8]]),
        "values": np.array([[3.0], [2.5], [2.7]]),
        "model_parameters": np.array([1e7, 1e7, 1e7]),
        "tokens": np.array([1e8, 2e8, 1e8]),
        "runs": np.array([0, 0, 1]),
    }
    return LossCurves(**(given | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weights": np.full((3, 3), 1 / 3)}, r"weights have shape \(3, 3\): expected \(n, 2\)"),
        ({"values": np.ones((2, 1))}, r"expected \(3, 1\)"),
        ({"values": np.array([[3.0], [np.nan], [1.0]])}, "target 'x' of observation 1 is nan"),
        ({"targets": ("x", "x")}, "must be distinct"),
        ({"tokens": np.array([1e8, 0.0, 1e8])}, "tokens of observation 1 is 0.0: use a finite value > 0"),
        ({"model_parameters": np.ones(2)}, "model_parameters has shape"),
        ({"runs": np.zeros(2)}, "runs has shape"),
        ({"batch_tokens": np.array([1.0, 2.0, 1.0])}, "run 0 has more than one batch_tokens"),
        ({"runs": np.zeros(3)}, "run 0 has more than one mixture"),
        ({"tokens": np.array([1e8, 1e8, 1e8])}, r"run 0 is observed more than once at 1e\+08 tokens"),
    ],
)
def test_a_value_that_cannot_be_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        curves(**changed)


def test_a_mixture_off_the_simplex_is_refused() -> None:
    with pytest.raises(WeightsError, match="the mixtures of loss curves"):
        curves(weights=np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.9]]))


def test_what_was_checked_cannot_be_changed() -> None:
    made = curves()
    for column in (made.weights, made.values, made.tokens, made.model_parameters, made.runs):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_leaving_out_the_warm_up_leaves_out_nothing_else() -> None:
    made = curves()
    assert made.since(2e8).tokens.tolist() == [2e8]
    assert made.since(1e8) is made
    with pytest.raises(InvalidInputError, match="leave out less"):
        made.since(3e8)


@pytest.mark.parametrize(
    ("name", "step"),
    [("2000", 2000), ("step-2000", 2000), (" 0100 ", 100), ("v2-step-500", 500), ("last", None), ("", None)],
)
def test_a_checkpoint_called_last_is_no_step_and_stops_no_reader(name: str, step: int | None) -> None:
    assert checkpoint_step(name) == step
