"""`mixwright fit`: with the laws extra alone, the same answer for the same seed, wrong words told."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixlaws.registry import ESTIMATORS
from mixwright.offline import fit_file, fitting
from service.importers.reading import read_runs
from tests.mixwright.commands import Command, without_packages
from tests.mixwright.offline.swarms import simulated

# typer brings pydantic; SciPy looks torch up among the modules that are there, so that one must be absent.
NOT_OF_LAWS = ("fastapi", "sqlalchemy", "httpx", "psycopg", "plotly", "pyarrow", "mixclient")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A table of 24 runs."""
    path = tmp_path / "runs.csv"
    simulated(path)
    return path


def fitted(command: Command, *arguments: str) -> dict[str, Any]:
    done = command("fit", *arguments, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_laws_extra_alone_is_enough(runs: Path) -> None:
    done = without_packages(dict.fromkeys(NOT_OF_LAWS, ""), "fit", str(runs), "--method", "linear")
    assert done.code == 0, done.err
    assert "24 runs over 3 domains with 3 targets" in done.out
    assert "objective" in done.out


def test_a_fit_brings_in_neither_torch_nor_the_web(runs: Path) -> None:
    probe = (
        "import sys\n"
        f"sys.argv = ['mixwright', 'fit', {str(runs)!r}, '--method', 'linear', '--json']\n"
        "from mixwright.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {('torch', *NOT_OF_LAWS)!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_default_is_auto_once_it_is_registered() -> None:
    assert fitting.default_method() == ("auto" if "auto" in ESTIMATORS else "gaussian_process")


def test_scores_are_told_for_every_target_and_the_objective(command: Command, runs: Path) -> None:
    found = fitted(command, str(runs), "--method", "gaussian_process")
    assert list(found["scores"]) == found["targets"] == ["domain-0", "domain-1", "domain-2"]
    assert found["objective_scores"]["spearman"] > 0.9
    assert found["import"]["runs"] == found["runs"] == 24
    table = command("fit", str(runs), "--method", "gaussian_process").out
    assert f"{found['objective_scores']['mae']:.4f}" in table


def test_the_same_seed_gives_the_same_scores(command: Command, runs: Path) -> None:
    first, second, other = (
        fitted(command, str(runs), "--method", "exponential", "--seed", seed) for seed in ("1", "1", "2")
    )
    assert first["scores"] == second["scores"]
    assert first["scores"] != other["scores"]


def test_targets_and_objective_are_those_that_were_asked_for(command: Command, runs: Path) -> None:
    words = ("--method", "linear", "--target", "domain-2", "--target", "domain-0")
    found = fitted(command, str(runs), *words, "--objective", "domain-0=3,domain-2=1")
    assert found["objective"] == {"domain-2": 0.25, "domain-0": 0.75}


def test_hyperparameters_are_taken_as_the_method_declares_them(command: Command, runs: Path) -> None:
    words = ("--method", "exponential", "--set", "ridge=0.1", "--set", "huber_delta=2")
    found = fitted(command, str(runs), *words)
    assert found["params"] == {"ridge": 0.1, "huber_delta": 2}


def test_auto_stacks_for_the_objective_that_was_asked_for(command: Command, runs: Path) -> None:
    def table(*words: str) -> object:
        return fitted(command, str(runs), "--method", "auto", "--set", "seconds=0.3", *words)["table"]

    stated = table("--objective", "domain-1=1")
    assert stated != table()
    assert stated == table("--objective", "domain-1=1", "--set", 'objective={"domain-1": 1}')


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "exponentail"), "unknown method 'exponentail': did you mean 'exponential'?"),
        (("--method", "exponential", "--set", "rigde=1"), "no hyperparameter 'rigde': did you mean 'ridge'?"),
        (
            ("--method", "exponential", "--set", "ridge=big"),
            "ridge is 'big': expected float or 'auto'",
        ),
        (("--method", "exponential", "--set", "raw_residuals=1"), "raw_residuals is 1: expected bool"),
        (("--method", "exponential", "--set", "ridge=-1"), "ridge is -1.0: use a finite value >= 0"),
        (("--method", "exponential", "--set", "ridge"), "'ridge' is not of the form name=value"),
        (("--method", "auto", "--set", "objective=3"), "objective is 3: expected an object of float by name"),
        (("--method", "linear", "--set", "ridge=1"), "no hyperparameter 'ridge': it has none"),
        (("--target", "domain-9"), "unknown target 'domain-9'"),
        (("--objective", "domain-9=1"), "unknown target 'domain-9' in the objective"),
        (("--objective", "domain-0"), "'domain-0' is not of the form name=number"),
        (("--objective", "domain-0=1", "--objective", "domain-0=2"), "'domain-0' has two values"),
        (("--out", "absent/fit.json"), "there is no folder absent: make it first"),
        (("--format", "regmix"), "cannot be read as regmix"),
    ],
)
def test_wrong_words_are_told_with_what_to_do(
    command: Command, runs: Path, words: tuple[str, ...], message: str
) -> None:
    assert message in command("fit", str(runs), *words).sentence


