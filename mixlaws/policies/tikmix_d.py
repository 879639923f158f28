"""TiKMiX-D: the mixture whose training is predicted to help all targets most, and evenly.

    max_w  uniformity of gains + mean gain + entropy of w       gain of target m: sum_i P_im w_i
    subject to  no gain below that of the mixture in force

P holds measured influences: what training on a domain does to a target. `mixlaws.policies.tikmix_solver` has
the formula of each term, the normalisation of P and the solver. The problem is solved anew with every
measurement, from what is known then; the mixture in force is that of the feedback, guards included. Entropy
draws to equal shares and not to the prior: where domains do alike, the mixture is uniform.

Influence need not be measured for all domains at once: newer numbers replace older ones, domain by domain.
What was never measured counts as what the mixture in force does. Another set of targets, or another way of
estimating, begins anew; so does every measurement of more than 9,000 numbers, which no state keeps. As
published, the first stage trains on the natural mixture, here the prior, and influence is measured every few
hundred billion tokens.

Source: TiKMiX, arXiv:2508.17677, known to us from its abstract and from reviews that quote its equations; no
released code. Three terms of equal strength and the condition are published; the rest is ours (unverified).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.tikmix_solver import Strengths, best_mixture, scale
from mixlaws.policies.tikmix_state import Known
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class TikmixDState:
    """State between measurements.

    Args:
        known: influences so far.
        weights: (d,) mixture of the last measurement.
    """

    known: Known
    weights: FloatArray


@dataclass(frozen=True)
class TikmixD(Strengths):
    """Hyperparameters: strengths of the three terms, equal as published.

    Args:
        uniformity: of the negative variance of gains over targets.
        gain: of the mean gain.
        entropy: of the entropy of the mixture, above 0.
    """

    @property
    def signals(self) -> frozenset[Signal]:
        """Influence of domains on targets."""
        return frozenset({Signal.INFLUENCE})

    def init(self, problem: MixtureProblem, /) -> TikmixDState:
        """The prior."""
        return TikmixDState(Known.nothing(len(problem.domains)), problem.prior)

    def update(self, state: TikmixDState, feedback: Feedback, /) -> TikmixDState:
        """A new mixture for every measurement of influence."""
        measured = feedback.influence
        if measured is None or not np.isfinite(measured.influence).any():
            return state
        known = state.known.told(measured)
        table = known.table(feedback.weights)
        weights = best_mixture(table / scale(table), feedback.weights, self)
        return TikmixDState(known.kept(), frozen(weights))

    def stages(self, state: TikmixDState, /) -> Sequence[Stage]:
        """One stage until the next measurement."""
        return [Stage(state.weights)]

    def dump(self, state: TikmixDState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "tikmix_d",
            **state.known.dump(),
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> TikmixDState:
        """The state from its dump."""
        check_state(raw, "tikmix_d", SCHEMA)
        weights = frozen(raw["weights"])
        return TikmixDState(Known.load(raw, len(weights)), weights)
