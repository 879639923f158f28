"""What every scaling law follows: it is fitted on loss curves and is asked at a scale."""

from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from mixlaws.arrays import JsonObject
from mixlaws.estimator import ScaledPredictor
from mixlaws.scaling.curves import LossCurves

S_co = TypeVar("S_co", bound=ScaledPredictor, covariant=True)


class ScalingLaw(Protocol[S_co]):
    """Hyperparameters of a scaling law: a frozen dataclass without data."""

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator) -> S_co:
        """Fit all targets of loss curves.

        Raises:
            CurveTooShortError: more checkpoints, model sizes or batch sizes are needed.
            FitError: no finite fit was found.
        """
        ...

    def load(self, raw: JsonObject, /) -> S_co:
        """Rebuild a fitted law from its dump.

        Raises:
            StateError: the dump is of another class or schema.
        """
        ...


AnyScalingLaw: TypeAlias = ScalingLaw[Any]
