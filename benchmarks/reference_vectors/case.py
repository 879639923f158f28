"""What a reader of vectors gives back, and what readers share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.domains import DomainSet
from mixlaws.feedback import Evaluation, Feedback
from mixlaws.problem import MixtureProblem

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One comparison: its largest deviation and what is allowed."""

    name: str
    deviation: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the deviation is allowed; NaN never is."""
        return self.deviation <= self.tolerance


def problem(d: int, *, prior: Sequence[float] | None = None, tokens: Iterable[float] = ()) -> MixtureProblem:
    """A problem with d domains, named by letters of their number."""
    names = tuple(f"domain-{index:03}" for index in range(d))
    domains = DomainSet(names, tuple(round(count) for count in tokens) or (1,) * d)
    return MixtureProblem.create(domains, prior=None if prior is None else domains.to_mapping(prior))


def numbers(values: Any) -> FloatArray:
    """An array of numbers; NaN for null."""
    return np.array(values, dtype=object).astype(np.float64)


def deviation(got: Any, expected: Any) -> float:
    """Largest absolute difference, relative where numbers exceed 1; 0 where nothing is expected."""
    wanted = numbers(expected)
    difference = np.abs(numbers(got) - wanted) / np.maximum(1.0, np.abs(wanted))
    return float(difference.max(initial=0.0))


def told(step: int, weights: FloatArray, losses: FloatArray, counts: IntArray, **more: Any) -> Feedback:
    """Feedback with mean losses (d,) of training batches, of so many tokens each."""
    return Feedback(step, np.where(counts > 0, losses, 0.0) * counts, counts, weights, **more)


def evaluated(step: int, weights: FloatArray, losses: FloatArray, **more: Any) -> Feedback:
    """Feedback with nothing but mean losses (d,) on an evaluation set, of a token each."""
    evaluation = Evaluation(np.nan_to_num(losses), np.where(np.isnan(losses), 0, 1), step, "vectors")
    return untrained(step, weights, evaluation=evaluation, **more)


def untrained(step: int, weights: FloatArray, **more: Any) -> Feedback:
    """Feedback without losses of training batches."""
    d = len(weights)
    return Feedback(step, np.zeros(d), np.zeros(d, dtype=np.int64), weights, **more)
