"""Bodies that no client of ours would send: nothing in them makes the service fail."""

import copy
import json
import math
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mixlaws.domains import DomainSet
from mixlaws.laws.bimix import BiMix
from mixlaws.swarm import Swarm
from service.models import Fit, Study, TaskState
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000, "max_epochs": 4}, {"name": "code", "tokens": 3_000}]
WEIGHTS = {"web": 0.75, "code": 0.25}
NOBODY = str(UUID(int=0))
REPORT = {
    "attempt": 1,
    "source": "rank0",
    "step_from": 0,
    "step_to": 9,
    "schedule_version": 1,
    "loss_sums": {"web": 3.0, "code": None},
    "token_counts": {"web": 1, "code": 1},
    "non_finite": ["code"],
    "signals": {
        "loss_squares": {"web": 9.0, "code": None},
        "gram": {
            "upper": {"web": {"web": 1.0, "code": 0.5}},
            "counts": {"web": 1, "code": 1},
            "layers": "head",
        },
        "expert_counts": {"counts": {"web": [1, 2]}, "layer": 3, "gate": "hard"},
    },
}
ACK = {"attempt": 1, "version": 1, "step": 0, "outcome": "applied"}
# A good body for every address that takes one; `{}` stands for the run that was claimed.
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/studies"): {
        "name": "another",
        "domains": DOMAINS,
        "targets": ["web", "code", "speed"],
        "objective": {"web": 1.0, "speed": 0.5},
        "prior": WEIGHTS,
        "lower": {"web": 0.1},
        "upper": {"code": 0.9},
        "final_tokens": 20_000,
        "notes": "none",
    },
    # The first line of a file, which other tests have whole.
    ("POST", "/v1/studies/import"): {
        "kind": "study",
        "schema": "mixwright-study/v1",
        "name": "filed",
        "definition": {"domains": DOMAINS, "targets": ["web"], "lower": {"web": 0.1}},
        "created_at": "2026-11-21T12:00:00Z",
    },
    ("POST", "/v1/domain-sets"): {"name": "texts", "domains": DOMAINS},
    ("POST", "/v1/studies/{study}/sweeps"): {
        "purpose": "proxy",
        "design": "sobol",
        "params": {},
        "count": 1,
        "seed": 1,
        "mixtures": [{"weights": WEIGHTS, "label": "mine", "seed": 1, "job": "live"}],
        "train": {"tokens": 100_000},
    },
    ("POST", "/v1/studies/{study}/runs"): {
        "runs": [
            {
                "name": "elsewhere",
                "weights": WEIGHTS,
                "losses": {"web": 3.0, "code": 2.0},
                "seed": 1,
                "step": 700,
                "tokens": 400_000,
                "model_parameters": 92_000,
            }
        ],
        "source": "a table",
    },
    ("POST", "/v1/runs/claim"): {"worker": "w", "study": "trial", "corpora": ["none"]},
    ("POST", "/v1/runs/claims"): {"worker": "w", "study": "trial", "corpora": ["none"], "count": 2},
    ("POST", "/v1/runs/{run_id}/claim"): {"worker": "w", "force": False},
    ("POST", "/v1/runs/{run_id}/observations"): {
        "lease": NOBODY,
        "observations": [{"step": 1, "target": "web", "value": 3.0}],
    },
    ("POST", "/v1/runs/{run_id}/cancel"): {"reason": "why"},
    ("POST", "/v1/runs/{run_id}/invalidate"): {"reason": "why"},
    ("PUT", "/v1/runs/{run_id}/notes"): {"notes": "mine", "tags": ["odd"]},
    ("PUT", "/v1/studies/{study}/notes"): {"notes": "# mine"},
    ("PUT", "/v1/studies/{study}/runs/{run_id}"): {
        "weights": WEIGHTS,
        "seed": 1,
        "label": "mine",
        "train": {"tokens": 5},
    },
    ("POST", "/v1/sweeps/{sweep_id}/cancel"): {"reason": "why"},
    ("PUT", "/v1/runs/{run_id}/heartbeat"): {"lease": NOBODY, "progress": 0.5},
    ("PUT", "/v1/runs/{run_id}/result"): {
        "lease": NOBODY,
        "losses": {"web": 3.0, "code": 2.0},
        "bits_per_byte": {"web": 1.5},
        "step": 700,
        "tokens": 400_000,
        "drawn": {"web": 300_000},
        "model_parameters": 92_000,
        "seconds": 8.0,
        "live": {"polls": 1},
    },
    ("PUT", "/v1/runs/{run_id}/failure"): {"lease": NOBODY, "reason": "out of memory"},
    ("POST", "/v1/studies/{study}/fits"): {
        "method": "exponential",
        "params": {"restarts": 2},
        "folds": 2,
        "seed": 1,
        "sweep_ids": [NOBODY],
    },
    ("POST", "/v1/fits/{fit_id}/predict"): {
        "mixtures": [WEIGHTS],
        "at": {"model_parameters": 92_000, "tokens": 400_000},
    },
    ("POST", "/v1/jobs/{job}/pin"): {"weights": WEIGHTS, "reason": "why", "dry_run": True},
    ("POST", "/v1/jobs/{job}/freeze"): {"reason": "why", "dry_run": False},
    ("POST", "/v1/jobs/{job}/release"): {"reason": "why"},
    ("POST", "/v1/jobs/{job}/rollback"): {"version": 1, "reason": "why"},
    ("POST", "/v1/jobs/{job}/retire"): {"domain": "web", "reason": "why"},
    ("POST", "/v1/jobs/{job}/readmit"): {"domain": "web", "reason": "why"},
    ("POST", "/v1/jobs/{job}/shadow"): {"on": True, "reason": "why"},
    ("POST", "/v1/jobs/{job}/domains"): {
        "name": "law",
        "tokens": 5,
        "max_epochs": 2.0,
        "prior_weight": 0.1,
        "reason": "why",
        "dry_run": True,
    },
    ("POST", "/v1/studies/{study}/proposals"): {
        "fit_id": NOBODY,
        "proposer": "convex",
        "params": {},
        "count": 1,
        "within_sampled": True,
    },
    ("POST", "/v1/jobs"): {
        "name": "another",
        "policy": "odm",
        "params": {"smoothing": 0.5},
        "domains": DOMAINS,
        "prior": WEIGHTS,
        "guards": {"floor": 0.0, "ceiling": 1.0, "loss_ceiling": 20.0},
        "signals": ["losses"],
        "sources": ["rank0"],
        "wait_steps": 10,
        "samples_per_step": 8,
        "lead_steps": 1,
        "ttl_steps": 100,
        "study": "trial",
    },
    ("POST", "/v1/jobs/{job}/end"): {"reason": "why"},
    ("POST", "/v1/jobs/{job}/reports"): {"reports": [REPORT]},
    ("POST", "/v1/jobs/{job}/acks"): {"acks": [ACK]},
    ("POST", "/v1/jobs/{job}/attempts"): {"from_step": 1, "state_token": "a1.s1"},
    ("POST", "/v1/keys"): {"name": "k", "scopes": ["runs:work"], "days": 1},
    ("POST", "/v1/keys/{key_id}/rotate"): {"days": 1, "overlap_seconds": 60, "reason": "why"},
    ("POST", "/v1/projects"): {"name": "team"},
    ("PATCH", "/v1/projects/{project_id}"): {"name": "team-2", "reason": "why"},
}
NUMBERS = [
    0,
    1,
    -1,
    2**31,
    2**53,
    2**63,
    10**30,
    0.5,
    -0.0,
    5e-324,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
]
TEXTS = ["", "\0", "\ud800", "x" * 3_000, "web", "live", "\u202e", "\u0130", "a/b", "null", NOBODY]
LEAVES = st.sampled_from([None, True, False, *NUMBERS, *TEXTS]) | st.text(max_size=5)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS) | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def paths(shared_service: Service) -> dict[str, str]:
    """A study, a claimed run, a live job; the values of the parameters of paths."""
    client = shared_service.client
    client.create_study({"name": "trial", "domains": DOMAINS})
    sweep = client.create_sweep("trial", {"design": "sobol", "count": 2})["id"]
    lease = client.claim_run("tester")
    assert lease is not None
    client.create_job({"name": "live", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8})
    run = lease["run"]["id"]
    fit = finished_fit(shared_service)
    key = client.call("POST", "/v1/keys", body={"name": "k", "scopes": ["runs:work"]})["id"]
    project = client.call("POST", "/v1/projects", body={"name": "odd"})["id"]
    return {
        "study": "trial",
        "job": "live",
        "run_id": run,
        "sweep_id": sweep,
        "fit_id": fit,
        "key_id": key,
        "project_id": project,
    }