def test_a_swarm_that_is_too_small_says_how_many_runs_it_takes(command: Command, tmp_path: Path) -> None:
    simulated(tmp_path / "few.csv", runs=3)
    refused = command("fit", str(tmp_path / "few.csv"), "--method", "exponential")
    assert "3 finished proxy runs; the exponential law with 3 domains needs at least 4" in refused.sentence


# These ask for a budget or model sizes, which the table does not hold; auto is a matter of its own.
NEEDY = {"auto", "effective_transfer", "multilingual"}


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - NEEDY))
def test_a_fit_that_was_written_predicts_the_same_when_it_is_read(
    command: Command, runs: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "fit.json"
    assert command("fit", str(runs), "--method", name, "--folds", "2", "--out", str(out)).code == 0
    stored, swarm = fit_file.read(out), read_runs(runs).swarm
    again = fitting.fit_swarm(swarm, method=name, params={}, objective={}, folds=2, seed=0)
    np.testing.assert_allclose(
        stored.predictor.predict(swarm.weights), again.predictor.predict(swarm.weights), rtol=1e-9
    )
    assert stored.digest == fit_file.digest(swarm)


def test_a_page_holds_its_figures_and_needs_no_network(command: Command, runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "fit.html"
    assert command("fit", str(runs), "--method", "linear", "--html", str(page)).code == 0
    text = page.read_text(encoding="utf-8")
    # Objective, residuals, targets, a response of each of three domains, effects, mixtures.
    assert text.count("Plotly.newPlot(") == 8
    assert "<script src=" not in text
    assert "24 runs over 3 domains" in text


def test_a_page_judges_its_fit_and_says_how_right_its_intervals_are(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    page = tmp_path / "fit.html"
    words = ("fit", str(runs), "--method", "gaussian_process", "--html", str(page))
    assert command(*words).code == 0
    text = page.read_text(encoding="utf-8")
    assert re.search(r"guide: it ranks 24 runs that it did not see at \d\.\d+ \(", text)
    assert "<h2>Calibration</h2>" in text
    assert text.count("Plotly.newPlot(") == 9


def test_a_page_and_a_terminal_tell_what_auto_tried_and_what_it_says(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    page = tmp_path / "fit.html"
    words = ("fit", str(runs), "--set", "seconds=0.3")
    found, shown = (
        json.loads(command(*words, "--json").out),
        command(*words, "--html", str(page), COLUMNS="80"),
    )
    assert shown.code == 0, shown.err
    left_out = [row for row in found["table"] if row["note"]]
    assert left_out
    # Of auto's own eight folds the legend tells, and not of ten that nobody made.
    assert found["folds"] == 8
    assert "(8 folds" in shown.out
    for text in (shown.out, html.unescape(page.read_text(encoding="utf-8").replace("<wbr>", ""))):
        assert found["verdict"] in text
        for row in found["table"]:
            assert row["member"] in text
        for row in left_out:
            assert f"not run: {row['member']}" in text
            assert row["note"] in text


def test_names_in_a_page_are_no_markup(command: Command, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    rows = [f"r{i},0.{i}5,0.{9 - i}5,3.{i}" for i in range(8)]
    path, page = tmp_path / "runs.csv", tmp_path / "fit.html"
    path.write_text("\n".join([f"run,weight_{hostile},weight_b,{hostile}", *rows]), encoding="utf-8")
    assert command("fit", str(path), "--method", "linear", "--html", str(page)).code == 0
    assert hostile not in page.read_text(encoding="utf-8")


def test_a_run_that_is_called_like_a_command_to_the_terminal_is_none(
    command: Command, tmp_path: Path
) -> None:
    rows = [f"r{i},0.{i}5,0.{9 - i}5,3.{i}" for i in range(8)]
    path = tmp_path / "runs.csv"
    path.write_text(
        "\n".join(["run,weight_a,weight_b,x", *rows, "\x1b]0;own\x07,0.5,0.5,nan"]), encoding="utf-8"
    )
    shown = command("fit", str(path), "--method", "linear")
    assert shown.code == 0, shown.err
    assert "\x1b" not in shown.out
    assert r"left out: \x1b]0;own\x07" in shown.out


def test_without_plotly_a_page_is_refused_before_the_work(runs: Path, tmp_path: Path) -> None:
    words = ("fit", str(runs), "--html", str(tmp_path / "fit.html"))
    refused = without_packages({"plotly": ""}, *words)
    assert "plotly is not installed: pip install 'mixwright[plots]'" in refused.sentence
    assert refused.out == ""


def test_names_that_look_like_markup_are_shown_as_they_are(command: Command, tmp_path: Path) -> None:
    header = "run,weight_[b]web,weight_<i>code,[red]loss"
    rows = [f"r{i},0.{i}5,0.{9 - i}5,3.{i}" for i in range(8)]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    page = tmp_path / "fit.html"
    shown = command("fit", str(path), "--method", "linear", "--html", str(page))
    assert "[red]loss" in shown.out
    assert "<i>code" not in page.read_text(encoding="utf-8").replace("\\u003ci\\u003ecode", "")
