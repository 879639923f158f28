"""`mixwright import`: runs of a table reach a study, once."""

import json
from pathlib import Path

import pytest

from tests.mixwright.commands import Command, Outcome
from tests.mixwright.offline.swarms import simulated
from tests.support.servers import Service


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
