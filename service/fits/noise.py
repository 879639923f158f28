"""The noise of an objective: what differences in predictions are measured against."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mixlaws.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Noise:
    """What a fit knows of the noise of its targets.

    Args:
        objective: of the study's objective, nats per token: the standard deviation between repeats, or what
            held-out errors show where no mixture was repeated.
        targets: (t,) the same of every target.
    """

    objective: float
    targets: FloatArray

    @classmethod
    def told(cls, result: dict[str, Any], targets: list[str]) -> Self:
        """The noise in the result of a fit."""
        repeated, scores = result["noise"], result["scores"]
        own = repeated["targets"] or {name: scores[name]["mae"] for name in targets}
        whole = repeated["objective"]
        return cls(
            float(result["objective_scores"]["mae"] if whole is None else whole),
            np.array([own[name] for name in targets]),
        )

    def of(self, coefficients: FloatArray | None) -> float:
        """The noise of an objective of coefficients (t,); of the study's if they are None.

        Of another one it is the sum of its parts: targets of one run are off together, so that it is no more.
        """
        return self.objective if coefficients is None else float(self.targets @ coefficients)
