"""R&B, its balance: domains whose training helps what is to be evaluated get more.

    w = softmax(lambda G p / |G p|)

G_ij is the product of the mean gradients of domains i and j over a round, of one layer or few, and p the
shares of the domains in what is to be evaluated. The length of G p is divided out, else lambda would depend
on the scale of gradients and on the phase of the learning rate. Each round starts from nothing: there is no
memory. Weights start equal. Regrouping, the other half of the method, makes domains from embeddings, and is
done before.

Where G p is 0 nothing speaks for any domain, and weights are equal. A domain that was absent, or whose
product with another present one is missing, keeps its weight; the others share the rest, by the p that falls
on them.

Source: Ge et al. 2025, arXiv:2505.00358, in the form of its main text, which its derivation has too; the
algorithm in its appendix lacks the division. No released code: unverified but for the formula. What happens
to absent domains, and where G p is 0, is ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import shared_out, softmax
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class RnbState:
    """State between rounds.

    Args:
        proportions: (d,) p.
        weights: (d,) mixture of the last round.
    """

    proportions: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class Rnb:
    """Hyperparameters.

    Args:
        strength: lambda; the ratio of two weights is at most exp(sqrt(2) lambda). The paper names 3 for one
            of its settings.
        proportions: p by domain, in any scale; one that is left out has none. By default the prior.
    """

    strength: float = 3.0
    proportions: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.strength) and self.strength >= 0):
            raise InvalidInputError(f"strength is {self.strength}: use a finite value >= 0")

    @property
    def signals(self) -> frozenset[Signal]:
        """Products between the gradients of domains."""
        return frozenset({Signal.GRAM})

    def init(self, problem: MixtureProblem, /) -> RnbState:
        """Equal weights, whatever the prior.

        Raises:
            UnknownDomainError: a proportion is given for a domain that the problem does not have.
            InvalidInputError: a proportion is negative or not finite, or all of them are 0.
        """
        d = len(problem.domains)
        p = problem.prior
        if self.proportions is not None:
            p = problem.domains.to_array(self.proportions, missing=0.0)
            if not (np.isfinite(p).all() and p.min() >= 0 and p.max() > 0):
                raise InvalidInputError(
                    f"proportions are {dict(self.proportions)}: use finite values >= 0, not all of them 0"
                )
            p = p / p.max()
        return RnbState(frozen(p), frozen(np.full(d, 1.0 / d)))

    def update(self, state: RnbState, feedback: Feedback, /) -> RnbState:
        """One update for every feedback that has a product."""
        gram = feedback.gram
        if gram is None:
            return state
        present = (gram.counts > 0) & np.isfinite(np.diag(gram.means))
        missing = ~np.isfinite(gram.means) & np.outer(present, present)
        observed = present & ~missing.any(axis=1)
        if not observed.any():
            return state
        products = gram.means[np.ix_(observed, observed)]
        direction = _direction(products, state.proportions[observed])
        shares = softmax(self.strength * direction)
        return replace(state, weights=frozen(shared_out(state.weights, shares, observed)))

    def stages(self, state: RnbState, /) -> Sequence[Stage]:
        """One stage until the next round."""
        return [Stage(state.weights)]

    def dump(self, state: RnbState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "rnb",
            "proportions": state.proportions.tolist(),
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> RnbState:
        """The state from its dump."""
        check_state(raw, "rnb", SCHEMA)
        return RnbState(frozen(raw["proportions"]), frozen(raw["weights"]))


def _direction(products: FloatArray, proportions: FloatArray) -> FloatArray:
    """(k,) G p / |G p|; all 0 where G p is."""
    largest = np.abs(products).max()
    if largest == 0:
        return np.zeros(len(products))
    added = (products / largest) @ proportions
    length = np.linalg.norm(added)
    return np.asarray(added / length) if length > 0 else added
