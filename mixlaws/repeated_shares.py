"""Repetition at its worth, for predictors of shares: an alternative to caps.

    v_j = D'_j(w_j R) / R,    V = sum_j v_j,    f(w) = g(v / V) - k log V

A run of R tokens that reads domain j for w_j R learns as from D'_j fresh tokens of it (`mixlaws.repetition`).
To the predictor g of shares it is a run with the mixture of what is fresh; and as it is worth V R tokens
instead of R, every target is higher by what that many tokens fewer cost: k is by how much a target falls for
each e-fold of training tokens, near R. A law of shares does not know k; it comes from a scaling law or from
runs of two budgets, and there is no default. With k = 0 the waste costs nothing.

Both steps are extrapolations: the law of repetition was fitted to whole corpora, and k is taken to be the
same for all targets and mixtures. Source of the first: Muennighoff et al. 2023, arXiv:2305.16264; the rest is
ours.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import (
    DifferentiablePredictor,
    Predictor,
    ProbabilisticPredictor,
)
from mixlaws.repetition import (
    REPETITIONS,
    RepeatingPredictor,
    TokenPredictor,
    effective_tokens,
    marginal_value,
)


@dataclass(frozen=True, eq=False)
class RepeatedShares:
    """A predictor of shares that is fed the shares of fresh tokens.

    Args:
        predictor: the predictor of shares.
        domains: the domains with their unique tokens.
        final_tokens: R, tokens of the run.
        per_efold: k, by how much targets fall for each e-fold of training tokens, in their unit.
        repetitions: R*, the same for all domains.
    """

    predictor: Predictor
    domains: DomainSet
    final_tokens: int
    per_efold: float
    repetitions: float = REPETITIONS

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of runs of R tokens."""
        fresh, worth = self._fresh(weights)
        return np.asarray(self.predictor.predict(fresh) - self.per_efold * np.log(worth))

    def dump(self) -> JsonObject:
        """The predictor's dump, with what it is fed."""
        return {
            "schema": 1,
            "law": "repeated_shares",
            "predictor": self.predictor.dump(),
            "domains": dict(zip(self.domains.names, self.domains.tokens, strict=True)),
            "final_tokens": self.final_tokens,
            "per_efold": self.per_efold,
            "repetitions": self.repetitions,
        }

    def _fresh(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(n, d) shares of fresh tokens, and (n, 1) what a token that is read is worth."""
        # Slopes are also asked for off the simplex, where a share may be a rounding below zero.
        read = np.maximum(weights, 0.0) * self.final_tokens
        worth = effective_tokens(read, self._unique, repetitions=self.repetitions) / self.final_tokens
        total = worth.sum(axis=1, keepdims=True)
        return np.asarray(worth / total), np.asarray(total)

    @property
    def _unique(self) -> FloatArray:
        return np.array(self.domains.tokens, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class SmoothRepeatedShares(RepeatedShares):
    """The same for a predictor that has derivatives."""

    predictor: DifferentiablePredictor

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives: of v / V by w_j it is m_j / V (e_j - v / V), with m_j the marginal value."""
        fresh, worth = self._fresh(weights)
        read = np.maximum(weights, 0.0) * self.final_tokens
        marginal = marginal_value(read, self._unique, repetitions=self.repetitions) / worth
        slopes = self.predictor.jacobian(fresh)
        common = np.einsum("ntd,nd->nt", slopes, fresh) + self.per_efold
        return np.asarray((slopes - common[:, :, None]) * marginal[:, None, :])


@dataclass(frozen=True, eq=False)
class UnsureRepeatedShares(SmoothRepeatedShares):
    """The same for a predictor that knows how sure it is as well; of repetition itself it is sure."""

    predictor: DifferentiablePredictor

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) standard deviations."""
        return _probabilistic(self.predictor).deviation(self._fresh(weights)[0])

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws."""
        fresh, worth = self._fresh(weights)
        draws = _probabilistic(self.predictor).sample(fresh, count=count, rng=rng)
        return np.asarray(draws - self.per_efold * np.log(worth))


def with_repetition(
    predictor: Predictor, domains: DomainSet, /, *, final_tokens: int, per_efold: float | None
) -> Predictor:
    """The predictor with repeated tokens at their worth, instead of caps.

    A law of tokens needs no `per_efold`: it knows what tokens are worth, and is asked at the final budget.

    Args:
        predictor: of shares, or of the tokens of each domain.
        domains: the domains with their unique tokens.
        final_tokens: tokens of the final run.
        per_efold: by how much targets fall for each e-fold of training tokens, in their unit.

    Raises:
        InvalidInputError: `per_efold` is missing for a predictor of shares, given for a law of tokens, or
            negative.
    """
    if isinstance(predictor, TokenPredictor):
        if per_efold is not None:
            raise InvalidInputError(
                f"{type(predictor).__name__} knows what tokens are worth: leave the loss per e-fold out"
            )
        final: Any = predictor
        if hasattr(final, "at"):  # a law of tokens that can be asked at other budgets
            final = final.at(tokens=final_tokens)
        return RepeatingPredictor(final, domains)
    if per_efold is None or not (np.isfinite(per_efold) and per_efold >= 0):
        raise InvalidInputError(
            f"{type(predictor).__name__} knows shares and no tokens, and the loss per e-fold of tokens is "
            f"{per_efold}: say by how much targets fall when training tokens grow e-fold, a value >= 0"
        )
    if not isinstance(predictor, DifferentiablePredictor):
        return RepeatedShares(predictor, domains, final_tokens, per_efold)
    unsure = isinstance(predictor, ProbabilisticPredictor)
    kind = UnsureRepeatedShares if unsure else SmoothRepeatedShares
    return kind(predictor, domains, final_tokens, per_efold)


def _probabilistic(predictor: Predictor) -> ProbabilisticPredictor:
    if not isinstance(predictor, ProbabilisticPredictor):
        raise InvalidInputError(f"{type(predictor).__name__} does not say how sure it is")
    return predictor
