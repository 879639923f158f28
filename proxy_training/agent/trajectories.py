"""Simulated runs to learn from: what the agent would have seen, what was done, and what came of it.

Every run follows random mixtures for some decisions. The good decisions after those read what the best fixed
mixture of the run still lacks, were it to be reached after half as many tokens again; there is a little noise
in them. The reward of a decision is the fall of the mean loss until the next one, without noise, nats.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mixlaws.arrays import FloatArray, frozen
from mixlaws.feedback import Feedback
from mixlaws.live_environments import ENVIRONMENTS, OTHERS
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import Pace
from mixlaws.policies.agent import Agent, AgentState, looked

# The agent is judged on other shapes as well: narrow, wide, logarithmic and shifted are not among these.
SHAPES = {**ENVIRONMENTS, "dozen": OTHERS["dozen"], "settled": OTHERS["settled"]}
FIRST_SEED = 100_000  # far from those that anything is judged on
PACE = Pace(steps=2000, batch=768)
_CONCENTRATION, _LEAST = 200.0, 0.05  # of the noise around a good decision
_REACH = 0.5  # of the tokens read, until which what is lacking is to be made good
_MOST_AIMLESS = 30  # a run has about 35 decisions


@dataclass(frozen=True, eq=False)
class Decision:
    """One decision of a run.

    Args:
        seen: (d, 7) features.
        mixture: (d,) what was decided.
        reward: fall of the mean loss until the next decision, nats.
        following: (d, 7) features at the next decision; None at the last one.
        good: whether it was a good one.
    """

    seen: FloatArray
    mixture: FloatArray
    reward: float
    following: FloatArray | None
    good: bool


def decisions(runs: int, rng: np.random.Generator) -> list[Decision]:
    """Decisions of so many runs of every shape."""
    found: list[Decision] = []
    for number in range(FIRST_SEED, FIRST_SEED + runs):
        for make in SHAPES.values():
            world = make(np.random.default_rng(number), PACE)
            explorer = _Explorer(world, rng, aimless=int(rng.integers(0, _MOST_AIMLESS + 1)))
            world.play(explorer, rng=np.random.default_rng([number, 1]))
            found.extend(explorer.decided())
    return found


@dataclass(frozen=True, eq=False)
class _Decided:
    seen: FloatArray
    mixture: FloatArray
    loss: float
    good: bool


class _Explorer:
    """A policy with the agent's eyes, which keeps what it saw and did; `aimless` decisions come first."""

    def __init__(self, world: LiveSimulation, rng: np.random.Generator, *, aimless: int) -> None:
        self._agent, self._world, self._rng, self._aimless = Agent(), world, rng, aimless
        self._kept: list[_Decided] = []
        self.signals, self.init, self.stages = self._agent.signals, self._agent.init, self._agent.stages
        self.dump, self.load = self._agent.dump, self._agent.load

    def update(self, state: AgentState, feedback: Feedback, /) -> AgentState:
        """As the agent, but for the decision."""
        state, seen = looked(state, feedback)
        if seen is None:
            return state
        read, good = state.record.read, len(self._kept) >= self._aimless
        mixture = self._lacking(read) if good else self._rng.dirichlet(np.ones(len(read)))
        loss = float(self._world.truth.losses(read).mean())
        self._kept.append(_Decided(seen, mixture, loss, good))
        return replace(state, weights=frozen(mixture))

    def decided(self) -> Iterator[Decision]:
        """What was decided, with what came of it."""
        for number, (one, later) in enumerate(pairwise(self._kept), start=2):
            following = None if number == len(self._kept) else later.seen
            yield Decision(one.seen, one.mixture, one.loss - later.loss, following, one.good)

    def _lacking(self, read: FloatArray) -> FloatArray:
        """(d,) what the best mixture lacks, with a little noise."""
        lacking = np.maximum(self._world.optimum * (1 + _REACH) * read.sum() - read, 0.0)
        return self._rng.dirichlet(_CONCENTRATION * lacking / lacking.sum() + _LEAST)
