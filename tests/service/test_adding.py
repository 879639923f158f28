"""Signals of several sources, added: as if one source had measured everything."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, UnknownDomainError
from mixlaws.feedback import Feedback, Signal
from service.jobs.adding import added, check
from service.jobs.signals import SignalsBody
from tests.support.steering import permuted

DOMAINS = DomainSet(("web", "code", "law"), (9, 3, 1))
ORDER = np.array([2, 0, 1])
TURNED = DomainSet(tuple(DOMAINS.names[at] for at in ORDER), tuple(DOMAINS.tokens[at] for at in ORDER))
# What a source measured of each domain it saw: a sum, or None if it was not finite, and the count behind it.
# Whole numbers, so that sums do not depend on their order.
SEEN = st.dictionaries(
    st.sampled_from(DOMAINS.names),
    st.tuples(st.none() | st.integers(0, 1000).map(float), st.integers(0, 50)),
    max_size=3,
)
ADDED = {Signal.LOSS_SQUARES, Signal.SEQUENCES, Signal.EXCESS, Signal.EXCESS_CLIPPED, Signal.EVALUATIONS,
         Signal.EXPERT_COUNTS, Signal.ADVANTAGES}  # fmt: skip
Seen = Mapping[str, tuple[float | None, int]]


def signals_of(seen: Seen) -> dict[str, Any]:
    """A report that holds these numbers in every kind."""
    sums = {name: value for name, (value, _) in seen.items()}
    counts = {name: count for name, (_, count) in seen.items()}
    names = list(seen)

    def product(left: str, right: str) -> float | None:
        both = sums[left], sums[right]
        return None if both[0] is None or both[1] is None else both[0] * both[1]

    rows = {name: {"exams": value, "proofs": None} for name, value in sums.items()}
    signals = {
        "loss_squares": sums,
        "sequence_counts": counts,
        "excess": {"sums": sums, "counts": counts, "reference": "small"},
        "excess_clipped": {"sums": sums, "counts": counts, "reference": "small"},
        "eval_losses": {"sums": sums, "counts": counts, "set": "held-out", "step": 10},
        "expert_counts": {
            "counts": {name: [count, value or 0.0] for name, (value, count) in seen.items()},
            "layer": 3,
            "gate": "hard",
        },
        "advantages": {"absolute_sums": sums, "rollouts": counts},
        "gram": {
            "upper": {
                left: {right: product(left, right) for right in names[at:]} for at, left in enumerate(names)
            },
            "counts": counts,
            "layers": "a",
        },
        "grad_products": {"products": rows, "norms": sums, "learning_rate": 0.1, "counts": counts},
        "grad_norms": {"square_norms": sums, "variances": sums, "batch": 1 + sum(counts.values())},
        "bench_scores": {"scores": sums, "checkpoint": "newest"},
        "influence": {"influence": rows, "method": "ekfac", "tokens": 1 + sum(counts.values())},
    }
    if not seen:
        del signals["expert_counts"]
    return SignalsBody.model_validate(signals).model_dump(exclude_unset=True)


def signals_of_all(sources: Sequence[Seen]) -> dict[str, Any]:
    """What one source would have reported that measured what all of these did."""
    names = {name for seen in sources for name in seen}
    every = {name: [seen[name] for seen in sources if name in seen] for name in names}
    usable = {name: [(v, n) for v, n in parts if v is not None and n > 0] for name, parts in every.items()}
    together: Seen = {name: (sum(v for v, _ in p), sum(n for _, n in p)) for name, p in usable.items()}
    whole = signals_of(together)
    for name, parts in every.items():
        known = [value for value, _ in parts if value is not None]
        whole["loss_squares"][name] = sum(known) if known else None
        whole["sequence_counts"][name] = sum(count for _, count in parts)
        routed = [float(sum(count for _, count in parts)), float(sum(known))]
        experts = whole.setdefault("expert_counts", {"counts": {}, "layer": 3, "gate": "hard"})
        experts["counts"][name] = routed
    return whole


def told(
    domains: DomainSet, signals: Sequence[Mapping[str, Any]], kinds: Collection[Signal] = tuple(Signal)
) -> Feedback:
    none, fields = np.zeros(len(domains)), {kind.field for kind in kinds}
    known = {name: value for name, value in added(domains, signals).items() if name in fields}
    return Feedback(10, none, none.astype(np.int64), none, **known)


def same(left: Feedback, right: Feedback) -> None:
    np.testing.assert_equal(dataclasses.asdict(left), dataclasses.asdict(right))


@settings(max_examples=50)
@given(sources=st.lists(SEEN, min_size=1, max_size=4))
def test_sources_together_tell_what_one_source_would(sources: list[Seen]) -> None:
    separately = [signals_of(seen) for seen in sources]
    same(told(DOMAINS, separately, ADDED), told(DOMAINS, [signals_of_all(sources)], ADDED))
    # However domains are numbered, and in whatever order JSON has its keys, all kinds are the same.
    backwards = [signals_of(dict(reversed(list(seen.items())))) for seen in sources]
    same(permuted(told(DOMAINS, separately), ORDER), told(TURNED, backwards))


def test_what_nobody_observed_has_no_count_and_no_number() -> None:
    assert added(DOMAINS, [{}, {}]) == {}
    sent = signals_of({"web": (4.0, 2), "code": (None, 5), "law": (7.0, 0)})
    fields = added(DOMAINS, [{}, sent, {}])
    for name in ("excess", "excess_clipped", "evaluation", "advantages"):
        assert fields[name].counts.tolist() == [2, 0, 0]
        assert fields[name].means.tolist() == pytest.approx([2.0, np.nan, np.nan], nan_ok=True)
    seen = np.diag([True, False, False])
    assert np.array_equal(np.isfinite(fields["gram"].means), seen)
    assert fields["gram"].means[0, 0] == 4.0
    products = fields["grad_products"]
    assert products.targets == ("exams", "proofs")
    assert np.array_equal(np.isfinite(products.products), seen[:, :2])
    assert np.isfinite(products.norms).tolist() == [True, False, False]
    assert fields["expert_counts"].shares.tolist() == [[2 / 6, 4 / 6], [1.0, 0.0], [0.0, 1.0]]
    assert fields["bench_scores"].scores == {"law": 7.0, "web": 4.0}
    beyond = {"sums": {"web": 1e308}, "counts": {"web": 1}, "reference": "small"}
    assert added(DOMAINS, [{"excess": beyond}] * 2)["excess"].counts.tolist() == [0, 0, 0]


def test_of_what_cannot_be_added_the_largest_is_taken_and_of_equals_the_first() -> None:
    def gram(count: int, layers: str) -> dict[str, Any]:
        return {
            "gram": {
                "upper": {"law": {"web": 1.0 * count}},
                "counts": {"web": count, "law": 1},
                "layers": layers,
            }
        }

    def evaluated(count: int, step: int) -> dict[str, Any]:
        sums = {"sums": {"web": 2.0 * count}, "counts": {"web": count}}
        return {"eval_losses": {**sums, "set": "held-out", "step": step}}

    taken = added(DOMAINS, [gram(2, "a"), gram(5, "b"), gram(5, "c")])["gram"]
    assert (taken.layers, taken.counts.tolist()) == ("b", [5, 0, 1])
    assert taken.products[0, 2] == taken.products[2, 0] == 5.0
    # Three parts of an evaluation outweigh a larger part of another one.
    steps = [(3, 10), (4, 20), (3, 10), (3, 10)]
    evaluation = added(DOMAINS, [evaluated(*part) for part in steps])["evaluation"]
    assert (evaluation.step, evaluation.counts.tolist()) == (10, [9, 0, 0])
    assert evaluation.means[0] == 2.0


@pytest.mark.parametrize("kind", sorted(set(Signal) - {Signal.LOSSES, Signal.BENCH_SCORES}))
def test_a_domain_that_the_job_does_not_have_is_refused_in_every_kind(kind: str) -> None:
    with pytest.raises(UnknownDomainError, match="did you mean 'code'"):
        check(DOMAINS, {kind: signals_of({"web": (1.0, 1), "cod": (1.0, 1)})[kind]})
    accents = DomainSet(("caf\u00e9", "law"), (1, 1))
    twice = signals_of({"caf\u00e9": (1.0, 1), "cafe\u0301": (1.0, 1)})
    with pytest.raises(InvalidInputError, match="two values"):
        check(accents, {kind: twice[kind]})
