"""Targets of mixtures that were run, at one model size and number of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.swarm import Swarm

_SAME = 1e-9  # mixtures equal to nine decimals are one, as in a swarm


@dataclass(frozen=True, eq=False)
class MixtureTable:
    """A predictor that knows some mixtures and no other; a mixing law is what fills the space between.

    Args:
        weights: (n, d) the mixtures.
        values: (n, t) their targets, in the unit of the curves.
        model_parameters: size of the model for which the values hold.
        tokens: training tokens for which they hold.
    """

    weights: FloatArray
    values: FloatArray
    model_parameters: float
    tokens: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures of the table.

        Raises:
            InvalidInputError: a mixture is not in the table.
        """
        distance = np.abs(weights[:, None, :] - self.weights).max(axis=2)
        nearest = distance.argmin(axis=1)
        far = np.flatnonzero(distance[np.arange(len(weights)), nearest] > _SAME)
        if len(far):
            raise InvalidInputError(
                f"mixture {np.round(weights[far[0]], 4).tolist()} was not run at these scales: a law of "
                "tokens or size knows the mixtures it was fitted on alone; the nested law predicts others"
            )
        return np.asarray(self.values[nearest])

    def dump(self) -> JsonObject:
        """The table as JSON."""
        return {
            "schema": 1,
            "predictor": "mixture_table",
            "weights": self.weights.tolist(),
            "values": self.values.tolist(),
            "model_parameters": self.model_parameters,
            "tokens": self.tokens,
        }

    def swarm(self, domains: DomainSet, targets: Sequence[str], /) -> Swarm:
        """The table as finished runs of that scale, for a mixing law to fit."""
        n = len(self.weights)
        return Swarm(
            domains,
            tuple(targets),
            self.weights,
            self.values,
            model_parameters=np.full(n, self.model_parameters),
            tokens=np.full(n, self.tokens),
        )


def check_scale(*, model_parameters: float, tokens: float) -> None:
    """Refuse a scale that is not finite and positive.

    Raises:
        InvalidInputError: with the value.
    """
    for name, value in (("model_parameters", model_parameters), ("tokens", tokens)):
        if not (np.isfinite(value) and value > 0):
            raise InvalidInputError(f"{name} is {value!r}: use a finite value > 0")
