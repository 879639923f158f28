"""What is wrong with runs is mended if that is safe, and counted; else it is refused, with the values."""

from pathlib import Path

import numpy as np
import pytest

from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from tests.service.importers.tables import WIDE, wide_rows, written


def table(folder: Path, *rows: str) -> Path:
    return written(folder / "runs.csv", WIDE, *rows)


def test_sums_that_rounding_explains_are_mended_and_counted(tmp_path: Path) -> None:
    imported = read_runs(table(tmp_path, *wide_rows(3), "x,.6,.41,3,3", "y,.6,.39,3,3"))
    np.testing.assert_allclose(imported.swarm.weights.sum(axis=1), 1, atol=1e-12)
    assert imported.report.to_json()["findings"]["renormalised"]["names"] == ["x", "y"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x,.6,.42,3,3", r"line 5: the weights sum to 1\.02, off by more than 0\.01"),
        ("x,.6,.38,3,3", r"line 5: the weights sum to 0\.98"),
        ("x,1.1,-.1,3,3", r"line 5: the weight of 'code' is -0\.1"),
        ("x,nan,1,3,3", r"line 5: the weight of 'web' is nan"),
    ],
)
def test_a_row_that_is_no_mixture_is_refused_with_its_place(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ImportRefusedError, match=message):
        read_runs(table(tmp_path, *wide_rows(3), row))


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        ("inf", "not_finite"),
        ("-inf", "not_finite"),
        ("NaN", "not_finite"),
        ("", "incomplete"),
        ("null", "incomplete"),
    ],
)
def test_a_run_without_a_usable_value_is_left_out_by_name(tmp_path: Path, loss: str, kind: str) -> None:
    report = read_runs(table(tmp_path, *wide_rows(4, losses=(loss,)))).report
    assert report.runs == 3
    assert report.to_json()["findings"][kind]["names"] == ["r3"]


def test_a_target_that_most_runs_lack_goes_and_the_runs_stay(tmp_path: Path) -> None:
    half = read_runs(table(tmp_path, *wide_rows(4, losses=("", "")))).report
    assert (half.runs, half.targets) == (2, ("web", "code"))
    most = read_runs(table(tmp_path, *wide_rows(4, losses=("", "", "nan")))).report
    assert (most.runs, most.targets) == (4, ("code",))
    assert most.to_json()["findings"]["targets_left_out"]["names"] == ["web"]


def test_nothing_left_says_what_went(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="no run is left: 2 runs with a value"):
        read_runs(table(tmp_path, *wide_rows(2, losses=("inf", "inf"))))


def test_a_metric_for_which_higher_is_better_is_flipped_on_demand_alone(tmp_path: Path) -> None:
    header = "run,weight_web,weight_code,loss,accuracy,score"
    rows = [f"r{i},.{i}1,.{9 - i}9,3.{i},0.{i}5,{20 * i}.5" for i in range(4)]
    runs = written(tmp_path / "runs.csv", header, *rows)
    plain, flipped = read_runs(runs), read_runs(runs, maximise=["accuracy", "score"])
    np.testing.assert_array_equal(flipped.swarm.values[:, 0], plain.swarm.values[:, 0])
    np.testing.assert_allclose(flipped.swarm.values[:, 1], 1 - plain.swarm.values[:, 1])
    np.testing.assert_allclose(flipped.swarm.values[:, 2], 100 - plain.swarm.values[:, 2])
    assert flipped.report.to_json()["findings"]["flipped"]["count"] == 2
    assert flipped.ceilings == {"accuracy": 1.0, "score": 100.0}
    assert not plain.report.findings
    with pytest.raises(ImportRefusedError, match=r"'acuracy'.*did you mean 'accuracy'"):
        read_runs(runs, maximise=["acuracy"])


def test_a_column_that_only_some_runs_fill_is_not_used_and_says_so(tmp_path: Path) -> None:
    header = WIDE + ",tokens"
    rows = [f"{row},1000" for row in wide_rows(2)]
    whole = read_runs(written(tmp_path / "whole.csv", header, *rows))
    assert whole.swarm.tokens is not None
    assert whole.report.count("without_tokens") == 0
    part = read_runs(written(tmp_path / "part.csv", header, *rows, "z,.5,.5,3,3,"))
    assert part.swarm.tokens is None
    assert part.report.to_json()["findings"]["without_tokens"]["names"] == ["z"]
