"""DUMP: in a stage of reinforcement learning, domains whose rollouts still surprise get more.

    score_i = mean of |advantage| over the last `window` rollouts of i  +  sqrt(2 ln(N + 1) / (n_i + 1))
    w = softmax(score / temperature)

with n_i all rollouts of domain i and N those of all domains. Domains that are always solved, or never, have
no advantage and lose weight; one that is hardly drawn gains by the second term, which shrinks as rollouts
are counted for ever. Advantages are absolute before they are added: signed ones cancel.

A report holds sums, so that its rollouts count with their mean: a window is a row of blocks, each a mean and
how many rollouts it stands for, and the oldest block loses rollouts as new ones come. With one rollout of a
domain in a report this is the published window, up to the number of domains at which a block for each of them
would exceed the size of a state; beyond it neighbouring reports are put into one block.

Source: Wang et al. 2025, arXiv:2504.09710, and the released code. A domain without rollouts has the mean 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import softmax
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1
MOST_DOMAINS = 300
_MOST_BLOCKS = 2000  # of all domains together: a dump of them is below 64 KB

Block = tuple[float, int]  # mean of |advantage|, rollouts


@dataclass(frozen=True, eq=False)
class DumpState:
    """State between updates.

    Args:
        windows: (d,) blocks of each domain, oldest first.
        counts: (d,) n, rollouts so far.
        weights: (d,) mixture of the last update.
    """

    windows: tuple[tuple[Block, ...], ...]
    counts: IntArray
    weights: FloatArray


@dataclass(frozen=True)
class Dump:
    """Hyperparameters; the defaults are those of the released code.

    Args:
        window: rollouts of a domain that its mean is over.
        temperature: of the softmax.
    """

    window: int = 300
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if self.window < 1 or not (np.isfinite(self.temperature) and self.temperature > 0):
            raise InvalidInputError(
                f"window {self.window}, temperature {self.temperature}: need at least 1 and a finite value "
                "> 0"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Absolute advantages of rollouts."""
        return frozenset({Signal.ADVANTAGES})

    def init(self, problem: MixtureProblem, /) -> DumpState:
        """Equal weights, whatever the prior, and no rollouts.

        Raises:
            InvalidInputError: there are too many domains for a state to keep their windows.
        """
        d = len(problem.domains)
        if d > MOST_DOMAINS:
            raise InvalidInputError(
                f"{d} domains: dump keeps windows of at most {MOST_DOMAINS}; put domains together"
            )
        return DumpState(((),) * d, np.zeros(d, dtype=np.int64), frozen(np.full(d, 1.0 / d)))

    def update(self, state: DumpState, feedback: Feedback, /) -> DumpState:
        """One update for every feedback that has rollouts."""
        advantages = feedback.advantages
        if advantages is None:
            return state
        seen = advantages.observed & np.isfinite(advantages.means)
        if not seen.any():
            return state
        grain = self.grain(len(seen))
        windows = tuple(
            self._slid(blocks, (float(mean), int(count)), grain) if fresh else blocks
            for blocks, mean, count, fresh in zip(
                state.windows, advantages.means, advantages.counts, seen, strict=True
            )
        )
        counts = state.counts + np.where(seen, advantages.counts, 0)
        bonus = np.sqrt(2 * np.log(counts.sum(dtype=np.float64) + 1) / (counts + 1))
        scores = np.array([_mean(blocks) for blocks in windows]) + bonus
        with np.errstate(over="ignore"):
            weights = softmax(scores / self.temperature)
        return DumpState(windows, counts, frozen(weights))

    def grain(self, d: int, /) -> int:
        """Rollouts that a block must hold before another is begun, with d domains."""
        # Two blocks of a window may hold fewer: the oldest, which is cut, and the newest, which grows.
        return -(-self.window // max(_MOST_BLOCKS // d - 2, 1))

    def stages(self, state: DumpState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: DumpState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "dump",
            "windows": [[part for block in blocks for part in block] for blocks in state.windows],
            "counts": state.counts.tolist(),
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> DumpState:
        """The state from its dump."""
        check_state(raw, "dump", SCHEMA)
        windows = tuple(tuple(zip(row[::2], row[1::2], strict=True)) for row in raw["windows"])
        return DumpState(windows, np.array(raw["counts"], dtype=np.int64), frozen(raw["weights"]))

    def _slid(self, blocks: tuple[Block, ...], newest: Block, grain: int) -> tuple[Block, ...]:
        """The window after some more rollouts."""
        if blocks and blocks[-1][1] < grain:
            newest = (_mean((blocks[-1], newest)), blocks[-1][1] + newest[1])
            blocks = blocks[:-1]
        room = self.window
        kept: list[Block] = []
        for mean, count in (newest, *reversed(blocks)):
            if room == 0:
                break
            kept.append((mean, min(count, room)))
            room -= kept[-1][1]
        return tuple(reversed(kept))


def _mean(blocks: Sequence[Block]) -> float:
    rollouts = sum(count for _, count in blocks)
    return sum(mean * (count / rollouts) for mean, count in blocks)
