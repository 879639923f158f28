"""What Aioli remembers inside a round, in at most 64 KB: effects between all domains are many numbers."""

from dataclasses import dataclass

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.policies.packing import packed, unpacked
from mixlaws.policy import check_state

SCHEMA = 1
MOST_DOMAINS = 100
_DOUBLE_DOMAINS = 60  # beyond, effects are kept in single precision: 100 x 100 of them are 53 KB


@dataclass(frozen=True, eq=False)
class AioliState:
    """State within a round.

    Args:
        keys: (d,) a number for each name, by which orders are drawn.
        base: (d,) what scores multiply.
        weights: (d,) mixture of the main stage.
        scores: (d,) logarithm of weights over base, up to a constant.
        effects: (d, d) D so far in this round: row j is the loss, column i the domain that was trained.
        order: (sweeps * d,) domains that are probed in this round, one after the other.
        round: number of the round, from 0.
        probed: probes that were read in this round; -1 before the evaluation that precedes them.
        losses: (d,) last evaluation of this round, nats per token.
        set_hash: evaluation set of those.
        columns: (d,) moving average of the column sums of A.
        broken: whether an evaluation of this round is missing or not comparable.
    """

    keys: tuple[int, ...]
    base: FloatArray
    weights: FloatArray
    scores: FloatArray
    effects: FloatArray
    order: tuple[int, ...]
    round: int = 0
    probed: int = -1
    losses: FloatArray | None = None
    set_hash: str = ""
    columns: FloatArray | None = None
    broken: bool = False

    def dump(self) -> JsonObject:
        """The state as JSON, with arrays as base64: as decimal numbers they would exceed 64 KB."""
        values: JsonObject = {name: getattr(self, name) for name in _PLAIN}
        values |= {name: list(values[name]) for name in ("keys", "order")}
        for name in _ARRAYS:
            array = getattr(self, name)
            values[name] = None if array is None else packed(array, "<f8")
        effects = packed(self.effects, _kind(len(self.keys)))
        return {"schema": SCHEMA, "policy": "aioli", **values, "effects": effects}

    @classmethod
    def load(cls, raw: JsonObject) -> "AioliState":
        """The state from its dump."""
        check_state(raw, "aioli", SCHEMA)
        values = {name: raw[name] for name in _PLAIN}
        values |= {name: tuple(raw[name]) for name in ("keys", "order")}
        values |= {name: None if raw[name] is None else unpacked(raw[name], "<f8") for name in _ARRAYS}
        d = len(values["keys"])
        return cls(**values, effects=frozen(unpacked(raw["effects"], _kind(d)).reshape(d, d)))


_PLAIN = ("keys", "order", "round", "probed", "set_hash", "broken")
_ARRAYS = ("base", "weights", "scores", "losses", "columns")


def stored(effects: FloatArray) -> FloatArray:
    """(d, d) effects at the precision in which a dump keeps them."""
    return frozen(effects.astype(_kind(len(effects))))


def _kind(d: int) -> str:
    return "<f8" if d <= _DOUBLE_DOMAINS else "<f4"
