"""Every online method spends the same FLOPs, is told what it asks for, and does the same again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.online_methods.keeping import Kept
from benchmarks.online_methods.ledger import Ledger
from benchmarks.online_methods.methods import METHODS, REHEARSAL, Facts
from benchmarks.online_methods.playing import Row, Setup, play
from benchmarks.online_methods.summary import summary
from mixlaws.feedback import Feedback
from proxy_training.corpus import Corpus
from proxy_training.spec import TrainSpec
from proxy_training.train import FixedMixture, train

STEPS = 128


@pytest.fixture(scope="module")
def setup() -> Setup:
    spec = TrainSpec(
        tokens=STEPS * 128, context=16, batch=8, layers=1, width=16, hidden=32, evaluation_tokens=1024,
        learning_rate=3e-2, report_every=4,
    )  # fmt: skip
    return Setup(replace(spec, split="test"), replace(spec, width=8, hidden=16))


def played(name: str, setup: Setup, corpus: Corpus) -> tuple[Row, list[Feedback]]:
    told: list[Feedback] = []
    return play(METHODS[name], setup, corpus, seed=1, told=told.append), told


@pytest.fixture(scope="module", params=METHODS)
def run(request: pytest.FixtureRequest, setup: Setup, walks: Corpus) -> tuple[str, Row, list[Feedback]]:
    name: str = request.param
    return name, *played(name, setup, walks)


def test_a_method_spends_its_flops_to_the_last_step(run: tuple[str, Row, list[Feedback]]) -> None:
    _, row, _ = run
    step = row["budget"] / STEPS
    # A step of a method that measures something in each of them is dearer, by a third for a reference.
    assert row["budget"] - 4 / 3 * step < sum(row["flops"].values()) <= row["budget"] * (1 + 1e-9)
    assert (row["steps"] == STEPS) == (row["flops"].keys() == {"training"})
    assert sum(row["shares"].values()) == pytest.approx(1)


def test_a_method_hears_what_its_policy_asks_for(run: tuple[str, Row, list[Feedback]], walks: Corpus) -> None:
    name, _, told = run
    facts = Facts(STEPS, walks.vocabulary, walks.domains.names)
    for signal in METHODS[name].made(facts).signals:
        heard = [getattr(feedback, signal.field) for feedback in told]
        assert any(value is not None for value in heard), f"{signal} was never measured"
    assert [feedback.step for feedback in told] == np.cumsum([feedback.steps for feedback in told]).tolist()


def test_a_method_does_the_same_again(
    run: tuple[str, Row, list[Feedback]], setup: Setup, walks: Corpus
) -> None:
    name, row, _ = run
    again, _ = played(name, setup, walks)
    assert {**row, "seconds": 0} == {**again, "seconds": 0}


def test_a_fixed_mixture_is_trained_as_everywhere_else(setup: Setup, walks: Corpus) -> None:
    row, _ = played("uniform", setup, walks)
    mixture = FixedMixture(dict.fromkeys(walks.domains.names, 0.5), batch=setup.target.batch, seed=1)
    assert row["losses"] == train(setup.target, walks, mixture, seed=1).losses


def test_what_is_spent_on_a_rehearsal_is_missing_in_the_run(setup: Setup, walks: Corpus) -> None:
    row, _ = played("doremi", setup, walks)
    assert row["flops"].keys() == {"reference", "rehearsal", "looking", "training"}
    before = sum(row["flops"].values()) - row["flops"]["training"]
    assert before == pytest.approx(REHEARSAL * row["budget"], rel=0.1)
    assert row["steps"] == pytest.approx((1 - REHEARSAL) * STEPS, rel=0.05)


def test_a_ledger_pays_no_more_than_it_has() -> None:
    ledger = Ledger(10.0)
    ledger.pay("training", 8.0)
    with pytest.raises(ValueError, match=r"looking costs 3 FLOPs, of 10 are left 2"):
        ledger.pay("looking", 3.0)
    assert ledger.left == 2.0


def test_runs_are_kept_and_those_of_other_settings_or_cut_short_are_not_read(tmp_path: Path) -> None:
    path, settings = tmp_path / "runs.jsonl", {"tokens": 5}
    Kept(path, settings).keep({"method": "odm", "seed": 0, "mean": 4.0})
    Kept(path, {"tokens": 6}).keep({"method": "odm", "seed": 1, "mean": 3.0})
    with path.open("a") as file:
        file.write(json.dumps({"method": "odm", "seed": 2})[:20])
    kept = Kept(path, settings)
    assert kept.rows == {("odm", 0): {"method": "odm", "seed": 0, "mean": 4.0}}
    kept.keep({"method": "odm", "seed": 2, "mean": 5.0})
    assert Kept(path, settings).rows.keys() == {("odm", 0), ("odm", 2)}


def test_differences_are_of_runs_with_the_same_seed() -> None:
    noise = {0: 0.0, 1: 1.0, 2: -1.0, 3: 7.0}  # of a seed: far larger than what is gained
    rows = [
        {
            "method": name, "seed": seed, "steps": 1, "flops": {"training": 1.0}, "budget": 1.0,
            "shares": {"web": 1.0}, "losses": {"web": 4.0},
            **dict.fromkeys(("mean", "natural_weighted", "worst"), 4.0 + noise[seed] - gain),
        }
        for name, gain, seeds in (("natural", 0.0, (2, 1, 0)), ("odm", 0.1, (0, 1, 2, 3)))
        for seed in seeds
    ]  # fmt: skip
    natural, odm = summary(rows)
    assert natural["mean"]["difference"]["mean"] == 0.0
    found = odm["mean"]["difference"]
    assert found["mean"] == pytest.approx(-0.1)
    assert found["high"] - found["low"] < 1e-9
    assert odm["mean"]["median"] == pytest.approx(4.4)
