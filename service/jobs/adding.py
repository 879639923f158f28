"""Signals of all sources of one step, as what a policy is told of them.

Sums and counts are added over the sources, as far as they are of the same reference model, evaluation set and
step, or layer of experts. Of others only those with the largest counts are taken.

What is no sum cannot be added: gradients are added before they are multiplied, and what was multiplied for
each source alone is not a part of the product. Of these kinds the source with the largest counts is taken
whole. Where counts are equal it is the first source.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Evaluation, Signal, TokenSums
from mixlaws.measurements import (
    BenchmarkScores,
    ExpertCounts,
    GradientNorms,
    GradientProducts,
    Gram,
    Influence,
)

Part = Mapping[str, Any]  # one kind, as one source sent it


def added(domains: DomainSet, signals: Sequence[Part]) -> dict[str, Any]:
    """Fields of `Feedback`, by name, for the kinds that any source sent.

    A null counts as not observed, and so does a sum beyond all floats.

    Args:
        domains: in the order of axis d.
        signals: the stored signals of each source, sources in the order of their names.

    Raises:
        UnknownDomainError: a domain is not in the set.
        InvalidInputError: a domain is named in two spellings.
    """
    if not any(signals):
        return {}
    fields: dict[str, Any] = {}
    for kind, read in _READERS.items():
        parts = [part[kind] for part in signals if part.get(kind) is not None]
        if parts:
            fields[kind.field] = read(domains, parts)
    return fields


def check(domains: DomainSet, signals: Part) -> None:
    """Check that the signals of one report are of these domains.

    Raises:
        UnknownDomainError: a domain is not in the set.
        InvalidInputError: a domain is named in two spellings.
    """
    added(domains, [signals])


def sent(signals: Part) -> set[str]:
    """The kinds in a report."""
    return {kind for kind, measured in signals.items() if measured is not None}


def _numbers(domains: DomainSet, values: Mapping[str, float | None]) -> FloatArray:
    """(d,) numbers; NaN where there is none."""
    known = {name: np.nan if value is None else value for name, value in values.items()}
    return domains.to_array(known, missing=np.nan)


def _counts(domains: DomainSet, values: Mapping[str, int]) -> IntArray:
    """(d,) counts; 0 where there is none."""
    return domains.to_array(values, missing=0).astype(np.int64)


def _rows(domains: DomainSet, rows: Mapping[str, FloatArray], absent: FloatArray) -> FloatArray:
    """(d, ...) rows in the order of domains, `absent` where there is none."""
    places = domains.to_array({name: at for at, name in enumerate(rows)}, missing=-1)
    return np.array([*rows.values(), absent])[places.astype(np.int64)]


def _products(
    domains: DomainSet, rows: Mapping[str, Mapping[str, float | None]]
) -> tuple[FloatArray, tuple[str, ...]]:
    """(d, t) numbers by domain and target, NaN where there is none, and the targets."""
    targets = tuple(sorted({name for row in rows.values() for name in row}))
    lists = {name: [row.get(target) for target in targets] for name, row in rows.items()}
    arrays = {name: np.array(row, dtype=np.float64) for name, row in lists.items()}
    return _rows(domains, arrays, np.full(len(targets), np.nan)), targets


def _together(parts: Sequence[Part], label: Callable[[Part], Hashable], size: str) -> list[Part]:
    """Parts that may be added: those of the label with the largest counts."""
    alike: dict[Hashable, list[Part]] = {}
    for part in parts:
        alike.setdefault(label(part), []).append(part)
    return max(alike.values(), key=lambda group: sum(_total(part[size]) for part in group))


def _largest(parts: Sequence[Part], size: str) -> Part:
    return max(parts, key=lambda part: _total(part[size]))


def _total(counts: Any) -> float:
    """Everything that was counted: a number, or numbers by name, or numbers by name and expert."""
    if isinstance(counts, Mapping):
        counts = list(counts.values())
    return sum(map(_total, counts)) if isinstance(counts, list) else counts


def _added_sums(
    domains: DomainSet, parts: Sequence[Part], sums: str = "sums", counts: str = "counts"
) -> tuple[FloatArray, IntArray]:
    """(d,) sums and the counts behind them; both 0 where nobody observed a domain."""
    measured = np.array([_numbers(domains, part[sums]) for part in parts])
    behind = np.array([_counts(domains, part[counts]) for part in parts])
    usable = np.isfinite(measured) & (behind > 0)
    with np.errstate(over="ignore"):
        total = np.where(usable, measured, 0.0).sum(axis=0)
    usable &= np.isfinite(total)
    return np.where(np.isfinite(total), total, 0.0), np.where(usable, behind, 0).sum(axis=0)


def _loss_squares(domains: DomainSet, parts: Sequence[Part]) -> FloatArray:
    squares = np.array([_numbers(domains, part) for part in parts])
    known = np.isfinite(squares)
    with np.errstate(over="ignore"):
        total = np.where(known, squares, 0.0).sum(axis=0)
    return np.where(known.any(axis=0) & np.isfinite(total), total, np.nan)


def _sequence_counts(domains: DomainSet, parts: Sequence[Part]) -> IntArray:
    return np.asarray(np.sum([_counts(domains, part) for part in parts], axis=0))


def _excess(domains: DomainSet, parts: Sequence[Part]) -> TokenSums:
    return TokenSums(*_added_sums(domains, _together(parts, lambda part: part["reference"], "counts")))


def _evaluation(domains: DomainSet, parts: Sequence[Part]) -> Evaluation:
    alike = _together(parts, lambda part: (part["set"], part["step"]), "counts")
    sums, counts = _added_sums(domains, alike)
    return Evaluation(sums, counts, step=alike[0]["step"], set_hash=alike[0]["set"])


def _gram(domains: DomainSet, parts: Sequence[Part]) -> Gram:
    part = _largest(parts, "counts")
    rows = {name: _numbers(domains, row) for name, row in part["upper"].items()}
    given = _rows(domains, rows, np.full(len(domains), np.nan))
    known = np.isfinite(given)
    if (known & known.T & ~np.eye(len(domains), dtype=bool)).any():
        raise InvalidInputError("gram: the product of two domains is given twice: give each pair once")
    counts = _counts(domains, part["counts"])
    products = np.where(np.multiply.outer(counts > 0, counts > 0), np.where(known, given, given.T), np.nan)
    return Gram(products, counts, part["layers"])


def _grad_products(domains: DomainSet, parts: Sequence[Part]) -> GradientProducts:
    part = _largest(parts, "counts")
    counts = _counts(domains, part["counts"])
    products, targets = _products(domains, part["products"])
    products = np.where(counts[:, None] > 0, products, np.nan)
    norms = np.where(counts > 0, _numbers(domains, part.get("norms", {})), np.nan)
    return GradientProducts(products, norms, counts, part["learning_rate"], targets)


def _grad_norms(domains: DomainSet, parts: Sequence[Part]) -> GradientNorms:
    part = _largest(parts, "batch")
    square_norms, variances = (_numbers(domains, part[name]) for name in ("square_norms", "variances"))
    return GradientNorms(square_norms, variances, part["batch"])


def _expert_counts(domains: DomainSet, parts: Sequence[Part]) -> ExpertCounts:
    def experts(part: Part) -> int:
        return len(next(iter(part["counts"].values())))

    alike = _together(parts, lambda part: (part["layer"], part["gate"], experts(part)), "counts")
    absent = np.zeros(experts(alike[0]))
    counts = np.array([_rows(domains, part["counts"], absent) for part in alike]).sum(axis=0)
    return ExpertCounts(counts, alike[0]["layer"], alike[0]["gate"])


def _advantages(domains: DomainSet, parts: Sequence[Part]) -> TokenSums:
    return TokenSums(*_added_sums(domains, parts, "absolute_sums", "rollouts"))


def _bench_scores(_: DomainSet, parts: Sequence[Part]) -> BenchmarkScores:
    part = max(parts, key=lambda part: len(part["scores"]))
    scores = {name: float(score) for name, score in sorted(part["scores"].items()) if score is not None}
    return BenchmarkScores(scores, part["checkpoint"])


def _influence(domains: DomainSet, parts: Sequence[Part]) -> Influence:
    part = _largest(parts, "tokens")
    influence, targets = _products(domains, part["influence"])
    return Influence(influence, targets, part["method"], part["tokens"])


_READERS: Mapping[Signal, Callable[[DomainSet, Sequence[Part]], Any]] = {
    Signal.LOSS_SQUARES: _loss_squares,
    Signal.SEQUENCES: _sequence_counts,
    Signal.EXCESS_CLIPPED: _excess,
    Signal.EXCESS: _excess,
    Signal.EVALUATIONS: _evaluation,
    Signal.GRAM: _gram,
    Signal.GRAD_PRODUCTS: _grad_products,
    Signal.GRAD_NORMS: _grad_norms,
    Signal.EXPERT_COUNTS: _expert_counts,
    Signal.ADVANTAGES: _advantages,
    Signal.BENCH_SCORES: _bench_scores,
    Signal.INFLUENCE: _influence,
}
