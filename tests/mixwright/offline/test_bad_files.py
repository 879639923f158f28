"""Tables that cannot be used, or not wholly, as the commands tell of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.mixwright.commands import Command
from tests.service.importers.tables import WIDE, wide_rows, written

FIT = ("--method", "linear")


def test_too_few_runs_are_told_with_the_number_that_is_needed(command: Command, tmp_path: Path) -> None:
    table = written(tmp_path / "runs.csv", WIDE, *wide_rows(2))
    refused = command("fit", str(table), "--method", "exponential")
    assert "2 finished proxy runs; the exponential law with 2 domains needs at least 3" in refused.sentence
    refused = command("plan", str(table), *FIT)
    assert "2 finished proxy runs; a plan needs at least 8" in refused.sentence


def test_runs_of_one_mixture_are_refused(command: Command, tmp_path: Path) -> None:
    rows = [f"r{number},0.4,0.6,{3 + number / 100},2" for number in range(12)]
    refused = command("fit", str(written(tmp_path / "runs.csv", WIDE, *rows)), *FIT)
    assert "12 finished proxy runs of 1 mixture" in refused.sentence


def test_doubtful_columns_are_noted_beside_the_scores(command: Command, tmp_path: Path) -> None:
    shares = np.linspace(0.1, 0.7, 12)
    rows = [f"r{number},{a:.4f},{0.8 - a:.4f},0.2,{3 + a}" for number, a in enumerate(shares)]
    table = written(tmp_path / "runs.csv", "run,weight_web,weight_code,weight_books,web", *rows)
    done = command("fit", str(table), *FIT, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["notes"] == ["the share never varies of books (0.2): runs tell nothing of it"]
    assert "never varies of books" in command("fit", str(table), *FIT).out


def test_one_run_with_two_losses_is_a_contradiction_and_two_runs_are_repeats(
    command: Command, tmp_path: Path
) -> None:
    rows = wide_rows(10)
    contradiction = written(tmp_path / "twice.csv", WIDE, *rows, rows[0].replace(rows[0].split(",")[3], "9"))
    assert "'r0' stands twice" in command("fit", str(contradiction), *FIT).sentence
    repeat = written(tmp_path / "runs.csv", WIDE, *rows, rows[0].replace("r0,", "again,"))
    found = json.loads(command("fit", str(repeat), *FIT, "--json").out)
    assert found["noise"]["objective"] == pytest.approx(0.0)
    assert "11 runs have 10 distinct mixtures" in found["notes"][-1]


@pytest.mark.parametrize("loss", ["inf", "-inf", "nan", ""])
def test_a_run_without_a_usable_loss_is_left_out_and_counted(
    command: Command, tmp_path: Path, loss: str
) -> None:
    table = written(tmp_path / "runs.csv", WIDE, *wide_rows(12, losses=[loss]))
    told = json.loads(command("fit", str(table), *FIT, "--json").out)["import"]
    assert told["runs"] == 11
    assert "r11" in json.dumps(told["findings"])


def test_a_target_that_half_of_the_runs_lack_stays_and_one_that_more_lack_goes(
    command: Command, tmp_path: Path
) -> None:
    half = written(tmp_path / "half.csv", WIDE, *wide_rows(12, losses=[""] * 6))
    found = json.loads(command("fit", str(half), *FIT, "--json").out)
    assert (found["runs"], found["targets"]) == (6, ["web", "code"])
    more = written(tmp_path / "more.csv", WIDE, *wide_rows(12, losses=[""] * 7))
    found = json.loads(command("fit", str(more), *FIT, "--json").out)
    assert (found["runs"], found["targets"]) == (12, ["code"])


def test_sums_within_a_hundredth_are_mended_and_counted(command: Command, tmp_path: Path) -> None:
    rows = [*wide_rows(10), "low,0.5,0.49,3.5,2.5", "high,0.5,0.51,3.5,2.5"]
    told = json.loads(command("fit", str(written(tmp_path / "a.csv", WIDE, *rows)), *FIT, "--json").out)
    assert "renormalised" in json.dumps(told["import"]["findings"])
    off = written(tmp_path / "b.csv", WIDE, *wide_rows(10), "off,0.5,0.48,3.5,2.5")
    assert "the weights sum to 0.98" in command("fit", str(off), *FIT).sentence


def test_a_metric_for_which_higher_is_better_is_flipped_when_it_is_named(
    command: Command, tmp_path: Path
) -> None:
    rows = [f"r{i},{(i + 1) / 13!r},{1 - (i + 1) / 13!r},{0.2 + i / 40}" for i in range(12)]
    table = written(tmp_path / "runs.csv", "run,weight_web,weight_code,accuracy", *rows)

    def share_of_web(*arguments: str) -> float:
        done = command("propose", str(table), *FIT, "--kl", "0", "--json", *arguments)
        assert done.code == 0, done.err
        return float(json.loads(done.out)["proposals"][0]["weights"]["web"])

    assert share_of_web() < 0.1
    assert share_of_web("--maximise", "accuracy") > 0.9
