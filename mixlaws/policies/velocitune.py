"""Velocitune: domains that have learnt the smaller part of what they are to learn get more.

    V_i = (L_i - target_i) / (initial_i - target_i), held within [0, 1]
    w_i  proportional to  w_i exp(V_i)             at every evaluation that is due

V = 1 means that nothing was learnt, 0 that the target is reached. The published targets are the losses that a
scaling law tells for all data, fitted to a run on some of it (`mixlaws.scaling.chinchilla`).

Source: Luo et al. 2024, arXiv:2411.14318, known to us from notes; no released code. A domain whose initial
loss is not above its target has V = 0. One that an evaluation leaves out keeps its last V, which is 1 before
the first. The paper holds no weight above a floor; a guard of .01 is a good idea.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import multiplied
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1
_LEAST_RANGE = 1e-9  # nats between initial loss and target under which nothing is left to learn


@dataclass(frozen=True, eq=False)
class VelocituneState:
    """State between evaluations.

    Args:
        initial: (d,) losses at the start, nats per token; NaN where not yet known.
        target: (d,) losses to reach, nats per token.
        velocities: (d,) V of the last update.
        set_hash: evaluation set of all losses; None before the first.
        updated: step of the last update.
        weights: (d,) mixture of the last update.
    """

    initial: FloatArray
    target: FloatArray
    velocities: FloatArray
    set_hash: str | None
    updated: int
    weights: FloatArray


@dataclass(frozen=True)
class Velocitune:
    """Hyperparameters.

    Args:
        target_losses: loss to reach by domain, nats per token; every domain needs one.
        initial_losses: loss at the start by domain; by default those of the first evaluation.
        update_every: least number of steps between two updates; evaluations in between are left out.
        eta: factor of V in the exponent; 1 as published.
    """

    target_losses: Mapping[str, float] | None = None
    initial_losses: Mapping[str, float] | None = None
    update_every: int = 1
    eta: float = 1.0

    def __post_init__(self) -> None:
        if self.update_every < 1 or not (np.isfinite(self.eta) and self.eta >= 0):
            raise InvalidInputError(
                f"update_every {self.update_every}, eta {self.eta}: need at least 1 and a finite value >= 0"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses on an evaluation set of every domain."""
        return frozenset({Signal.EVALUATIONS})

    def init(self, problem: MixtureProblem, /) -> VelocituneState:
        """The prior, and losses at their start.

        Raises:
            InvalidInputError: target losses are missing or not finite.
            UnknownDomainError: a loss is given for a domain that the problem does not have.
            MissingDomainError: a domain was given no loss.
        """
        domains = problem.domains
        if self.target_losses is None:
            raise InvalidInputError(
                "velocitune needs target_losses: the loss of every domain that training should reach"
            )
        unknown = np.full(len(domains), np.nan)
        target = domains.to_array(self.target_losses)
        initial = unknown if self.initial_losses is None else domains.to_array(self.initial_losses)
        if not np.all(np.isfinite(target)) or (self.initial_losses and not np.all(np.isfinite(initial))):
            raise InvalidInputError("a target or initial loss is NaN or infinite: give finite losses")
        velocities = frozen(np.ones(len(domains)))
        return VelocituneState(frozen(initial), frozen(target), velocities, None, 0, problem.prior)

    def update(self, state: VelocituneState, feedback: Feedback, /) -> VelocituneState:
        """One update, if an evaluation of the known set is due."""
        evaluation = feedback.evaluation
        if evaluation is None or not evaluation.observed.any():
            return state
        other_set = state.set_hash is not None and evaluation.set_hash != state.set_hash
        too_early = state.set_hash is not None and evaluation.step - state.updated < self.update_every
        if other_set or too_early:
            return state
        losses = evaluation.means
        initial = np.where(np.isnan(state.initial), losses, state.initial)
        reach = initial - state.target
        share = np.divide(losses - state.target, reach, out=np.zeros(len(reach)), where=reach > _LEAST_RANGE)
        velocities = np.where(evaluation.observed, np.clip(share, 0.0, 1.0), state.velocities)
        return replace(
            state,
            initial=frozen(initial),
            velocities=frozen(velocities),
            set_hash=evaluation.set_hash,
            updated=evaluation.step,
            weights=frozen(multiplied(state.weights, self.eta * velocities)),
        )

    def stages(self, state: VelocituneState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: VelocituneState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "velocitune",
            "initial": [None if math.isnan(loss) else loss for loss in state.initial.tolist()],
            "target": state.target.tolist(),
            "velocities": state.velocities.tolist(),
            "set_hash": state.set_hash,
            "updated": state.updated,
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> VelocituneState:
        """The state from its dump."""
        check_state(raw, "velocitune", SCHEMA)
        return VelocituneState(
            frozen([np.nan if loss is None else loss for loss in raw["initial"]]),
            frozen(raw["target"]),
            frozen(raw["velocities"]),
            raw["set_hash"],
            int(raw["updated"]),
            frozen(raw["weights"]),
        )
