"""Fitted predictors from the JSON that a fit has stored."""

from typing import Any

from mixlaws.arrays import JsonObject
from mixlaws.estimator import Predictor
from mixlaws.registry import ESTIMATORS, method


def load_predictor(name: str, dump: JsonObject) -> Predictor:
    """The predictor of a fit.

    Raises:
        StateError: the dump is of another class or schema.
    """
    estimator: Any = method("method", ESTIMATORS, name)()
    predictor: Predictor = estimator.load(dump)
    return predictor
