"""What a step measured, by kind: sums that add up over the steps of a report, and snapshots that do not.

Additive kinds are given in the order of the client's domains, as sequences, NumPy arrays or torch tensors
on the CPU; a report holds them by domain name. Sums and counts, never means: means cannot be added.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any, TypedDict


@dataclass(frozen=True)
class Excess:
    """Losses in excess of a reference model's, summed over tokens by domain.

    Args:
        sums: summed differences, nats, in the order of the client's domains.
        counts: tokens behind those sums; 0 where a domain was not observed.
        reference: name of the reference model; differences to two models are never added.
    """

    sums: Sequence[float]
    counts: Sequence[int]
    reference: str


@dataclass(frozen=True)
class Evaluation:
    """Losses on an evaluation set that stays the same.

    Args:
        sums: summed token losses, nats, in the order of the client's domains.
        counts: tokens behind those sums; 0 where a domain was not evaluated.
        set: hash or name of the evaluation set; losses on different sets are not comparable.
        step: optimiser steps made when it was taken; by default those up to the recorded step, it included.
    """

    sums: Sequence[float]
    counts: Sequence[int]
    set: str
    step: int | None = None


class Signals(TypedDict, total=False):
    """Further measurements of a step, by kind; a job's definition says which of them its policy needs.

    The first four add up over the steps of a report. The others are snapshots, and their report is sent at
    once; those without a class of their own are any JSON object.
    """

    loss_squares: Sequence[float]  # summed squares of token losses
    sequence_counts: Sequence[int]  # sequences drawn
    excess: Excess
    excess_clipped: Excess  # max(0, difference) of every token
    eval_losses: Evaluation
    gram: Mapping[str, Any]
    grad_products: Mapping[str, Any]
    grad_norms: Mapping[str, Any]
    expert_counts: Mapping[str, Any]
    advantages: Mapping[str, Any]
    bench_scores: Mapping[str, Any]
    influence: Mapping[str, Any]


_SUMS, _COUNTS = ("loss_squares",), ("sequence_counts",)
_EXCESSES, _EVALUATIONS = ("excess", "excess_clipped"), ("eval_losses",)
_LARGEST = 1 << 53  # up to which a float holds every integer
KINDS = tuple(Signals.__annotations__)


@dataclass
class Measured:
    """A step's measurements, or those of several steps added up.

    Args:
        sums: (d,) sums and counts by field: `loss_sums`, `token_counts`, `loss_squares`, `excess.sums`, ...
        references: reference model of each kind of excess.
        snapshots: kinds that are not added up, as a report holds them; of `eval_losses`, lists and no names.
    """

    sums: dict[str, list[float]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    snapshots: dict[str, Any] = field(default_factory=dict)

    def adds_up_with(self, other: "Measured") -> bool:
        """Whether both measured the same: sums over fewer steps than the losses' would be misread."""
        return self.sums.keys() == other.sums.keys() and self.references == other.references

    def add(self, step: "Measured") -> None:
        """Add a step that `adds_up_with` this."""
        for name, values in step.sums.items():
            self.sums[name] = list(map(add, self.sums[name], values))
        self.snapshots |= step.snapshots

    def join(self, other: "Measured") -> None:
        """Take further kinds of the same step."""
        self.sums |= other.sums
        self.references |= other.references
        self.snapshots |= other.snapshots

    def fields(self, domains: Sequence[str]) -> dict[str, Any]:
        """`loss_sums`, `token_counts`, `signals` and `non_finite` of a report, by domain name.

        A sum that is not finite becomes null, and its domain is named in `non_finite`.
        """
        strange: set[str] = set()

        def named(name: str, values: list[float]) -> dict[str, float | None]:
            if name.endswith("counts"):
                return dict(zip(domains, map(int, values), strict=True))
            by_name: dict[str, float | None] = dict(zip(domains, values, strict=True))
            if not math.isfinite(sum(values)):
                spoilt = [d for d, value in zip(domains, values, strict=True) if not math.isfinite(value)]
                strange.update(spoilt)
                by_name |= dict.fromkeys(spoilt)
            return by_name

        sums = {name: named(name, values) for name, values in self.sums.items()}
        signals: dict[str, Any] = {name: sums[name] for name in (*_SUMS, *_COUNTS) if name in sums}
        for kind, reference in self.references.items():
            parts = {part: sums[f"{kind}.{part}"] for part in ("sums", "counts")}
            signals[kind] = {**parts, "reference": reference}
        for kind, value in self.snapshots.items():
            signals[kind] = value
            if kind in _EVALUATIONS:
                signals[kind] = {**value, **{part: named(part, value[part]) for part in ("sums", "counts")}}
        return {
            "loss_sums": sums["loss_sums"],
            "token_counts": sums["token_counts"],
            "non_finite": [domain for domain in domains if domain in strange],
            "signals": signals,
        }


NOTHING = Measured()  # shared, and never added to


def read_losses(loss_sums: Sequence[float], token_counts: Sequence[int], *, domains: int) -> Measured:
    """Check the training losses of a step.

    Raises:
        ValueError: not one number for each domain, or negative counts.
        TypeError: no numbers.
    """
    return Measured(
        {"loss_sums": _floats(loss_sums, domains), "token_counts": _counts(token_counts, domains)}
    )


def read_signal(kind: str, value: Any, into: Measured, *, domains: int, step: int) -> None:
    """Check a further measurement of a step and add its field; what cannot be used leaves no trace.

    Raises:
        ValueError: an unknown kind, not one number for each domain, or negative counts.
        TypeError, AttributeError: something else than the kind is made of.
    """
    if kind in _SUMS:
        into.sums[kind] = _floats(value, domains)
    elif kind in _COUNTS:
        into.sums[kind] = _counts(value, domains)
    elif kind in _EXCESSES:
        sums, counts = _floats(value.sums, domains), _counts(value.counts, domains)
        into.references[kind] = str(value.reference)
        into.sums |= {f"{kind}.sums": sums, f"{kind}.counts": counts}
    elif kind in _EVALUATIONS:
        into.snapshots[kind] = {
            "sums": _floats(value.sums, domains),
            "counts": _counts(value.counts, domains),
            "set": str(value.set),
            "step": step + 1 if value.step is None else int(value.step),
        }
    elif kind in KINDS:
        if not isinstance(value, Mapping):
            raise TypeError(
                f"{kind} is a {type(value).__name__}: give a mapping, which becomes a JSON object"
            )
        # Read back, so that what the trainer does with its arrays later is not seen here.
        into.snapshots[kind] = json.loads(json.dumps(value, allow_nan=False, default=_plain))
    else:
        raise ValueError(f"unknown kind of signal {kind!r}: there are {', '.join(KINDS)}")


def _counts(values: Any, domains: int) -> list[float]:
    numbers = _floats(values, domains)
    if not (min(numbers) >= 0 and sum(numbers) <= _LARGEST):
        raise ValueError(f"counts {numbers}: each must be from 0 to 2^53")
    return numbers


def _floats(values: Any, domains: int) -> list[float]:
    numbers = list(map(float, _plain(values)))
    if len(numbers) != domains:
        raise ValueError(f"{len(numbers)} numbers for {domains} domains")
    return numbers


def copied(values: Any) -> list[Any]:
    """A list of what a trainer measured; it may write into its arrays at the next step.

    Raises:
        TypeError: it is no sequence.
    """
    return list(_plain(values))


def _plain(values: Any) -> Any:
    """Lists of NumPy and torch; reading their elements one by one takes ten times as long."""
    return values.tolist() if hasattr(values, "tolist") else values
