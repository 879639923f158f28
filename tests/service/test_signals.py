"""Every kind of measurement: taken as documented, stored as sent, refused by field."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from mixlaws.domains import DomainSet
from mixlaws.feedback import Feedback, Signal
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from mixlaws.steering.plans import SAME
from service.jobs.adding import added, sent
from service.jobs.signals import SignalsBody
from service.models import Report
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service
from tests.support.steering import example

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
BLOCKS: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
]
KINDS = {kind: {kind: measured} for block in BLOCKS for kind, measured in block.items()}
PATH = f"/v1/jobs/{JOB['name']}/reports"


@pytest.fixture(scope="module", autouse=True)
def job(shared_service: Service) -> None:
    shared_service.client.create_job(JOB)


def test_the_page_shows_every_kind_as_it_is_taken() -> None:
    assert KINDS.keys() == set(Signal) - {Signal.LOSSES} == SignalsBody.model_fields.keys()
    for block in BLOCKS:
        assert SignalsBody.model_validate(block).model_dump(exclude_unset=True) == block
        assert sent({**block, "gram": None}) == block.keys() - {"gram"}


def test_the_page_says_which_policy_needs_which_kind() -> None:
    rows = dict(re.findall(r"^\| `(\w+)`.*\| ([^|]*) \|$", PAGE, re.MULTILINE))
    domains = DomainSet(("web", "code"), (2, 1))
    for name in POLICIES:
        for signal in example(name, domains).signals:
            assert f"`{name}`" in rows[signal]


@pytest.mark.parametrize("name", ["dga", "doge", "doremi", "dump", "moe_dynamic", "pike", "rnb"])
def test_what_the_page_shows_moves_a_policy_that_needs_it(name: str) -> None:
    domains = DomainSet(("web", "code"), (2, 1))
    policy, problem = example(name, domains), MixtureProblem.create(domains)
    needed = {kind: measured[kind] for kind, measured in KINDS.items() if kind in policy.signals}
    nothing = np.zeros(2)
    state = policy.init(problem)
    told = Feedback(1190, nothing, nothing.astype(int), problem.prior, **added(domains, [needed]))
    before, after = (policy.stages(each)[0].weights for each in (state, policy.update(state, told)))
    assert after.sum() == pytest.approx(1)
    assert np.abs(after - before).max() > SAME, "else nothing is published"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_stored_as_it_was_sent_and_known_again(shared_service: Service, kind: str) -> None:
    signals, step = KINDS[kind], 20 + list(KINDS).index(kind)
    for duplicates in (0, 1):
        answer = shared_service.call("POST", PATH, report(step, signals=signals))
        assert answer.json()["duplicates"] == duplicates, answer.text
    with shared_service.database.session() as session:
        assert session.scalars(select(Report.signals).where(Report.step_to == step)).one() == signals
    refused = shared_service.call("POST", PATH, report(step))
    problem = problem_of(refused, 409, f"step {step}", code="other_report")
    assert (problem["stored"]["signals"], problem["offered"]["signals"]) == (signals, {})


TWICE = {
    "upper": {"web": {"code": 1.0}, "code": {"web": 1.0}},
    "counts": {"web": 1, "code": 1},
    "layers": "a",
}


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("loss_squares", {"web": -1.0}, ["loss_squares.web", "greater than or equal to 0"]),
        ("loss_squares", {"web": "2.5"}, ["loss_squares.web", "valid number"]),
        ("sequence_counts", {"web": 1.5}, ["sequence_counts.web", "valid integer"]),
        ("sequence_counts", {"web": True}, ["sequence_counts.web", "valid integer"]),
        ("excess", {"counts": {"web": 1}}, ["signals.excess", "no count for code"]),
        ("excess_clipped", {"sums": {"web": -0.5}}, ["excess_clipped.sums.web"]),
        ("eval_losses", {"set": ""}, ["eval_losses.set", "at least 1 character"]),
        ("eval_losses", {"sets": "a"}, ["eval_losses.sets", "Extra inputs"]),
        ("gram", TWICE, ["signals.gram", "given twice", "once"]),
        ("gram", {"counts": {"web": 1}}, ["signals.gram", "no count for code"]),
        ("grad_products", {"learning_rate": None}, ["grad_products.learning_rate", "valid number"]),
        (
            "grad_products",
            {"products": {"web": {f"t{number}": 1.0 for number in range(1001)}}},
            ["grad_products.products", "1001 targets: name at most 1000"],
        ),
        ("grad_norms", {"batch": 0}, ["grad_norms.batch"]),
        ("expert_counts", {"counts": {"web": [1, 2], "code": [1]}}, ["1 and of 2 experts"]),
        ("expert_counts", {"counts": {"web": [0.5]}}, ["expert_counts", "send gate weights as soft"]),
        ("expert_counts", {"gate": "other"}, ["expert_counts.gate", "'hard' or 'soft'"]),
        ("advantages", {"absolute_sums": {"web": -3.0}}, ["advantages.absolute_sums.web"]),
        ("bench_scores", {"scores": {"mmlu": float("nan")}}, ["bench_scores.scores.mmlu", "finite"]),
        ("influence", {"tokens": 2**53}, ["influence.tokens", "less than"]),
    ],
    ids=range(19),
)
def test_what_cannot_be_meant_is_refused_by_field(
    shared_service: Service, kind: str, changes: dict[str, Any], words: list[str]
) -> None:
    signals = copy.deepcopy(KINDS[kind])
    signals[kind] |= changes
    with shared_service.http(shared_service.key, **{"Content-Type": "application/json"}) as http:
        answer = http.post(PATH, content=json.dumps(report(99, signals=signals)))
    problem_of(answer, 422, "signals", *words, code="invalid_request")
