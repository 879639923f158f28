"""`mixwright import`: runs of a table reach a study, once."""

import json
from pathlib import Path

import pytest

from tests.mixwright.commands import Command, Outcome
from tests.mixwright.offline.swarms import simulated
from tests.support.servers import Service


@pytest.fixture
def service(tenant: Service) -> Service:
    """A project of the test's own is as good here as a service of its own."""
    return tenant


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A table of 24 runs, with the tokens of its domains beside it."""
    simulated(tmp_path / "runs.csv")
    (tmp_path / "tokens.json").write_text(json.dumps({f"domain-{i}": 10**9 for i in range(3)}))
    return tmp_path / "runs.csv"


def test_a_table_becomes_a_study_and_the_same_again_changes_nothing(
    command: Command, service: Service, runs: Path
) -> None:
    def sent(*more: str) -> Outcome:
        words = ("import", str(runs), "--study", "ours", "--url", service.url, *more)
        return command(*words, MIXWRIGHT_KEY=service.key)

    assert "no study 'ours': give --tokens FILE" in sent().sentence
    tokens = ("--tokens", str(runs.with_name("tokens.json")))
    assert "24 runs imported into ours, 0 stood there already" in sent(*tokens).out
    again = json.loads(sent("--json").out)
    assert (again["created"], again["duplicates"], again["import"]["runs"]) == (0, 24, 24)
    assert len(service.client.runs("ours", state="completed")) == 24
    text = runs.read_text().replace("run-0,", "run-0 ,").splitlines()
    text[1] = text[1].rsplit(",", 1)[0] + ",9.0"
    runs.write_text("\n".join(text))
    assert "run 'run-0' was imported with other fields" in sent().sentence


def test_a_wrong_key_and_a_service_that_is_away_are_told(
    command: Command, service: Service, runs: Path
) -> None:
    words = ("import", str(runs), "--study", "ours", "--url")
    assert "key" in command(*words, service.url, "--key", "mx_wrong").sentence
    assert "ConnectError" in command(*words, "http://127.0.0.1:9", "--key", "k").sentence
    assert "is no address" in command(*words, "ftp://x", "--key", "k").sentence


def test_a_fit_of_a_study_is_the_fit_of_its_table(command: Command, service: Service, runs: Path) -> None:
    there = {"MIXWRIGHT_URL": service.url, "MIXWRIGHT_KEY": service.key}
    tokens = str(runs.with_name("tokens.json"))
    assert command("import", str(runs), "--study", "ours", "--tokens", tokens, **there).code == 0
    method = ("--method", "linear", "--json")
    found = [json.loads(command("fit", r, *method, **there).out) for r in ("service:ours", str(runs))]
    assert found[0]["runs"] == found[1]["runs"] == 24
    for name, score in found[0]["scores"].items():
        assert score == pytest.approx(found[1]["scores"][name])
    assert "no study 'missing'" in command("fit", "service:missing", **there).sentence
    assert "are for files" in command("fit", "service:ours", "--step", "3", **there).sentence


def test_a_study_is_proposed_for_with_its_own_prior_and_caps_unless_others_are_asked_for(
    command: Command, service: Service, runs: Path
) -> None:
    there = {"MIXWRIGHT_URL": service.url, "MIXWRIGHT_KEY": service.key}
    tokens = {f"domain-{i}": (i + 1) * 10**9 for i in range(3)}
    domains = [{"name": name, "tokens": count, "max_epochs": 2.0} for name, count in tokens.items()]
    targets = list(tokens)
    service.client.create_study(
        {
            "name": "ours",
            "domains": domains,
            "targets": targets,
            "final_tokens": 10**10,
            "objective": {"domain-0": 1},
        }
    )
    assert command("import", str(runs), "--study", "ours", **there).code == 0
    method = ("--method", "linear", "--kl", "0.01", "--json")
    study = json.loads(command("propose", "service:ours", *method, **there).out)
    # Two epochs of 10^9 tokens are a fifth of 10^10: the objective asks for more of that domain.
    assert study["proposals"][0]["weights"]["domain-0"] == pytest.approx(0.2)
    assert study["reference"]["weights"] == pytest.approx({f"domain-{i}": (i + 1) / 6 for i in range(3)})
    runs.with_name("tokens.json").write_text(json.dumps(tokens))
    words = ("--tokens", str(runs.with_name("tokens.json")), "--final-tokens", "10e9", "--max-epochs", "2")
    table = command("propose", str(runs), *method, *words, "--objective", "domain-0=1").out
    for one, other in zip(study["proposals"], json.loads(table)["proposals"], strict=True):
        assert one["weights"] == pytest.approx(other["weights"], abs=1e-6)
    asked = command("propose", "service:ours", *method, "--final-tokens", "1e9", "--max-epochs", "1", **there)
    assert json.loads(asked.out)["proposals"][0]["weights"]["domain-0"] > 0.3
    assert (
        json.loads(command("plan", "service:ours", "--json", "--method", "linear", **there).out)["runs"] == 24
    )
