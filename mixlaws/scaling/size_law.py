"""Size law: the loss of a mixture as models grow, after one number of tokens.

    L(N) = C + (N0 / N)^α

with N non-embedding parameters; for each target of each mixture a floor C and a scale N0, and by default
one exponent α for all, since three or four sizes tell no more. Ye et al. 2024, arXiv:2403.16952, section
on nesting scaling laws. The fit is exact up to the exponent (`power_law`).

On their five-domain runs it carries 70M, 160M and 305M to 410M with less error than a mixing law makes
between mixtures: size is the cheap direction to extrapolate.
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
Tie = Literal["free", "mixture", "all"]


@dataclass(frozen=True, eq=False)
class FittedSizeLaw:
    """Fitted size laws.

    Args:
        weights: (m, d) the mixtures.
        tokens: the number of training tokens for which the laws hold.
        laws: power laws in parameters, of shape (m, t).
    """

    weights: FloatArray
    tokens: float
    laws: PowerLaws

    def at(self, *, model_parameters: float, tokens: float) -> MixtureTable:
        """The mixtures that were run, at a model size.

        Raises:
            InvalidInputError: the tokens are not those of the fit.
        """
        check_scale(model_parameters=model_parameters, tokens=tokens)
        if not np.isclose(tokens, self.tokens, rtol=1e-9):
            raise InvalidInputError(
                f"the size law was fitted after {self.tokens:g} tokens and says nothing of {tokens:g}: "
                "use the nested law"
            )
        return MixtureTable(
            self.weights, self.laws.at(model_parameters), float(model_parameters), self.tokens
        )

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "size",
            "weights": self.weights.tolist(),
            "tokens": self.tokens,
            "laws": self.laws.dump(),
        }


@dataclass(frozen=True)
class SizeLaw:
    """Hyperparameters of the size law.

    Args:
        tie: what shares an exponent: nothing ("free"), the targets of a mixture ("mixture"), or all.
        huber_delta: residual beyond which the loss grows linearly, in the unit of the targets.
        exponent: exponent to hold fixed, or None to fit it; two sizes alone do not determine it.
    """

    tie: Tie = "all"
    huber_delta: float = 0.08  # nats, as published
    exponent: float | None = None

    def __post_init__(self) -> None:
        self._fit().check()
        if self.tie not in {"free", "mixture", "all"}:
            raise InvalidInputError(f"tie is {self.tie!r}: use 'free', 'mixture' or 'all'")

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator | None = None) -> FittedSizeLaw:  # noqa: ARG002
        """Fit every target of every mixture at the most tokens that all of them reached at all their sizes.

        Raises:
            CurveTooShortError: a mixture has too few sizes.
            InvalidInputError: there is no number of tokens at which all are observed.
            FitError: a target is negative.
        """
        tokens = _common_tokens(curves)
        used = curves.take(np.isclose(curves.tokens, tokens, rtol=1e-9))
        curve = mixture_numbers(used.weights)
        _, first = np.unique(curve, return_index=True)
        shared = [[self._label(m, target) for target in range(len(used.targets))] for m in range(len(first))]
        laws = self._fit().fit(used.model_parameters, used.values, curve, shared)
        return FittedSizeLaw(frozen(used.weights[first]), tokens, laws)

    def load(self, raw: JsonObject, /) -> FittedSizeLaw:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "size" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the size law, schema {SCHEMA}: {raw.get('law')!r}")
        return FittedSizeLaw(frozen(raw["weights"]), float(raw["tokens"]), PowerLaws.load(raw["laws"]))

    def _fit(self) -> TiedFit:
        return TiedFit("the size law", "model sizes", self.huber_delta, self.exponent)

    def _label(self, mixture: int, target: int) -> tuple[int, ...]:
        return {"free": (mixture, target), "mixture": (mixture,), "all": ()}[self.tie]


def _common_tokens(curves: LossCurves) -> float:
    """The largest number of tokens at which every mixture is observed at every size it was run at."""
    keys = np.stack([mixture_numbers(curves.weights), curves.model_parameters], axis=1)
    _, pair = np.unique(keys, axis=0, return_inverse=True)
    pair = pair.reshape(-1)
    everyone = int(pair.max()) + 1
    for tokens in np.unique(curves.tokens)[::-1]:
        if len(np.unique(pair[np.isclose(curves.tokens, tokens, rtol=1e-9)])) == everyone:
            return float(tokens)
    raise InvalidInputError(
        "there is no number of tokens at which all mixtures are observed at all their sizes: "
        "take those that share one, or let the nested law extrapolate each curve first"
    )
