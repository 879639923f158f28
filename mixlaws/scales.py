"""The scales of a swarm: which runs have one model size and length of training, and what each run cost.

    compute of a run = 6 N D  FLOPs

with N parameters and D tokens. Scales within a hundredth of each other are one: whole batches, or a tokeniser
of another size, move a scale a little.
"""

from typing import NamedTuple

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import AnyEstimator, Predictor, RescalablePredictor
from mixlaws.swarm import Swarm

NAMES = {"model_parameters": "parameters of the model", "tokens": "training tokens"}
ALIKE = 0.01


class Scale(NamedTuple):
    """A model size and a length of training; None where runs do not tell."""

    model_parameters: float | None
    tokens: float | None

    @property
    def flops(self) -> float | None:
        """6 N D of one run; None where a part is unknown."""
        if self.model_parameters is None or self.tokens is None:
            return None
        return 6.0 * self.model_parameters * self.tokens

    def __str__(self) -> str:
        parts = [f"{value:.4g} {NAMES[name]}" for name, value in self._asdict().items() if value is not None]
        return " and ".join(parts) or "an unknown scale"


def scales_of(swarm: Swarm, /) -> tuple[tuple[Scale, ...], IntArray]:
    """The k distinct scales, by compute, smallest first; and (n,) the number of each run's scale."""
    columns = [_grouped(getattr(swarm, name)) for name in NAMES]
    known = [np.ones(len(swarm)) if column is None else column for column in columns]
    rows, numbers = np.unique(np.column_stack([known[0] * known[1], *known]), axis=0, return_inverse=True)
    told = [
        Scale(*(None if column is None else float(value) for column, value in zip(columns, row, strict=True)))
        for row in rows[:, 1:]
    ]
    return tuple(told), numbers.reshape(-1).astype(np.int64)


def several(swarm: Swarm, /) -> bool:
    """Whether a swarm has runs of more than one scale."""
    return len(scales_of(swarm)[0]) > 1


def apart(swarm: Swarm, /) -> FloatArray:
    """(n, d + 1) mixtures with the number of their scale: rows that are alike are repeats of one run."""
    return np.column_stack([swarm.weights, scales_of(swarm)[1]])


def largest(swarm: Swarm, /) -> Swarm:
    """The runs of the largest scale."""
    scales, numbers = scales_of(swarm)
    return swarm.take(np.flatnonzero(numbers == len(scales) - 1))


def holds_for(predictor: object, swarm: Swarm, /) -> Scale:
    """The scale that predictions hold for: what a predictor names, and else that of its largest runs."""
    own = scales_of(swarm)[0][-1]
    named = {name: getattr(predictor, name, None) for name in NAMES}
    return own._replace(**{name: float(value) for name, value in named.items() if value is not None})


def known_scales(estimator: AnyEstimator, /) -> frozenset[str]:
    """The columns of a swarm by which a method tells runs of several scales apart."""
    return getattr(type(estimator), "scales", frozenset())


def check_known(name: str, estimator: AnyEstimator, swarm: Swarm, /) -> None:
    """See to it that a method is not given runs of scales that it does not tell apart.

    Raises:
        InvalidInputError: it would take a difference between scales for one between mixtures.
    """
    for column, words in NAMES.items():
        values = _grouped(getattr(swarm, column))
        if values is not None and np.ptp(values) > 0 and column not in known_scales(estimator):
            raise InvalidInputError(
                f"{len(swarm)} runs with {values.min():,.0f} to {values.max():,.0f} {words}, a difference "
                f"that {name} would take for one of mixtures: take one scale, or use multi_scale or auto"
            )


def predict_runs(predictor: Predictor, swarm: Swarm, /, *, known: frozenset[str]) -> FloatArray:
    """(n, t) predictions of runs, each at its own scale where the predictor knows scales.

    Args:
        predictor: a fitted method.
        swarm: the runs.
        known: columns of the swarm that the method tells apart.
    """
    scales, numbers = scales_of(swarm)
    if len(scales) < 2 or not known or not isinstance(predictor, RescalablePredictor):
        return predictor.predict(swarm.weights)
    predicted = np.empty_like(swarm.values)
    for number, scale in enumerate(scales):
        named = {name: value for name, value in scale._asdict().items() if name in known}
        rows = numbers == number
        predicted[rows] = predictor.at(**named).predict(swarm.weights[rows])
    return predicted


def _grouped(column: FloatArray | None) -> FloatArray | None:
    """A column in which values that are nearly alike have become the smallest of theirs."""
    if column is None:
        return None
    kept: list[float] = []
    for value in np.unique(column):
        if not kept or value > (1 + ALIKE) * kept[-1]:
            kept.append(float(value))
    return np.array(kept)[np.searchsorted(kept, column, side="right") - 1]
