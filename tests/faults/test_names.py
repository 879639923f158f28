"""Names that look like others, break out of formats, or point somewhere: text, and nothing more."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mixclient import Schedule
from mixlaws.domains import DomainSet
from mixlaws.estimator import Proposal
from mixlaws.problem import MixtureProblem
from mixwright.offline.proposal_tables import write_csv
from mixwright.offline.proposing import Proposed
from tests.faults.trainers import create, report, send, told
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.stored import reports_of

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def named(*names: str) -> dict[str, Any]:
    return {"policy": "static", "domains": [{"name": name, "tokens": 10} for name in names]}


def test_case_12_a_name_is_one_name_however_its_accents_are_encoded(service: Service) -> None:
    create(service, **named(DECOMPOSED, "web"))
    assert [domain["name"] for domain in told(service)["definition"]["domains"]] == [COMPOSED, "web"]
    for step, spelling in ((9, COMPOSED), (19, DECOMPOSED)):
        values = {"loss_sums": {spelling: 5.0, "web": None}, "non_finite": ["web"]}
        send(service, report(step, token_counts={spelling: 2, "web": 2}, **values))
    assert [row["loss_sums"] for row in reports_of(service, "run-7b")] == [[5.0, None]] * 2
    both = report(29, loss_sums={COMPOSED: 1.0, DECOMPOSED: 1.0}, token_counts={})
    answer = service.call("POST", "/v1/jobs/run-7b/reports", both)
    problem_of(answer, 422, "reports.0", "has two values", code="invalid_input")
    assert told(service)["reports_accepted"] == 2
    twice = service.call("POST", "/v1/studies", {"name": "trial", **_domains(COMPOSED, DECOMPOSED)})
    problem_of(twice, 422, "named twice")


def _domains(*names: str) -> dict[str, Any]:
    return {"domains": named(*names)["domains"]}


@pytest.mark.parametrize(
    "name",
    [
        "web\u202ebew",
        "we\u200bb",
        "\ufeffweb",
        "a\u2066b",
        "we\x1bb",
        "we\nb",
        "\u2028",
        "\u200d",
        " ",
        "w" * 10_000,
    ],
    ids=range(10),
)
def test_case_12_a_name_that_hides_something_or_is_too_long_is_refused(service: Service, name: str) -> None:
    for path, body in (
        ("/v1/studies", {"name": "trial", **_domains(name, "web")}),
        ("/v1/studies", {"name": "trial", **_domains("web"), "targets": [name]}),
        ("/v1/jobs", {"name": "run-7b", "samples_per_step": 8, **named(name, "web")}),
    ):
        answer = service.call("POST", path, body)
        problem_of(answer, 422)
        assert name.strip() not in answer.text or not name.strip()
    assert service.client.studies() == service.client.jobs() == []


def test_case_12_names_that_differ_in_case_are_two(service: Service) -> None:
    create(service, **named("Web", "web"))
    answer = service.call(
        "POST", "/v1/jobs/run-7b/reports", report(9, loss_sums={"WEB": 1.0}, token_counts={})
    )
    problem_of(answer, 422, "unknown domain 'WEB'", code="unknown_domain")
    send(service, report(9, loss_sums={"web": 1.0, "Web": 2.0}, token_counts={"web": 1, "Web": 1}))
    assert reports_of(service, "run-7b")[0]["loss_sums"] == [2.0, 1.0]


FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0"]
BREAKING_OUT = [
    '!!python/object/apply:os.system ["true"]',
    "'''); raise SystemExit(1); ('''",
    '"}, "weights": {"x": 1',
    "*anchor: &a [1]",
    "{{7*7}} ${7*7}",
    "\\",
]


def test_case_53_a_table_of_proposals_holds_no_formula(tmp_path: Path) -> None:
    domains = DomainSet(("=web", '"co,de'), (2, 1))

    def proposal() -> Proposal:
        return Proposal(
            weights=np.array([0.5, 0.5]), predicted=np.array([2.5]), deviation=None, objective=-2.5
        )

    proposed = Proposed(
        MixtureProblem.create(domains), ("@target",), "=prior", proposal(), [proposal()],
        rivals={name: proposal() for name in FORMULAS},
    )  # fmt: skip
    write_csv(tmp_path / "out.csv", proposed)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[1:3] == ["weight_=web", 'weight_"co,de']
    assert [row[0] for row in rows] == ["'=prior", "proposal 1", *(f"'{name}" for name in FORMULAS)]
    for cell in [*header, *(cell for row in rows for cell in row)]:
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert not cell.startswith("-") or float(cell) < 0
    assert {len(row) for row in rows} == {len(header)}


def test_case_53_names_come_back_as_they_were_from_every_document(service: Service) -> None:
    names = [*FORMULAS, *BREAKING_OUT]
    create(service, **named(*names))
    send(service, report(9, loss_sums=dict.fromkeys(names, 1.0), token_counts=dict.fromkeys(names, 1)))
    schedule = told(service, "/schedule")
    assert list(Schedule.parse(schedule).domains) == names
    assert list(Schedule.parse(json.loads(Schedule.parse(schedule).dump())).domains) == names
    for document in (schedule, told(service, "/log")):
        assert yaml.safe_load(json.dumps(document)) == document
    assert [domain["name"] for domain in told(service, "/log")["definitions"]["1"]["domains"]] == names
    page = service.call("GET", "/openapi.json").text
    assert "os.system" not in page


POINTING = [
    "../../etc/passwd-of-case-54",
    "file:///etc/passwd-of-case-54",
    "http://169.254.169.254/case-54",
    "//proc/self/case-54",
    "a#b?c=case-54",
    "\\\\host\\case-54",
]
_SEEN: list[tuple[str, str]] = []
_WATCHED = ("open", "os.", "socket.", "subprocess.", "urllib.", "shutil.", "glob.", "http.")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_WATCHED):
        told = " ".join(str(argument) for argument in arguments if isinstance(argument, str | bytes | tuple))
        if "case-54" in told or "169.254." in told:
            _SEEN.append((event, told))


@pytest.fixture(scope="module")
def seen() -> list[tuple[str, str]]:
    """What this process opens, connects to or starts because of these names. A hook stays for ever."""
    sys.addaudithook(_watch)
    return _SEEN


def test_case_54_a_name_that_points_somewhere_is_never_opened_nor_fetched(
    service: Service, seen: list[tuple[str, str]], tmp_path: Path
) -> None:
    create(service, **named(*POINTING))
    send(service, report(9, loss_sums=dict.fromkeys(POINTING, 1.0), token_counts=dict.fromkeys(POINTING, 1)))
    assert list(told(service, "/schedule")["stages"][-1]["weights"]) == POINTING
    study = {"name": "trial", **_domains(*POINTING), "notes": POINTING[2]}
    service.client.create_study(study)
    sweep = {"design": "sobol", "count": 1, "train": {"corpus": POINTING[0]}}
    service.client.create_sweep("trial", sweep)
    run = service.client.claim_run(POINTING[1])
    assert run is not None
    assert list(run["run"]["weights"]) == POINTING
    for path in ("/v1/studies/trial", "/v1/jobs/run-7b/log", "/v1/jobs/run-7b/domains", "/jobs/run-7b"):
        assert service.call("GET", path).status_code == 200
    assert seen == []
    (tmp_path / "case-54").touch()
    assert seen, "what is opened is seen"
    seen.clear()
