"""Orders from the command line: carried out once, told in a sentence, and kept with their reason."""

import json
from pathlib import Path

import pytest

from tests.mixwright.commands import Command
from tests.service.reports import JOB, report
from tests.support.servers import Service

NAME = JOB["name"]


@pytest.fixture
def service(tenant: Service) -> Service:
    """A project of the test's own is as good here as a service of its own."""
    return tenant


@pytest.fixture
def job(service: Service, command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A job that has reported ten steps, and commands that find it."""
    monkeypatch.setenv("MIXWRIGHT_URL", service.url)
    monkeypatch.setenv("MIXWRIGHT_KEY", service.key)
    service.client.create_job(JOB)
    service.client.call("POST", f"/v1/jobs/{NAME}/reports", body=report(9))
    return command


def test_orders_stand_in_the_audit_with_reason_and_key(job: Command) -> None:
    orders = [
        ("pin", ["--weights", "web=.5,code=.5,law=0"], "version 3 from step 29 on"),
        ("release", [], "version 4 from step 29 on"),
        ("freeze", [], "version 5"),
        ("rollback", ["1"], "version 6"),
        ("release", [], "version 7"),
        ("retire", ["law"], "law is retired, with version 8"),
        ("readmit", ["law"], "version 9"),
        ("shadow", ["--on"], "the prior holds"),
        ("shadow", ["--off"], "the policy of the job steers"),
        ("add-domain", ["maths", "--tokens", "2K", "--max-epochs", "2"], "the schedule stays as it is"),
    ]
    for number, (name, more, told) in enumerate(orders):
        given = job("job", name, NAME, *more, "--reason", f"why {number}")
        assert given.code == 0, given.err
        assert told in given.out
        assert "from step" in given.out
    trail = json.loads(job("job", "audit", NAME, "--json").out)
    ordered = [entry for entry in trail[::-1] if entry["kind"] != "version"]
    assert [(entry["actor"], entry["reason"]) for entry in ordered] == [
        ("key test", f"why {number}") for number in range(len(orders))
    ]
    assert "why 3" in job("job", "audit", NAME).out


def test_a_job_follows_the_schedule_of_a_file(job: Command, service: Service, tmp_path: Path) -> None:
    stages = [({"web": 1.0, "code": 0.0}, 0), ({"web": 0.25, "code": 0.75}, 700)]
    schedule = {
        "schema": "mixture-schedule/v1", "samples_per_step": 4,
        "domains": [{"name": "web", "tokens": 9, "max_epochs": None}, {"name": "code", "tokens": 5}],
        "stages": [{"effective_step": step, "weights": weights} for weights, step in stages],
    }  # fmt: skip
    (tmp_path / "schedule.json").write_text(json.dumps(schedule))
    arguments = ["job", "create", "two-stages", "--schedule", str(tmp_path / "schedule.json")]
    assert "nothing was stored" in job(*arguments, "--dry-run").out
    assert [made["name"] for made in service.client.jobs()] == [NAME]
    assert job(*arguments).code == 0
    followed = service.client.call("GET", "/v1/jobs/two-stages/schedule")
    assert [(stage["weights"], stage["effective_step"]) for stage in followed["stages"]] == stages
    assert job("job", "create", "neither").code != 0


def test_a_dry_run_shows_what_would_be_and_stores_nothing(job: Command, service: Service) -> None:
    weights = ["--weights", "web=1,code=0", "--weights", "law=0"]
    told = job("job", "pin", NAME, *weights, "--reason", "a thought", "--dry-run")
    assert "nothing was stored" in told.out
    assert "web 100.0%" in told.out
    assert json.loads(job("job", "versions", NAME, "--json").out)[-1]["reason"] == "odm"
    assert service.client.job(NAME)["hold"] is None


def test_a_job_is_shown_with_what_holds_it_and_what_its_domains_have_left(job: Command) -> None:
    job("job", "freeze", NAME, "--reason", "[look] here")
    assert [word in job("job", "list").out for word in (NAME, "odm", "held")] == [True] * 3
    shown = job("job", "show", NAME).out
    assert "operator: frozen: [look] here" in shown
    assert "1 accepted, 0 late" in shown
    assert "33.3%" in shown, "each domain was a third of what was reported"
    versions = job("job", "versions", NAME, "--last", "1").out
    assert "the newest 1 of 3" in versions


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "rnu-7b"], "no job 'rnu-7b'"),
        (["pin", NAME, "--weights", "web=1", "--reason", "x"], "code"),
        (["freeze", NAME], "--reason"),
        (["release", NAME, "--reason", "x"], "there is nothing to release"),
        (["replay"], "either the name of a job"),
        (["replay", NAME, "--policy", "doremi"], "needs excess_clipped"),
        (["replay", NAME, "--guards", '{"flor": 0.1}'], "flor"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(job: Command, words: list[str], sentence: str) -> None:
    refused = job("job", *words)
    assert refused.code != 0
    assert sentence in refused.sentence
