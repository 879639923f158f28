"""What ADO remembers between updates; its history is the stored feedback and not part of it."""

from dataclasses import dataclass

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.policy import check_state

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class AdoState:
    """State between updates.

    Args:
        prior: (d,) mu.
        credit: (d,) h, a moving average of what was drawn.
        average: (d,) r, the long average of rho.
        weights: (d,) mixture of the last update.
        samples: (d,) n, samples drawn so far.
        next_fit: number of the step from which the next fit is due.
        fit_due: step at which a fit fell due that is still to be absorbed.
        curves: (d, 3) b, e, a of each domain, or None before the first fit.
        refitted: whether curves came since the last mixture.
        version: newest schedule version that feedback came of.
        credited_step: step at which h moved last.
        resume_step: step at which the variant `mixtera_v3` computes again.
        handed_out: whether a mixture was computed before.
    """

    prior: FloatArray
    credit: FloatArray
    average: FloatArray
    weights: FloatArray
    samples: FloatArray
    next_fit: int
    fit_due: int | None = None
    curves: FloatArray | None = None
    refitted: bool = False
    version: int | None = None
    credited_step: int = 0
    resume_step: int | None = None
    handed_out: bool = False

    def dump(self) -> JsonObject:
        """The state as JSON."""
        values = {name: getattr(self, name) for name in (*_ARRAYS, *_PLAIN)}
        listed = {name: values[name].tolist() for name in _ARRAYS}
        curves = None if self.curves is None else self.curves.tolist()
        return {"schema": SCHEMA, "policy": "ado", **values, **listed, "curves": curves}

    @classmethod
    def load(cls, raw: JsonObject) -> "AdoState":
        """The state from its dump."""
        check_state(raw, "ado", SCHEMA)
        values = {name: raw[name] for name in _PLAIN} | {name: frozen(raw[name]) for name in _ARRAYS}
        return cls(**values, curves=None if raw["curves"] is None else frozen(raw["curves"]))


_ARRAYS = ("prior", "credit", "average", "weights", "samples")
_PLAIN = (
    "next_fit",
    "fit_due",
    "refitted",
    "version",
    "credited_step",
    "resume_step",
    "handed_out",
)