def finished_fit(service: Service) -> str:
    """A law that knows tokens, as a task would have stored it."""
    domains = DomainSet.from_tokens({"web": 9_000, "code": 3_000})
    rng = np.random.default_rng(0)
    swarm = Swarm(
        domains,
        domains.names,
        rng.dirichlet([2.0, 2.0], 12),
        rng.uniform(2.0, 3.0, (12, 2)),
        tokens=np.array([1e5, 2e5, 4e5] * 4),
    )
    predictor = BiMix().fit(swarm, rng=rng)
    with service.database.session() as session:
        fit = Fit(
            study_id=session.scalars(select(Study.id).where(Study.name == "trial")).one(),
            method="bimix",
            configuration={"method": "bimix"},
            configuration_digest="",
            run_ids=[],
            data_digest="",
            state=TaskState.DONE,
            result={"predictor": predictor.dump()},
        )
        session.add(fit)
        session.flush()
        return str(fit.id)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to every part of a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, good: dict[str, Any]) -> Any:
    """A good body with one part replaced, or given another name."""
    body = copy.deepcopy(good)
    *way, last = draw(st.sampled_from(list(places(good))[1:]))
    inner: Any = body
    for key in way:
        inner = inner[key]
    if isinstance(last, str) and draw(st.booleans()):
        inner[draw(st.sampled_from(TEXTS))] = inner.pop(last)
    else:
        inner[last] = draw(ANY_JSON)
    return body


