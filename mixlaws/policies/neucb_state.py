"""What the contextual bandit remembers between updates."""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.policies.neucb_regression import Rewards
from mixlaws.policy import check_state

SCHEMA = 1
FEATURES = 5  # of a context


@dataclass(frozen=True, eq=False)
class NeucbState:
    """State between updates; NaN for what is not yet known.

    Args:
        prior: (d,) natural mixture.
        held: (d,) tokens that each domain holds.
        read: (d,) tokens read so far.
        sums: (d,) summed token losses of the round under way, nats.
        counts: (d,) tokens behind them.
        losses: (d,) mean losses of the last round that ended, nats per token.
        middle: (d,) tokens read at its middle.
        first: (d,) losses of the first round.
        recent: (d,) running mean of losses without the last one.
        slope: (d,) running mean of rewards, nats per logarithm of tokens.
        rewards: sums of the regressions.
        weights: (d,) mixture of the last update.
        set_hash: evaluation set of the losses, where they are of one.
    """

    prior: FloatArray
    held: FloatArray
    read: FloatArray
    sums: FloatArray
    counts: FloatArray
    losses: FloatArray
    middle: FloatArray
    first: FloatArray
    recent: FloatArray
    slope: FloatArray
    rewards: Rewards
    weights: FloatArray
    set_hash: str = ""

    @classmethod
    def start(cls, prior: FloatArray, held: FloatArray) -> "NeucbState":
        """Before any feedback."""
        d = len(prior)
        zero, unknown = frozen(np.zeros(d)), frozen(np.full(d, np.nan))
        rewards = Rewards.none(d, FEATURES)
        return cls(
            prior, frozen(held), zero, zero, zero, unknown, unknown, unknown, unknown, unknown, rewards, prior
        )

    def dump(self) -> JsonObject:
        """The state as JSON."""
        rows = {name: [_written(value) for value in getattr(self, name).tolist()] for name in _ROWS}
        return {
            "schema": SCHEMA,
            "policy": "neucb",
            **rows,
            **self.rewards.dump(),
            "set_hash": self.set_hash,
        }

    @classmethod
    def load(cls, raw: JsonObject) -> "NeucbState":
        """The state from its dump."""
        check_state(raw, "neucb", SCHEMA)
        rows = {name: frozen([np.nan if one is None else one for one in raw[name]]) for name in _ROWS}
        return cls(**rows, rewards=Rewards.load(raw, FEATURES), set_hash=str(raw["set_hash"]))


_ROWS = (
    "prior", "held", "read", "sums", "counts", "losses", "middle", "first", "recent", "slope", "weights",
)  # fmt: skip


def _written(value: float) -> float | None:
    return None if np.isnan(value) else value
