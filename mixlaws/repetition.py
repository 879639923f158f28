"""What repeated tokens are worth: the data-constrained law, per domain.

    D' = D                                  for D <= U
    D' = U + U R* (1 - exp(-R / R*))        with R = D / U - 1, beyond

Source: Muennighoff et al. 2023, arXiv:2305.16264; R* = 15.387756 as published there, read in a secondary
write-up. U are the unique tokens, D those that are read, D' the number of fresh tokens that would teach as
much; however often they are read, no more than U (1 + R*).

It was fitted on whole corpora that are repeated (with dropout and weight decay of .1). Used for each domain
by itself, with D = w_j s and U its token count, it is an extrapolation. A law of single-epoch runs holds
for a mixture that reads a domain more than once only if it is fed D' in place of D.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError

REPETITIONS = 15.387756  # R*, repetitions until which the value of a token falls to 1 / e


def effective_tokens(
    tokens: FloatArray, unique: FloatArray, /, *, repetitions: float = REPETITIONS
) -> FloatArray:
    """Fresh tokens that repeated ones are worth.

    Args:
        tokens: (..., d) tokens that are read of each domain.
        unique: (d,) tokens that each domain holds.
        repetitions: R*.

    Returns:
        (..., d) effective tokens; never more than are read.

    Raises:
        InvalidInputError: tokens are negative, a domain is empty, or R* is not positive.
    """
    repeats = _repeats(tokens, unique, repetitions)
    return np.asarray(np.minimum(tokens, unique) - unique * repetitions * np.expm1(-repeats / repetitions))


def marginal_value(
    tokens: FloatArray, unique: FloatArray, /, *, repetitions: float = REPETITIONS
) -> FloatArray:
    """(..., d) derivative of the effective tokens: 1 in the first epoch, exp(-R / R*) beyond.

    Raises:
        InvalidInputError: as for the effective tokens.
    """
    return np.asarray(np.exp(-_repeats(tokens, unique, repetitions) / repetitions))


@runtime_checkable
class TokenPredictor(Protocol):
    """A predictor that counts the tokens of every domain, and not their shares alone."""

    @property
    def tokens(self) -> float:
        """Budget that weights are shares of."""
        ...

    def predict_tokens(self, tokens: FloatArray, /) -> FloatArray:
        """(n, t) targets of runs that read (n, d) tokens of each domain."""
        ...

    def jacobian_tokens(self, tokens: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives by the tokens."""
        ...

    def dump(self) -> JsonObject:
        """What rebuilds the predictor."""
        ...


@dataclass(frozen=True, eq=False)
class RepeatingPredictor:
    """A law of tokens that is fed the effective tokens of each domain: an extrapolation, see above.

    Args:
        predictor: the law, at the budget of the final run.
        domains: the domains with their unique tokens.
        repetitions: R*, the same for all domains.
    """

    predictor: TokenPredictor
    domains: DomainSet
    repetitions: float = REPETITIONS

    def __post_init__(self) -> None:
        if not isinstance(self.predictor, TokenPredictor):
            raise InvalidInputError(
                f"{type(self.predictor).__name__} knows shares and no tokens: repetition needs a law of "
                "tokens, such as effective transfer"
            )

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of a run of the predictor's budget."""
        tokens = weights * self.predictor.tokens
        worth = effective_tokens(tokens, self._unique(), repetitions=self.repetitions)
        return self.predictor.predict_tokens(worth)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives by the weights."""
        tokens = weights * self.predictor.tokens
        worth = effective_tokens(tokens, self._unique(), repetitions=self.repetitions)
        value = marginal_value(tokens, self._unique(), repetitions=self.repetitions)
        by_worth = self.predictor.jacobian_tokens(worth)
        return np.asarray(by_worth * value[:, None, :] * self.predictor.tokens)

    def dump(self) -> JsonObject:
        """The law's dump, with what it is fed."""
        return {
            "schema": 1,
            "law": "repeating",
            "predictor": self.predictor.dump(),
            "domains": dict(zip(self.domains.names, self.domains.tokens, strict=True)),
            "repetitions": self.repetitions,
        }

    def _unique(self) -> FloatArray:
        return np.array(self.domains.tokens, dtype=np.float64)


def _repeats(tokens: FloatArray, unique: FloatArray, repetitions: float) -> FloatArray:
    """(..., d) R, zero within the first epoch."""
    if not (np.isfinite(repetitions) and repetitions > 0):
        raise InvalidInputError(f"repetitions is {repetitions}: use a finite value > 0")
    if not (np.all(np.isfinite(unique)) and np.all(np.asarray(unique) > 0)):
        raise InvalidInputError("unique tokens must be finite and > 0 for every domain")
    if not (np.all(np.isfinite(tokens)) and np.all(np.asarray(tokens) >= 0)):
        raise InvalidInputError("tokens that are read must be finite and not negative")
    return np.asarray(np.maximum(np.asarray(tokens) / unique - 1, 0.0))