def test_every_address_that_takes_a_body_is_tried(shared_service: Service) -> None:
    document = shared_service.call("GET", "/openapi.json").json()
    taking = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    }
    assert taking == set(GOOD)


@pytest.mark.parametrize("address", list(GOOD), ids=" ".join)
def test_no_body_makes_the_service_fail(
    shared_service: Service, paths: dict[str, str], address: tuple[str, str]
) -> None:
    method, path = address
    headers = {"Content-Type": "application/json"}
    with shared_service.http(shared_service.key, **headers) as http:

        @settings(max_examples=30)
        @given(body=spoilt(GOOD[address]) | ANY_JSON)
        def sends(body: Any) -> None:
            answer = http.request(method, path.format(**paths), content=json.dumps(body))
            assert answer.status_code < 500, answer.text
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["detail"]

        sends()
    assert shared_service.call("GET", "/readyz").status_code == 200


@pytest.mark.parametrize("policy", ["odm", "static"])
def test_whatever_a_trainer_measures_the_schedule_stays_a_mixture(
    shared_service: Service, policy: str
) -> None:
    name = f"measured-{policy}"
    body = {"name": name, "policy": policy, "domains": DOMAINS, "samples_per_step": 8, "sources": ["a", "b"]}
    shared_service.client.create_job(body)
    steps = iter(range(10**6))
    sums = st.sampled_from([float(n) for n in NUMBERS if math.isfinite(n)])
    counts = st.sampled_from([0, 1, 2, 512, 2**53 - 1])

    @settings(max_examples=30)
    @given(measured=st.lists(st.tuples(sums, counts), min_size=4, max_size=4))
    def reports(measured: list[tuple[float, int]]) -> None:
        step = next(steps)
        sent = [
            {
                **REPORT,
                "source": source,
                "step_from": step,
                "step_to": step,
                "non_finite": [],
                "loss_sums": {name: loss for name, (loss, _) in zip(WEIGHTS, part, strict=True)},
                "token_counts": {name: count for name, (_, count) in zip(WEIGHTS, part, strict=True)},
            }
            for source, part in (("a", measured[:2]), ("b", measured[2:]))
        ]
        answer = shared_service.call("POST", f"/v1/jobs/{name}/reports", {"reports": sent})
        assert answer.status_code == 200, answer.text
        for stage in shared_service.call("GET", f"/v1/jobs/{name}/schedule").json()["stages"]:
            assert sum(stage["weights"].values()) == pytest.approx(1.0)
            assert min(stage["weights"].values()) >= 0.0

    reports()
