"""`mixwright mix` and `measure`: mixtures by rules, and what other commands and trainers make of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixclient import Sampler, Schedule
from tests.mixwright.commands import Command, new_texts, without_packages
from tests.mixwright.offline.swarms import simulated
from tests.mixwright.offline.test_fit import NOT_OF_LAWS
from tests.support.servers import Service

TOKENS = {"web": 900_000_000, "code": 80_000_000, "papers": 20_000_000}


@pytest.fixture
def tokens(tmp_path: Path) -> str:
    return written(tmp_path / "tokens.json", TOKENS)


def written(path: Path, raw: Mapping[str, Any]) -> str:
    path.write_text(json.dumps(raw), encoding="utf-8")
    return str(path)


def mixed(command: Command, *words: str) -> dict[str, Any]:
    done = command("mix", *words, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_unimax_reads_no_domain_more_often_than_it_may_and_says_how_often(
    command: Command, tokens: str
) -> None:
    found = mixed(command, tokens, "--rule", "unimax", "--set", "max_epochs=3", "--budget", "2e8")
    # 60 million tokens of papers are all that three epochs give; the others share the rest evenly.
    assert found["weights"] == pytest.approx({"web": 0.35, "code": 0.35, "papers": 0.3})
    assert [row["epochs"] for row in found["domains"]] == pytest.approx([7 / 90, 7 / 8, 3.0])
    assert sum(row["tokens"] for row in found["domains"]) == pytest.approx(2e8)
    table = command("mix", tokens, "--rule", "unimax", "--set", "max_epochs=3", "--budget", "200M")
    assert "60 M" in table.out
    assert "35.00%" in table.out


def test_bounds_and_epochs_of_the_options_hold_for_every_rule(command: Command, tokens: str) -> None:
    words = ("--budget", "2e8", "--max-epochs", "2", "--lower", "code=.3")
    for rule in ("natural", "temperature", "unimax"):
        weights = mixed(command, tokens, "--rule", rule, *words)["weights"]
        assert weights["papers"] <= 0.2 + 1e-9
        assert weights["code"] >= 0.3 - 1e-9
        assert sum(weights.values()) == pytest.approx(1)


def test_the_shares_are_a_prior_of_other_commands_and_the_schedule_can_be_followed(
    command: Command, tmp_path: Path
) -> None:
    simulated(tmp_path / "runs.csv")
    sizes = written(tmp_path / "tokens.json", {f"domain-{i}": 10**9 * (i + 1) for i in range(3)})
    shares, schedule = tmp_path / "shares.json", tmp_path / "schedule.json"
    words = ("--rule", "temperature", "--set", "exponent=0.5", "--samples-per-step", "100")
    done = command("mix", sizes, *words, "--out", str(shares), "--schedule", str(schedule))
    assert done.code == 0, done.err
    weights = json.loads(shares.read_text())
    assert weights["domain-2"] / weights["domain-0"] == pytest.approx(3**0.5)
    fitted = (str(tmp_path / "runs.csv"), "--method", "exponential", "--prior", str(shares))
    proposed = command("propose", *fitted, "--count", "1", "--json")
    assert json.loads(proposed.out)["reference"]["weights"] == pytest.approx(weights)
    sampler = Sampler(Schedule.parse(json.loads(schedule.read_text())), seed=0)
    drawn = np.bincount([domain for step in range(20) for domain in sampler.step(step)], minlength=3)
    assert drawn / 2000 == pytest.approx(np.array(list(weights.values())), abs=0.01)


def test_what_cannot_be_is_refused_by_name(command: Command, tokens: str, tmp_path: Path) -> None:
    def refused(*words: str) -> str:
        return command("mix", *words).sentence

    assert "unknown rule 'unimx': did you mean 'unimax'" in refused(tokens, "--rule", "unimx")
    assert "did you mean 'max_epochs'" in refused(tokens, "--rule", "unimax", "--set", "epochs=4")
    assert "give the problem its final_tokens" in refused(tokens, "--rule", "unimax")
    assert "give --budget too" in refused(tokens, "--rule", "natural", "--max-epochs", "4")
    assert "needs lengths, log_probabilities" in refused(tokens, "--rule", "mixmin")
    assert "unknown domain 'wbe'" in refused(tokens, "--rule", "natural", "--lower", "wbe=.1")
    assert "is no built corpus" in refused(str(tmp_path), "--rule", "natural")
    wrong = written(tmp_path / "wrong.json", {"kind": "something"})
    assert "no statistics" in refused(tokens, "--rule", "mixmin", "--statistics", wrong)


def test_utilities_written_by_hand_lead_utilimax_by_the_objective(
    command: Command, tokens: str, tmp_path: Path
) -> None:
    document = {
        "kind": "mixwright statistics",
        "schema": 1,
        "domains": ["papers", "web", "code"],
        "tasks": ["maths", "chat"],
        "statistics": {"utilities": [[1.0, 0.0], [0.1, 1.0], [0.2, 0.1]]},
    }
    words = (tokens, "--rule", "utilimax", "--statistics", written(tmp_path / "utilities.json", document))
    maths = mixed(command, *words, "--objective", "chat=0,maths=1")["weights"]
    chat = mixed(command, *words, "--objective", "chat=1")["weights"]
    assert max(maths, key=lambda name: maths[name]) == "papers"
    assert max(chat, key=lambda name: chat[name]) == "web"


def test_a_study_states_domains_bounds_and_budget(command: Command, service: Service) -> None:
    service.client.create_study(
        {
            "name": "stated",
            "domains": [{"name": name, "tokens": count, "max_epochs": 2} for name, count in TOKENS.items()],
            "final_tokens": 200_000_000,
            "upper": {"web": 0.5},
        }
    )
    words = ("service:stated", "--url", service.url, "--key", service.key)
    weights = mixed(command, *words, "--rule", "natural")["weights"]
    # web is bound by .5, papers by two epochs.
    assert weights == pytest.approx({"web": 0.5, "code": 0.4, "papers": 0.1})


def test_a_measured_text_feeds_every_rule_and_a_second_measurement_agrees(
    command: Command, tmp_path: Path
) -> None:
    texts, out = new_texts(tmp_path / "texts", documents=16), tmp_path / "statistics.json"
    target = tmp_path / "target.txt"
    target.write_text((texts / "digits" / "3.txt").read_text(encoding="utf-8"), encoding="utf-8")
    sizes = ("--tokens", "8K", "--set", "layers=1", "--set", "width=16", "--set", "hidden=32")
    words = ("measure", str(texts), *sizes, "--vocabulary", "300", "--sequences", "40", "--samples", "20")
    done = command(*words, "--target", str(target), "--device", "cpu", "--out", str(out))
    assert done.code == 0, done.err
    assert "experts: 2 trainings" in done.err
    folder = done.err.split("corpus ")[-1].strip()
    assert not out.with_name("statistics.json.parts").exists()
    for rule in ("entropy", "chameleon", "utilimax", "mixmin"):
        weights = mixed(command, folder, "--rule", rule, "--statistics", str(out))["weights"]
        assert set(weights) == {"digits", "letters"}
        if rule == "mixmin":  # the target is text of that domain
            assert weights["digits"] > 0.99
    first = json.loads(out.read_text())
    assert command(*words, "--target", str(target), "--device", "cpu", "--out", str(out)).code == 0
    assert json.loads(out.read_text()) == first


def test_a_measurement_that_makes_no_sense_is_refused_before_it_costs_anything(
    command: Command, tmp_path: Path
) -> None:
    words = ("measure", str(tmp_path / "texts"), "--out", str(tmp_path / "s.json"))
    assert "did you mean 'width'" in command(*words, "--set", "widht=16").sentence
    assert "is no multiple of twice" in command(*words, "--set", "width=17").sentence
    assert "choose from entropies, embeddings, experts" in command(*words, "--part", "entropy").sentence
    assert "there is no file" in command(*words, "--target", str(tmp_path / "none.txt")).sentence
    assert not (tmp_path / "s.json").exists()


def test_a_mixture_by_token_counts_needs_the_laws_extra_alone(tokens: str) -> None:
    absent = dict.fromkeys((*NOT_OF_LAWS, "tokenizers"), "")
    done = without_packages(absent, "mix", tokens, "--rule", "temperature")
    assert done.code == 0, done.err
    assert "web" in done.out
