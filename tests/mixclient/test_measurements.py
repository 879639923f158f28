"""Measurements: reports add up to what was measured, whatever is measured when, and hold it by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mixclient.measurements import KINDS, Measured, read_losses, read_signal
from mixclient.recorder import Recorder, Step, add_up

from mixclient import Evaluation, Excess, Stage

DOMAINS = ("web", "code")


def signals_read(step: int = 0, **signals: Any) -> Measured:
    read = Measured()
    for kind, value in signals.items():
        read_signal(kind, value, read, domains=2, step=step)
    return read


def measured(losses: Any, tokens: Any, **signals: Any) -> Measured:
    read = read_losses(losses, tokens, domains=2)
    read.join(signals_read(**signals))
    return read


def never(what: str, step: int) -> None:
    raise AssertionError(f"{what} of step {step} are sound")


numbers = st.tuples(st.integers(0, 99), st.integers(0, 99))
steps_of_training = st.lists(
    st.fixed_dictionaries(
        {"losses": numbers, "tokens": numbers, "version": st.integers(1, 2), "last": st.booleans()},
        optional={"sequences": numbers, "excess": numbers, "evaluation": numbers},
    ),
    max_size=30,
)


def signals_of(step: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Callable[[], Any]] = {
        "sequence_counts": lambda: step["sequences"],
        "excess": lambda: Excess(step["excess"], step["tokens"], f"model {step['version']}"),
        "eval_losses": lambda: Evaluation(step["evaluation"], (1, 1), "held out"),
    }
    given_as = {"sequence_counts": "sequences", "excess": "excess", "eval_losses": "evaluation"}
    return {kind: make() for kind, make in made.items() if given_as[kind] in step}


@given(steps_of_training, st.integers(1, 7))
def test_reports_add_up_to_what_was_measured_and_each_is_of_one_kind(
    steps: list[dict[str, Any]], every: int
) -> None:
    batches: list[list[Step]] = []
    recorder = Recorder(every, batches.append)
    for number, step in enumerate(steps):
        signals = signals_read(number, **signals_of(step))
        stage = Stage(0, (0.5, 0.5), step["version"])
        recorder.note(number, stage, step["losses"], step["tokens"], signals, last=step["last"])
    recorder.flush()
    reports = [report for batch in batches for report in add_up(batch, unusable=never)]
    covered = [step for r in reports for step in range(r.step_from, r.step_to + 1)]
    assert covered == list(range(len(steps)))
    for report in reports:
        own, fields = steps[report.step_from : report.step_to + 1], report.measured.fields(DOMAINS)
        assert {step["version"] for step in own} == {report.version}
        assert not any(step["last"] or "evaluation" in step for step in own[:-1])
        for d, name in enumerate(DOMAINS):
            assert fields["loss_sums"][name] == sum(step["losses"][d] for step in own)
            assert fields["token_counts"][name] == sum(step["tokens"][d] for step in own)
            for kind, field in (("sequence_counts", "sequences"), ("excess", "excess")):
                assert {field in step for step in own} == {kind in fields["signals"]}
            if "sequences" in own[0]:
                assert fields["signals"]["sequence_counts"][name] == sum(s["sequences"][d] for s in own)
            if "excess" in own[0]:
                assert fields["signals"]["excess"]["sums"][name] == sum(s["excess"][d] for s in own)
        evaluation = fields["signals"].get("eval_losses")
        assert (evaluation is not None) == ("evaluation" in own[-1])
        if evaluation is not None:
            expected = dict(zip(DOMAINS, own[-1]["evaluation"], strict=True))
            assert evaluation == {
                "sums": expected, "counts": {"web": 1, "code": 1},
                "set": "held out", "step": report.step_to + 1,
            }  # fmt: skip


def test_sums_that_are_not_finite_become_null_and_their_domains_are_named() -> None:
    nan, inf = float("nan"), float("inf")
    sums = measured([1.0, 1.0], [1, 1], loss_squares=[inf, 1.0])
    sums.add(measured([1.0, 1.0], [1, 1], loss_squares=[1.0, 1.0]))
    evaluated = measured([1.0, nan], [1, 1], eval_losses=Evaluation([2.0, -inf], [5, 5], "s", step=2))
    first, second = sums.fields(DOMAINS), evaluated.fields(DOMAINS)
    assert first["signals"] == {"loss_squares": {"web": None, "code": 2.0}}
    assert first["loss_sums"] == {"web": 2.0, "code": 2.0}
    assert first["non_finite"] == ["web"]
    assert second["loss_sums"] == {"web": 1.0, "code": None}
    assert second["signals"]["eval_losses"]["sums"] == {"web": 2.0, "code": None}
    assert second["non_finite"] == ["code"]


@pytest.mark.parametrize("of", [tuple, np.array, torch.tensor])
def test_lists_arrays_and_tensors_measure_the_same(of: Any) -> None:
    sums, counts = [1.5, 2.5], [3, 4]
    signals = {
        "sequence_counts": of(counts),
        "excess_clipped": Excess(of(sums), of(counts), "small"),
        "gram": {"upper": of(sums)},
    }
    fields = measured(of(sums), of(counts), **signals).fields(DOMAINS)
    by_name = {"web": 1.5, "code": 2.5}, {"web": 3, "code": 4}
    assert (fields["loss_sums"], fields["token_counts"]) == by_name
    assert fields["signals"] == {
        "sequence_counts": by_name[1],
        "excess_clipped": {"sums": by_name[0], "counts": by_name[1], "reference": "small"},
        "gram": {"upper": sums},
    }


def test_a_snapshot_is_of_its_moment() -> None:
    matrix = np.eye(2)
    taken = measured([1, 1], [1, 1], gram={"matrix": matrix})
    matrix[:] = 9
    assert taken.fields(DOMAINS)["signals"]["gram"]["matrix"] == [[1, 0], [0, 1]]


@pytest.mark.parametrize("kind", [*KINDS, "misspelt"])
@pytest.mark.parametrize(
    "value", [None, 3, [1.0], [1.0, -1, 2.0], "xy", {"x": {1j}}, {"x": float("nan")}, Excess([1], [1], "m")]
)
def test_a_signal_that_cannot_be_used_leaves_no_trace(kind: str, value: Any) -> None:
    read = measured([1.0, 2.0], [3, 4])
    with pytest.raises((ValueError, TypeError, AttributeError)):
        read_signal(kind, value, read, domains=2, step=0)
    assert read == measured([1.0, 2.0], [3, 4])
