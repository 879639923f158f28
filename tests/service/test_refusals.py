"""What cannot be used is refused before it is stored, in words that name the field and the remedy."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from mixlaws.errors import SwarmTooSmallError
from mixlaws.registry import ESTIMATORS
from mixlaws.simulation import Simulation
from service.compute.fitting import run_fit
from service.compute.swarms import dump_problem
from tests.service.problems import problem_of
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
NOBODY = str(UUID(int=0))


@pytest.fixture(scope="module", autouse=True)
def trial(shared_service: Service) -> None:
    """A study and a job that the bodies below belong to."""
    shared_service.client.create_study({"name": "trial", "domains": DOMAINS})
    body = {"name": "live", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8}
    shared_service.client.create_job(body)


def send(service: Service, path: str, body: object, method: str = "POST") -> httpx.Response:
    with service.http(service.key) as http:
        return http.request(
            method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )


def mixture(**weights: float) -> dict[str, Any]:
    return {"mixtures": [{"weights": weights}]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (mixture(web=0.5, cod=0.5), ["unknown domain 'cod'", "did you mean 'code'?"]),
        (mixture(web=1.0), ["no value for 'code'", "with 0 if none is meant"]),
        (mixture(web=1.5, code=-0.5), ["mixtures.0.weights.web", "less than or equal to 1"]),
        (mixture(web=float("nan"), code=1.0), ["mixtures.0.weights.web", "finite number"]),
        (mixture(web=float("inf"), code=1.0), ["mixtures.0.weights.web", "finite number"]),
        ({**mixture(web=1, code=0), "design": "sobel"}, ["design 'sobel' without a count"]),
        ({**mixture(web=1, code=0), "params": {"x": 1}}, ["params without a design"]),
    ],
    ids=range(7),
)
def test_a_sweep_that_cannot_be_meant_is_refused(
    shared_service: Service, body: dict[str, Any], words: list[str]
) -> None:
    problem_of(send(shared_service, "/v1/studies/trial/sweeps", body), 422, *words)


STUDY = {"name": "stored", "domains": DOMAINS}
REPORT = {
    "attempt": 1,
    "source": "rank0",
    "step_from": 0,
    "step_to": 9,
    "schedule_version": 1,
    "loss_sums": {"web": 3.0},
    "token_counts": {"web": 1},
}
DEEP = json.loads('{"a":' * 40 + "1" + "}" * 40)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/studies", {**STUDY, "notes": "a\0b"}, ["body.notes", "U+0000", "remove it"]),
        ("/v1/studies", {**STUDY, "notes": "\ud800"}, ["body.notes", "unicode"]),
        ("/v1/studies", {**STUDY, "targets": ["a\0"]}, ["holds invisible or control characters"]),
        ("/v1/studies", {**STUDY, "targets": ["t" * 201]}, ["use at most 200"]),
        ("/v1/studies", {**STUDY, "targets": ["t"] * 2001}, ["body.targets", "at most 2000"]),
        ("/v1/studies", {**STUDY, "objective": {"web": 1e308, "code": 1e308}}, ["body.objective.web"]),
        ("/v1/studies/trial/sweeps", {"mixtures": [{"weights": {"\0": 1}}]}, ["weights", "U+0000"]),
        ("/v1/studies/trial/sweeps", {"train": {"corpus": "\0"}}, ["body.train", "corpus", "U+0000"]),
        ("/v1/studies/trial/sweeps", {"params": {"\ud800": 1}}, ["body.params", "U+D800"]),
        ("/v1/studies/trial/sweeps", {"params": DEEP}, ["body.params", "nests deeper than 32", "flatter"]),
        ("/v1/studies/trial/sweeps", {"params": {"a": [float("nan")]}}, ["body.params", "a.0 is nan"]),
        ("/v1/runs/claim", {"worker": "\0"}, ["body.worker", "U+0000"]),
        ("/v1/runs/claim", {"worker": "w", "corpora": ["\0"]}, ["body.corpora.0", "U+0000"]),
        ("/v1/runs/claim", {"worker": "w", "corpora": ["c"] * 70_000}, ["body.corpora", "at most 1000"]),
        (
            "/v1/studies/trial/fits",
            {"method": "linear", "sweep_ids": [NOBODY] * 70_000},
            ["body.sweep_ids", "at most 1000"],
        ),
        ("/v1/keys", {"name": "\0", "scopes": ["runs:work"]}, ["body.name", "U+0000"]),
        ("/v1/studies/trial/sweeps", {"params": {"a": [2**53 + 1]}}, ["body.params", "a.0 is beyond"]),
        ("/v1/jobs/live/reports", {**REPORT, "signals": {"loss_squares": {"\0": 1}}}, ["signals", "U+0000"]),
        ("/v1/jobs/live/reports", {**REPORT, "attempt": 2**70}, ["was never opened"]),
        ("/v1/jobs/live/reports", {**REPORT, "schedule_version": 2**70}, ["was never published"]),
        (
            "/v1/jobs/live/acks",
            {"attempt": 1, "version": 2**40, "step": 1, "outcome": "applied"},
            ["version", "less than or equal to"],
        ),
    ],
    ids=range(21),
)
def test_what_no_column_holds_is_refused_by_field(
    shared_service: Service, path: str, body: dict[str, Any], words: list[str]
) -> None:
    answer = send(shared_service, path, body)
    problem_of(answer, 409 if "was never opened" in words else 422, *words)
    assert shared_service.client.job("live")["reports_accepted"] == 0


def test_a_result_that_no_column_holds_is_refused_and_a_huge_one_is_stored_once(
    shared_service: Service,
) -> None:
    shared_service.client.create_study({"name": "huge", "domains": DOMAINS})
    shared_service.client.create_sweep("huge", {"design": "sobol", "count": 1})
    lease = shared_service.client.claim_run("tester", study="huge")
    assert lease is not None
    path = f"/v1/runs/{lease['run']['id']}"
    # JSON documents of the database show a float of this size as an integer.
    result = {"losses": {"web": 1e30, "code": 3.0}, "step": 1, "tokens": 1, "model_parameters": 1}
    result |= {"lease": lease["lease"], "seconds": 1.0}
    for change, words in (
        ({"step": 2**31}, "body.step"),
        ({"bits_per_byte": {"\0": 1.0}}, "body.bits_per_byte"),
        ({"live": {"\0": 1}}, "body.live"),
    ):
        problem_of(send(shared_service, f"{path}/result", {**result, **change}, "PUT"), 422, words)
    reason = {"lease": lease["lease"], "reason": "\0"}
    problem_of(send(shared_service, f"{path}/failure", reason, "PUT"), 422, "body.reason")
    for _ in range(2):
        assert send(shared_service, f"{path}/result", result, "PUT").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/studies", {"name": "at-once", "domains": DOMAINS}),
        ("/v1/jobs", {"name": "at-once", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8}),
    ],
)
def test_what_is_asked_for_twice_at_once_is_made_once(
    shared_service: Service, path: str, body: dict[str, Any]
) -> None:
    callers = 8
    together = Barrier(callers)

    def create(_: int) -> tuple[int, str]:
        with shared_service.http(shared_service.key) as http:
            http.get("/v1/studies")
            together.wait()
            answer = http.post(path, json=body)
            return answer.status_code, answer.json().get("id")

    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(create, range(callers)))
    assert sorted(status for status, _ in answers) == [200] * (callers - 1) + [201]
    assert len({made for _, made in answers}) == 1


@pytest.mark.parametrize("method", sorted(ESTIMATORS))
def test_every_method_says_how_many_runs_it_needs(method: str) -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=1, noise=0.01, rng=np.random.default_rng(1))
    raw = {
        "problem": {**dump_problem(simulation.problem), "coefficients": [1 / 3] * 3},
        "swarm": {
            "targets": list(swarm.targets),
            "weights": swarm.weights.tolist(),
            "values": swarm.values.tolist(),
        },
        "method": method,
        "params": {},
        "folds": 10,
        "seed": 0,
    }
    with pytest.raises(SwarmTooSmallError, match=r"1 finished proxy runs.* at least \d+"):
        run_fit(raw)
