"""The published tables are read as our golden tests read them, by name and not by position."""

from pathlib import Path

import numpy as np
import pytest

from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from tests.reference_data import five_mix, regmix

REGMIX = Path("data") / "regmix"
MIXING_LAWS = Path("data") / "data_mixing_laws"


@pytest.mark.parametrize("part", ["train", "test"])
def test_regmix_is_what_the_golden_tests_see(reference_data: Path, part: str) -> None:
    expected = regmix(reference_data, part)
    file = reference_data / REGMIX / f"{part}_mixture_1m.csv"
    imported = read_runs(file)
    swarm = imported.swarm
    assert imported.report.format == "regmix"
    assert swarm.targets == expected.targets
    order = [swarm.domains.index(name) for name in expected.domains.names]
    np.testing.assert_allclose(swarm.weights[:, order], expected.weights, atol=1e-15)
    np.testing.assert_array_equal(swarm.values, expected.values)


def test_a_folder_of_regmix_means_its_training_runs_and_says_how_many_were_rounded(
    reference_data: Path,
) -> None:
    report = read_runs(reference_data / REGMIX).report
    assert (report.runs, report.domains, len(report.targets)) == (512, 17, 13)
    assert report.rows == 1024
    assert 0 < report.count("renormalised") < 512
    assert report.to_json()["findings"]["renormalised"]["count"] == report.count("renormalised")


def test_a_tidy_table_gives_the_runs_of_one_size_at_the_last_step_that_all_reached(
    reference_data: Path,
) -> None:
    file = reference_data / MIXING_LAWS / "5mix.csv"
    imported = read_runs(file, size="70M")
    assert imported.report.scale == "size 70M, step 30000"
    expected = five_mix(reference_data, size="70M", step=30_000)
    assert len(imported.swarm) == len(expected)
    assert imported.swarm.domains.names == expected.domains.names
    by_name = {run.name: run for run in imported.runs}
    np.testing.assert_allclose(
        [list(by_name[name].weights.values()) for name in sorted(by_name, key=int)], expected.weights
    )
    assert imported.swarm.model_parameters is not None
    assert set(imported.swarm.model_parameters) == {18_915_328.0}


def test_a_tidy_table_gives_the_runs_of_all_sizes_apart_by_their_parameters(reference_data: Path) -> None:
    imported = read_runs(reference_data / MIXING_LAWS / "2mix.csv")
    assert imported.report.scale == "size 160M, step 30000 and size 70M, step 30000"
    assert imported.swarm.model_parameters is not None
    file = reference_data / MIXING_LAWS / "2mix.csv"
    sizes = [read_runs(file, size=size) for size in ("70M", "160M")]
    assert len(imported.swarm) == sum(len(alone.swarm) for alone in sizes)
    for alone in sizes:
        assert alone.swarm.model_parameters is not None
        rows = imported.swarm.model_parameters == alone.swarm.model_parameters[0]
        np.testing.assert_array_equal(imported.swarm.values[rows], alone.swarm.values)


def test_an_earlier_step_can_be_named_and_one_that_is_not_there_is_told(reference_data: Path) -> None:
    file = reference_data / MIXING_LAWS / "2mix.csv"
    early, late = (read_runs(file, size="160M", step=step).swarm.values for step in (10_000, 30_000))
    assert early.mean() > late.mean()
    with pytest.raises(ImportRefusedError, match=r"has no step 7: its last steps are"):
        read_runs(file, size="160M", step=7)
    with pytest.raises(ImportRefusedError, match=r"has no size '1B': it holds"):
        read_runs(file, size="1B")


def test_runs_that_stopped_before_a_named_step_are_counted(reference_data: Path) -> None:
    report = read_runs(reference_data / MIXING_LAWS / "5mix.csv", size="70M", step=90_000).report
    assert report.runs == 2 + 4 - report.count("incomplete")
    assert report.count("without_step") == 26 - 6
