"""Online data mixing: every domain is an arm of a bandit, its training loss the reward.

Source: Albalak et al. 2023, arXiv:2312.02406, and the released code, whose arithmetic differs from the
paper's Algorithm 1. With d domains, the exploration floor at training iteration s is

    eps <- min(1/d, sqrt(ln d / (d s)))            (eps' is the floor of the update before)

and the variants are

    smoothed_mean, group    R_i <- a R_i + (1 - a) exp(l_i);    w_i = (1 - d eps) R_i / sum(R) + eps
    smoothed_mean, single   the same R_i for one domain;        w_i = (1 - d eps) softmax(eps' R)_i + eps
    exp3, group or single   R_i <- R_i + c l_i / w_i;           w_i = (1 - d eps) softmax(eps' R)_i + eps
    paper                   w as in the line above from the R before; then R_i <- a R_i + (1 - a) l_i / w_i
                            (unverified: Algorithm 1 is given from memory in our notes)

The released training loop uses `smoothed_mean` with the group update: the share of a domain follows a
moving average of its perplexity. While eps = 1/d (the first d ln d iterations) the mixture is uniform,
whatever the prior. Losses of domains that were not drawn are left as they are, never imputed.

Nothing is clamped here: clamps on losses and floors on weights are guards, applied around any policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import softmax
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class OdmState:
    """State of the bandit.

    Args:
        rewards: (d,) R, in the unit of the variant.
        exploration: eps of the last update.
        weights: (d,) mixture that the last update gave.
    """

    rewards: FloatArray
    exploration: float
    weights: FloatArray


@dataclass(frozen=True)
class Odm:
    """Hyperparameters; the defaults are those of the released code.

    Args:
        variant: which reward and which map to weights, as listed on top.
        update_kind: whether a report counts as one update of all its domains, or as one update of each.
        smoothing: a, weight of the past in a moving average.
        reward_scale: c of the exp3 variant.
        warmup_steps: no update up to this iteration.
        update_every: updates happen at iterations that are its multiples; a report counts by its last step.
    """

    variant: Literal["smoothed_mean", "exp3", "paper"] = "smoothed_mean"
    update_kind: Literal["group", "single"] = "group"
    smoothing: float = 0.9
    reward_scale: float = 0.1
    warmup_steps: int = 0
    update_every: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise InvalidInputError(f"smoothing is {self.smoothing}: use a value from 0 to below 1")
        if self.warmup_steps < 0 or self.update_every < 1:
            raise InvalidInputError(
                f"warmup_steps {self.warmup_steps}, update_every {self.update_every}: need >= 0 and >= 1"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses of the training batches."""
        return frozenset({Signal.LOSSES})

    def init(self, problem: MixtureProblem, /) -> OdmState:
        """No rewards, the largest floor, the prior as mixture."""
        d = len(problem.domains)
        return OdmState(frozen(np.zeros(d)), 1.0 / d, problem.prior)

    def update(self, state: OdmState, feedback: Feedback, /) -> OdmState:
        """One update, if the iteration is due and a domain was observed."""
        iteration = feedback.step
        due = iteration > self.warmup_steps and iteration % self.update_every == 0
        # Tokens of a domain of weight 0 are leftovers of an older mixture: their importance is undefined.
        seen = feedback.observed & ((feedback.weights > 0) | (self.variant == "smoothed_mean"))
        observed = np.flatnonzero(seen)
        if not due or len(observed) == 0:
            return state
        if self.update_kind == "group":
            return self._apply(state, feedback, observed, iteration)
        for domain in observed:
            state = self._apply(state, feedback, observed[observed == domain], iteration)
        return state

    def stages(self, state: OdmState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: OdmState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "odm",
            "rewards": state.rewards.tolist(),
            "exploration": state.exploration,
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> OdmState:
        """The state from its dump."""
        check_state(raw, "odm", SCHEMA)
        return OdmState(frozen(raw["rewards"]), float(raw["exploration"]), frozen(raw["weights"]))

    def _apply(self, state: OdmState, feedback: Feedback, observed: IntArray, iteration: int) -> OdmState:
        d = len(state.rewards)
        exploration = float(min(1.0 / d, np.sqrt(np.log(d) / (d * iteration))))
        losses = feedback.losses[observed]
        # Importance weights are those of the draw: a reward over today's weights is biased by their ratio.
        drawn_with = feedback.weights[observed]
        rewards = state.rewards.copy()
        moved = state.rewards
        if self.variant == "smoothed_mean":
            rewards[observed] = self.smoothing * rewards[observed] + (1 - self.smoothing) * np.exp(losses)
            moved = rewards
        elif self.variant == "exp3":
            rewards[observed] += self.reward_scale * losses / drawn_with
            moved = rewards
        linear = self.variant == "smoothed_mean" and self.update_kind == "group"
        shares = moved / moved.sum() if linear else softmax(state.exploration * moved)
        weights = (1 - d * exploration) * shares + exploration
        weights = weights / weights.sum()
        if self.variant == "paper":
            gain = (1 - self.smoothing) * losses / drawn_with
            rewards[observed] = self.smoothing * rewards[observed] + gain
        return replace(state, rewards=frozen(rewards), exploration=exploration, weights=frozen(weights))
