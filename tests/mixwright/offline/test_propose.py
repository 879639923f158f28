"""`mixwright propose`: better than the prior by the truth, within what was asked, the same from a file."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mixclient.schedule import Schedule
from rich.console import Console

from mixlaws.estimator import Proposal
from mixlaws.simulation import Simulation
from mixwright.offline import proposal_tables
from mixwright.offline.proposing import Proposed
from tests.mixwright.commands import Command
from tests.mixwright.offline.swarms import simulated

QUICK = ("--method", "exponential")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A table of 24 runs of a simulation."""
    simulated(tmp_path / "runs.csv")
    return tmp_path / "runs.csv"


def written(path: Path, raw: dict[str, Any]) -> str:
    path.write_text(json.dumps(raw), encoding="utf-8")
    return str(path)


def proposed(command: Command, *arguments: str) -> dict[str, Any]:
    done = command("propose", *arguments, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def row(weights: dict[str, float]) -> Any:
    return np.array(list(weights.values()))


def test_the_proposal_is_better_than_its_reference_by_the_truth(command: Command, tmp_path: Path) -> None:
    simulation: Simulation = simulated(tmp_path / "runs.csv")
    found = proposed(command, str(tmp_path / "runs.csv"), "--method", "gaussian_process")
    rng = np.random.default_rng(0)
    regrets = [
        simulation.regret(row(mixture["weights"]), rng=rng)
        for mixture in (found["reference"], found["proposals"][0])
    ]
    assert regrets[1] < 0.5 * regrets[0]
    assert found["proposals"][0]["gain"] > 0


def test_mixtures_stay_where_runs_were_made_unless_told_otherwise(command: Command, runs: Path) -> None:
    with runs.open(newline="") as file:
        seen = np.array([[float(r[f"weight_domain-{i}"]) for i in range(3)] for r in csv.DictReader(file)])
    words = (str(runs), *QUICK, "--kl", "0", "--count", "1", "--objective", "domain-0=1")
    inside, beyond = (
        row(proposed(command, *words, *more)["proposals"][0]["weights"])
        for more in ((), ("--beyond-sampled",))
    )
    assert np.all(inside <= seen.max(axis=0) + 1e-9)
    assert beyond[0] > inside[0]


def test_bounds_and_caps_hold(command: Command, runs: Path, tmp_path: Path) -> None:
    tokens = written(tmp_path / "tokens.json", {f"domain-{i}": 10**9 for i in range(3)})
    words = ("--tokens", tokens, "--final-tokens", "6B", "--max-epochs", "2.4", "--lower", "domain-1=.3")
    found = proposed(command, str(runs), *QUICK, *words, "--upper", "domain-2=.35", "--kl", "0")
    for mixture in found["proposals"]:
        weights = mixture["weights"]
        assert max(weights.values()) <= 0.4 + 1e-9
        assert weights["domain-1"] >= 0.3 - 1e-9
        assert weights["domain-2"] <= 0.35 + 1e-9
    assert found["reference"]["name"] == "natural"


def test_the_prior_is_named_and_a_strong_pull_leads_to_it(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    prior = {"domain-2": 0.2, "domain-0": 0.3, "domain-1": 0.5}
    words = ("--prior", written(tmp_path / "prior.json", prior), "--kl", "1000", "--count", "1")
    found = proposed(command, str(runs), *QUICK, *words)
    assert found["reference"]["weights"] == pytest.approx(prior)
    assert found["proposals"][0]["weights"] == pytest.approx(prior, abs=1e-3)


def test_a_fit_from_a_file_proposes_the_same_as_one_made_now(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "fit.json")
    words = ("--target", "domain-1", "--target", "domain-0", "--objective", "domain-0=2,domain-1=1")
    assert command("fit", str(runs), *QUICK, *words, "--out", out).code == 0
    now, then = proposed(command, str(runs), *QUICK, *words), proposed(command, str(runs), "--fit", out)
    assert [p["weights"] for p in now["proposals"]] == [p["weights"] for p in then["proposals"]]
    assert then["method"] == "exponential"


def test_a_fit_of_other_runs_is_refused(command: Command, runs: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "fit.json")
    assert command("fit", str(runs), *QUICK, "--out", out).code == 0
    runs.write_text("\n".join(runs.read_text().splitlines()[:-1]), encoding="utf-8")
    assert "made of other runs" in command("propose", str(runs), "--fit", out).sentence
    mixed = command("propose", str(runs), "--fit", out, *QUICK)
    assert "leave --method, --set and --target out" in mixed.sentence
    broken = written(tmp_path / "broken.json", {"kind": "mixwright fit", "schema": 1, "method": "linear"})
    assert "with a part missing" in command("propose", str(runs), "--fit", broken).sentence
    assert "holds no fit" in command("propose", str(runs), "--fit", written(tmp_path / "x.json", {})).sentence


def test_proposals_stand_beside_rules_and_the_mixture_in_use(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    tokens = written(tmp_path / "tokens.json", {"domain-0": 10**9, "domain-1": 3 * 10**9, "domain-2": 10**10})
    today = written(tmp_path / "today.json", {"domain-0": 0.0, "domain-1": 0.1, "domain-2": 0.9})
    words = (str(runs), "--method", "gaussian_process", "--tokens", tokens, "--rival", f"today={today}")
    budget = ("--final-tokens", "10B", "--max-epochs", "4", "--upper", "domain-2=.8")
    found = proposed(command, *words, *budget, "--count", "1")
    best, rivals = found["proposals"][0], {rival["name"]: rival for rival in found["rivals"]}
    assert set(rivals) == {"temperature", "unimax", "today"}
    assert rivals["unimax"]["weights"] == pytest.approx(dict.fromkeys(rivals["unimax"]["weights"], 1 / 3))
    assert [rival["admissible"] for rival in rivals.values()] == [True, True, False]
    for name, rival in rivals.items():
        # The more it is predicted to be better by, the surer.
        better = best["objective"] < rival["objective"]
        assert (best[f"better_than_{name}"] > 0.5) == better
    shown = command("propose", *words, *budget)
    assert "today (breaks bounds)" in shown.out
    assert "chance that 1 is better" in shown.out
    without = command("propose", *words)
    assert "no mixture by unimax: UniMax shares out a token budget" in without.out
    assert "write name=FILE.json" in command("propose", str(runs), "--rival", today).sentence


def test_the_table_names_every_domain_and_target_and_the_csv_holds_the_same(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mixtures.csv"
    shown = command("propose", str(runs), "--method", "gaussian_process", "--count", "2", "--csv", str(out))
    assert shown.code == 0
    assert "gain over mean of the runs" in shown.out
    assert "±" in shown.out
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["run"] for r in rows] == ["mean of the runs", "proposal 1", "proposal 2"]
    for r in rows:
        assert sum(float(r[f"weight_domain-{i}"]) for i in range(3)) == pytest.approx(1)
    assert f"{float(rows[1]['objective']):.4f}" in shown.out


def test_a_page_holds_the_mixtures_and_needs_no_network(command: Command, runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "proposal.html"
    shown = command("propose", str(runs), *QUICK, "--html", str(page))
    assert shown.code == 0, shown.err
    text = page.read_text(encoding="utf-8")
    assert text.count("Plotly.newPlot(") == 1
    assert "<script src=" not in text
    assert "better than the mean of the runs" in text


def test_a_number_that_proposals_gain_is_shown_without_a_change_of_the_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dataclass(frozen=True, eq=False)
    class Told(Proposal):
        beats_prior: float = 0.875

    problem = Simulation.create(domains=3, rng=np.random.default_rng(0)).problem
    values = np.ones(1)
    plain = Proposal(problem.prior, values, None, 1.0)
    told = Told(problem.prior, values, None, 1.0, {"flatness": 0.125})
    found = Proposed(problem, ("loss",), "prior", plain, [told])
    proposal_tables.tell(found, Console(width=120))
    printed = capsys.readouterr().out
    assert "beats prior" in printed
    assert "0.875" in printed
    assert "0.125" in printed
    assert proposal_tables.to_json(found)["proposals"][0]["beats_prior"] == 0.875


def test_what_members_of_a_fit_say_is_shown_and_their_disagreement_flagged(
    command: Command, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = proposed(command, str(runs), "--method", "auto", "--set", "seconds=0.05")["proposals"][0]
    assert found["gain"] == pytest.approx(np.mean(list(found["gain_by_member"].values())), abs=0.05)
    for target, half in found["half_width_95"].items():
        assert half >= 1.959 * found["deviation"][target]
    problem = Simulation.create(domains=3, rng=np.random.default_rng(0)).problem
    values = np.ones(1)
    plain = Proposal(problem.prior, values, None, 1.0)
    for disagree in (0.0, 1.0):
        details, gains = {"members_disagree": disagree}, {"additive": 0.25, "linear": -0.125}
        told = Proposal(problem.prior, values, None, 1.0, details, gain_by_member=gains)
        proposal_tables.tell(Proposed(problem, ("loss",), "prior", plain, [told]), Console(width=140))
        printed = capsys.readouterr().out
        assert "by additive" in printed
        assert "-0.1250" in printed
        assert ("disagree on its gain" in printed) == bool(disagree)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--proposer", "convx"), "unknown proposer 'convx': did you mean 'convex'?"),
        (("--proposer", "simulate", "--kl", "1"), "'simulate' has no hyperparameter 'kl'"),
        (("--proposer-set", "spred=1"), "no hyperparameter 'spred': did you mean 'spread'?"),
        (("--upper", "domain-7=.5"), "unknown domain 'domain-7'"),
        (("--upper", "domain-0=.1,domain-1=.1,domain-2=.1"), "sum to 0.3 < 1"),
        (("--prior", "natural"), "--prior natural needs to know"),
        (("--prior", "absent.json"), "absent.json"),
        (("--final-tokens", "6e12"), "give both or neither"),
        (("--final-tokens", "6e12", "--max-epochs", "4"), "give --tokens FILE"),
        (("--final-tokens", "many", "--max-epochs", "4"), "'many' is no number of tokens"),
        (("--max-epochs", "0", "--final-tokens", "1B"), "--max-epochs is 0.0: use a value > 0"),
    ],
)
def test_what_cannot_be_asked_is_told(
    command: Command, runs: Path, words: tuple[str, ...], message: str
) -> None:
    assert message in command("propose", str(runs), "--method", "linear", *words).sentence


def test_frozen_domains_groups_and_distance_hold(command: Command, runs: Path, tmp_path: Path) -> None:
    groups = {"pair": {"domains": ["domain-1", "domain-2"], "upper": 0.55}}
    words = ("--groups", written(tmp_path / "groups.json", groups), "--max-l1", "0.4")
    found = proposed(command, str(runs), *QUICK, "--kl", "0", "--freeze", "domain-1=.3", *words)
    prior = row(found["reference"]["weights"])
    for mixture in found["proposals"]:
        weights = row(mixture["weights"])
        assert weights[1] == pytest.approx(0.3, abs=1e-9)
        assert weights[1:].sum() <= 0.55 + 1e-9
        assert np.abs(weights - prior).sum() <= 0.4 + 1e-9
    refused = command("propose", str(runs), *QUICK, "--freeze", "domain-1=.6", *words)
    assert "domain 'domain-1' frozen at 0.6; group 'pair' at most 0.55" in refused.sentence
    kept = proposed(command, str(runs), *QUICK, "--kl", "0", "--freeze", "domain-1")
    assert row(kept["proposals"][0]["weights"])[1] == pytest.approx(prior[1])
    both = command("propose", str(runs), *QUICK, "--max-kl", "0.1", "--max-l1", "0.1")
    assert "bound the same distance" in both.sentence


def test_repetition_at_its_worth_replaces_caps(command: Command, runs: Path, tmp_path: Path) -> None:
    tokens = written(tmp_path / "tokens.json", {"domain-0": 10**7, "domain-1": 10**9, "domain-2": 10**9})
    words = (str(runs), *QUICK, "--tokens", tokens, "--kl", "0", "--prior", "natural", "--count", "1")
    smooth = ("--final-tokens", "1B", "--repetition", "smooth")
    free = proposed(command, *words)["proposals"][0]["weights"]["domain-0"]
    held = proposed(command, *words, *smooth, "--per-efold", "0.3")["proposals"][0]["weights"]["domain-0"]
    assert 0 < held < free
    assert "say by how much targets fall" in command("propose", *words, *smooth).sentence
    assert "replaces --max-epochs" in command("propose", *words, *smooth, "--max-epochs", "4").sentence


def test_two_stages_make_the_proposal_and_the_schedule_follows_them(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "schedule.json"
    last = written(tmp_path / "last.json", {"domain-0": 0.5, "domain-1": 0.25, "domain-2": 0.25})
    words = ("--second-share", "0.2", "--second", last, "--schedule", str(out), "--samples-per-step", "8")
    found = proposed(command, str(runs), *QUICK, *words, "--steps", "101", "--count", "1")
    best = found["proposals"][0]
    assert "nothing of what the order brings" in found["note"]
    mean = sum(stage["share"] * row(stage["weights"]) for stage in best["stages"])
    assert mean == pytest.approx(row(best["weights"]))
    schedule = Schedule.parse(json.loads(out.read_text(encoding="utf-8")))
    trained = np.mean([schedule.stage_at(step).weights for step in range(101)], axis=0)
    assert trained == pytest.approx(row(best["weights"]))
    looked_for = proposed(
        command, str(runs), *QUICK, "--second-share", "0.2", "--second-objective", "domain-2=1"
    )
    stages = looked_for["proposals"][0]["stages"]
    assert stages[1]["weights"]["domain-2"] > stages[0]["weights"]["domain-2"]
    alone = command("propose", str(runs), *QUICK, "--second-share", "0.2")
    assert "one of --second and --second-objective" in alone.sentence


def test_runs_to_explore_are_a_batch_that_the_caps_of_the_final_run_do_not_bind(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "tokens.json").write_text(json.dumps({f"domain-{i}": 10**9 for i in range(3)}))
    capped = ("--tokens", str(tmp_path / "tokens.json"), "--final-tokens", "2.6B", "--max-epochs", "1")
    words = (str(runs), "--method", "gaussian_process", *capped, "--count", "6", "--json")
    explore = json.loads(command("propose", *words, "--intent", "explore").out)
    assert (explore["proposer"], len(explore["proposals"])) == ("explore", 6)
    largest = max(max(p["weights"].values()) for p in explore["proposals"])
    exploit = json.loads(command("propose", *words).out)
    assert (exploit["intent"], exploit["proposer"]) == ("exploit", "convex")
    cap = 1 / 2.6
    assert max(max(p["weights"].values()) for p in exploit["proposals"]) <= cap + 1e-9 < largest
    named = json.loads(command("propose", *words, "--proposer", "explore").out)
    assert named["proposals"] == explore["proposals"]
    assert (
        "intent is 'exploit it': use explore or exploit"
        in command("propose", *words, "--intent", "exploit it").sentence
    )
