"""Step law: the loss of a run as training goes on.

    L(D) = C + (D0 / D)^α

with D training tokens; for each target of each mixture at each model size a floor C and a scale D0, and an
exponent α that may be shared. Ye et al. 2024, arXiv:2403.16952, section on nesting scaling laws.

On their five-domain runs an exponent shared by all curves of a model size extrapolates best: two thirds of
the error of one for each mixture, and half of that of a free one, since six checkpoints hardly tell a
floor from an exponent. Hence the default.

The published fit starts from thousands of points; here it is exact up to the exponent (`power_law`).
Checkpoints within the warm-up of the learning rate follow no such law, and those of a decay follow another
one: leave them out (`warmup_tokens`; the publication leaves out 10,000 steps of about a million tokens).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, StateError
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.power_law import PowerLaws
from mixlaws.scaling.table import MixtureTable, check_scale
from mixlaws.scaling.tied_fit import TiedFit
from mixlaws.swarm import mixture_numbers

SCHEMA = 1
Tie = Literal["free", "mixture", "size", "all"]


@dataclass(frozen=True, eq=False)
class FittedStepLaw:
    """Fitted step laws.

    Args:
        weights: (m, d) mixture of each curve.
        model_parameters: (m,) model size of each curve.
        laws: power laws in tokens, of shape (m, t).
    """

    weights: FloatArray
    model_parameters: FloatArray
    laws: PowerLaws

    def at(self, *, model_parameters: float, tokens: float) -> MixtureTable:
        """The mixtures that were run at a model size, after a number of tokens.

        Raises:
            InvalidInputError: no run has that size.
        """
        check_scale(model_parameters=model_parameters, tokens=tokens)
        rows = np.flatnonzero(np.isclose(self.model_parameters, model_parameters, rtol=1e-9))
        if not len(rows):
            known = ", ".join(f"{size:g}" for size in np.unique(self.model_parameters))
            raise InvalidInputError(
                f"no run has {model_parameters:g} parameters, but {known}: a step law knows nothing of "
                "other sizes; the size law and the nested law do"
            )
        values = self.laws.at(tokens)[rows]
        return MixtureTable(self.weights[rows], values, float(model_parameters), float(tokens))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "step",
            "weights": self.weights.tolist(),
            "model_parameters": self.model_parameters.tolist(),
            "laws": self.laws.dump(),
        }


@dataclass(frozen=True)
class StepLaw:
    """Hyperparameters of the step law.

    Args:
        tie: what shares an exponent: nothing ("free"), the targets of a mixture at a model size
            ("mixture"), all curves of a model size ("size"), or everything ("all").
        huber_delta: residual beyond which the loss grows linearly, in the unit of the targets.
        warmup_tokens: observations at fewer tokens are left out.
        exponent: exponent to hold fixed, or None to fit it.
    """

    tie: Tie = "size"
    huber_delta: float = 0.05  # nats; published: .02 to .08
    warmup_tokens: float = 0.0
    exponent: float | None = None

    def __post_init__(self) -> None:
        self._fit().check()
        if self.tie not in {"free", "mixture", "size", "all"}:
            raise InvalidInputError(f"tie is {self.tie!r}: use 'free', 'mixture', 'size' or 'all'")

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator | None = None) -> FittedStepLaw:  # noqa: ARG002
        """Fit every target of every mixture at every size; repeats of a mixture share a curve.

        So do runs of other batch sizes, if they are given: a law in tokens alone is for one batch size.

        Raises:
            CurveTooShortError: a curve has too few checkpoints after the warm-up.
            FitError: a target is negative.
        """
        used = curves.since(self.warmup_tokens)
        keys = np.stack([mixture_numbers(used.weights), used.model_parameters], axis=1)
        _, first, curve = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        sizes = used.model_parameters[first]
        t = len(used.targets)
        shared = [[self._label(m, target, float(sizes[m])) for target in range(t)] for m in range(len(first))]
        laws = self._fit().fit(used.tokens, used.values, curve.reshape(-1), shared)
        return FittedStepLaw(frozen(used.weights[first]), frozen(sizes), laws)

    def load(self, raw: JsonObject, /) -> FittedStepLaw:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "step" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the step law, schema {SCHEMA}: {raw.get('law')!r}")
        return FittedStepLaw(
            frozen(raw["weights"]), frozen(raw["model_parameters"]), PowerLaws.load(raw["laws"])
        )

    def _fit(self) -> TiedFit:
        return TiedFit("the step law", "checkpoints", self.huber_delta, self.exponent)

    def _label(self, curve: int, target: int, size: float) -> tuple[float, ...]:
        return {"free": (curve, target), "mixture": (curve,), "size": (size,), "all": ()}[self.tie]
