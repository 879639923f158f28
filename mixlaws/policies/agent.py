"""Data mixing agent: a small network, trained on simulated runs, says which mixture comes next.

Whenever a span of feedback ends (`mixlaws.policies.portfolio_record`), the network turns what is known of
each domain into weights (`mixlaws.policies.agent_network`); until three spans are known the prior holds.

It was taught offline, by `python -m proxy_training.agent`: first to imitate good trajectories, then by
conservative Q-learning. It learnt from training losses on known curves and not, as published, from benchmark
scores of small models, and knows no more of the world than these curves.

Source: the idea is that of Yang et al. 2025, arXiv:2507.15640, known at second hand; no released code. Its
architecture and rewards are unverified, and those here are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, StateError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.agent_network import features, trained
from mixlaws.policies.portfolio_record import Record
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class AgentState:
    """State between updates.

    Args:
        prior: (d,) mixture that the job began with.
        held: (d,) tokens that each domain holds.
        record: losses of the past.
        weights: (d,) mixture of the last decision.
    """

    prior: FloatArray
    held: FloatArray
    record: Record
    weights: FloatArray


def looked(state: AgentState, feedback: Feedback, /) -> tuple[AgentState, FloatArray | None]:
    """The state with one more feedback, and (d, 7) features if a decision is due."""
    record = state.record.added(feedback)
    if not record.full:
        return replace(state, record=record), None
    state = replace(state, record=record.closed())
    return state, features(state.record, state.prior, state.held)


@dataclass(frozen=True)
class Agent:
    """Hyperparameters.

    Args:
        preference: share of the agent in the mixture; the rest is the prior.
        warmup_steps: steps at the start whose losses are not learnt from.
    """

    preference: float = 1.0
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.preference <= 1 or self.warmup_steps < 0:
            raise InvalidInputError(
                f"preference {self.preference}, warmup_steps {self.warmup_steps}: need 0 to 1, and >= 0"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses of the training batches."""
        return frozenset({Signal.LOSSES})

    def init(self, problem: MixtureProblem, /) -> AgentState:
        """The prior."""
        held = frozen(problem.domains.tokens)
        return AgentState(problem.prior, held, Record.start(len(held)), problem.prior)

    def update(self, state: AgentState, feedback: Feedback, /) -> AgentState:
        """Remember losses; if a span ends, decide anew."""
        if feedback.step <= self.warmup_steps:
            return state
        state, seen = looked(state, feedback)
        if seen is None:
            return state
        share = self.preference
        weights = share * trained().weights(seen) + (1 - share) * state.prior
        return replace(state, weights=frozen(weights / weights.sum()))

    def stages(self, state: AgentState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: AgentState, /) -> JsonObject:
        """The state as JSON, with the name of the network that decided."""
        return {
            "schema": SCHEMA,
            "policy": "agent",
            "network": trained().digest,
            "weights": state.weights.tolist(),
            "prior": state.prior.tolist(),
            "held": state.held.astype(np.int64).tolist(),
            "record": state.record.dump(),
        }

    def load(self, raw: JsonObject, /) -> AgentState:
        """The state from its dump.

        Raises:
            StateError: another network decided.
        """
        check_state(raw, "agent", SCHEMA)
        if raw.get("network") != trained().digest:
            raise StateError(
                f"the state is of network {raw.get('network')!r}, this is {trained().digest!r}: fold the log "
                "of the job again"
            )
        prior, held, weights = (frozen(raw[name]) for name in ("prior", "held", "weights"))
        return AgentState(prior, held, Record.load(raw["record"]), weights)
