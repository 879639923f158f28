"""DoReMi: group distributionally robust optimisation against a reference model.

    s_i = sum over tokens of max(0, loss - reference loss) / tokens       (as it was, if i was not drawn)
    u_i proportional to  w_i exp(eta s_i);        w_i = (1 - c) u_i + c / d

Weights start equal. What the method is for is their running average over a small model's run, the start
counted in: `average` gives it, a static mixture for the large model and a candidate like any proposal. As
released, the small model draws its domains by a fixed mixture and weighs its token losses by w over that
mixture; a trainer that draws by w must not weigh by it as well.

Tokens are clipped one by one, before they are averaged: to clip the mean loses what some tokens exceed by
and others fall short of. An unseen domain has the score ln(vocabulary), not 0: it is pushed up until it is
drawn first.

Feedback over F steps moves as F steps with its mean score would: eta is multiplied by F.

Source: Xie et al. 2023, arXiv:2305.10429, and the released code. Variant `aioli` is the re-implementation
that was released with Chen et al. 2024, arXiv:2411.05735: domain means are clipped instead of tokens, a mean
of exactly 0 counts as not seen, unseen scores start at 1e-6, and the start is not part of the average.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import stepped
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class DoReMiState:
    """State between updates.

    Args:
        scores: (d,) s, nats per token.
        weights: (d,) w.
        average: (d,) running average of w.
        averaged_steps: steps in the average.
    """

    scores: FloatArray
    weights: FloatArray
    average: FloatArray
    averaged_steps: int


@dataclass(frozen=True)
class DoReMi:
    """Hyperparameters; the defaults are those of the released run.

    Args:
        variant: which implementation, as told on top.
        eta: step size.
        smoothing: c, share of the uniform mixture.
        initial_score: score of a domain before it is drawn; by default that of the variant, with a
            vocabulary of 50,277.
    """

    variant: Literal["released", "aioli"] = "released"
    eta: float = 1.0
    smoothing: float = 1e-3
    initial_score: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.eta) and self.eta >= 0) or not 0 <= self.smoothing <= 1:
            raise InvalidInputError(
                f"eta {self.eta}, smoothing {self.smoothing}: need a finite value >= 0 and one from 0 to 1"
            )
        if self.initial_score is not None and not (
            np.isfinite(self.initial_score) and self.initial_score >= 0
        ):
            raise InvalidInputError(f"initial_score is {self.initial_score}: use a finite value >= 0")

    @property
    def signals(self) -> frozenset[Signal]:
        """Excess over a reference model, clipped token by token unless the variant clips means."""
        return frozenset({Signal.EXCESS_CLIPPED if self.variant == "released" else Signal.EXCESS})

    def init(self, problem: MixtureProblem, /) -> DoReMiState:
        """Equal weights, whatever the prior."""
        d = len(problem.domains)
        unseen = self.initial_score
        if unseen is None:
            unseen = math.log(50277) if self.variant == "released" else 1e-6
        uniform = frozen(np.full(d, 1.0 / d))
        counted = 1 if self.variant == "released" else 0
        return DoReMiState(frozen(np.full(d, unseen)), uniform, uniform, counted)

    def update(self, state: DoReMiState, feedback: Feedback, /) -> DoReMiState:
        """One update for every feedback that has an excess."""
        excess = feedback.excess_clipped if self.variant == "released" else feedback.excess
        if excess is None:
            return state
        seen = excess.observed
        if self.variant == "aioli":
            seen = seen & (excess.sums != 0)
        scores = np.where(seen, np.maximum(excess.means, 0.0), state.scores)
        weights = stepped(state.weights, self.eta * feedback.steps * scores, self.smoothing)
        count = state.averaged_steps + feedback.steps
        average = (state.average * state.averaged_steps + weights * feedback.steps) / count
        return DoReMiState(frozen(scores), frozen(weights), frozen(average), count)

    def stages(self, state: DoReMiState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def average(self, state: DoReMiState, /) -> FloatArray:
        """(d,) the running average: the mixture that the large model is to be trained on."""
        return np.asarray(state.average / state.average.sum())

    def dump(self, state: DoReMiState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "doremi",
            "scores": state.scores.tolist(),
            "weights": state.weights.tolist(),
            "average": state.average.tolist(),
            "averaged_steps": state.averaged_steps,
        }

    def load(self, raw: JsonObject, /) -> DoReMiState:
        """The state from its dump."""
        check_state(raw, "doremi", SCHEMA)
        scores, weights, average = (frozen(raw[name]) for name in ("scores", "weights", "average"))
        return DoReMiState(scores, weights, average, int(raw["averaged_steps"]))
