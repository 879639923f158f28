"""Runs that were trained elsewhere: stored once under their names, and seen by fits like all others."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from mixclient import ConflictError, NotFoundError, ServiceError
from mixlaws.simulation import Simulation
from tests.support.populated import settled
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000_000}, {"name": "code", "tokens": 3_000_000}]


def run(number: int, **more: Any) -> dict[str, Any]:
    share = (number + 1) / 50
    losses = {"web": 3 + 1 / (1 + share), "code": 2 + share}
    return {"name": f"run-{number}", "weights": {"web": share, "code": 1 - share}, "losses": losses, **more}


@pytest.fixture
def study(service: Service) -> Service:
    """A service with an empty study called trial."""
    service.client.create_study({"name": "trial", "domains": DOMAINS})
    return service


def test_imported_runs_are_finished_proxy_runs(study: Service) -> None:
    more = {"seed": 3, "step": 700, "tokens": 10**9, "model_parameters": 10**6}
    answer = study.client.import_runs("trial", [run(0, **more), run(1)], source="ours.csv")
    assert (answer["created"], answer["duplicates"]) == (2, 0)
    first, second = study.client.runs("trial", state="completed", purpose="proxy")
    assert (first["label"], first["seed"], first["progress"]) == ("run-0", 3, 1.0)
    assert first["weights"] == pytest.approx({"web": 0.02, "code": 0.98})
    assert first["result"]["losses"] == run(0)["losses"]
    assert second["result"]["tokens"] is None
    sweep = study.client.sweep(answer["sweep_id"])
    assert sweep["runs"] == {"completed": 2}
    assert sweep["definition"]["train"]["source"] == "ours.csv"
    assert study.client.claim_run("worker") is None


def test_the_same_again_changes_nothing_and_says_so(study: Service) -> None:
    study.client.import_runs("trial", [run(0), run(1)])
    with study.http(study.key) as http:
        again = http.post("/v1/studies/trial/runs", json={"runs": [run(1), run(0)]})
        more = http.post("/v1/studies/trial/runs", json={"runs": [run(1), run(2), run(2)]})
    assert (again.status_code, again.json()) == (200, {"sweep_id": None, "created": 0, "duplicates": 2})
    assert (more.status_code, more.json()["created"], more.json()["duplicates"]) == (201, 1, 2)
    assert len(study.client.runs("trial")) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"losses": {"web": 3.5, "code": 2.0}},
        {"weights": {"web": 0.5, "code": 0.5}},
        {"seed": 9},
        {"tokens": 5},
    ],
)
def test_another_value_is_refused_with_both_and_nothing_of_its_request_is_stored(
    study: Service, change: dict[str, Any]
) -> None:
    study.client.import_runs("trial", [run(0)])
    with pytest.raises(ConflictError, match="run 'run-0' was imported with other fields") as refused:
        study.client.import_runs("trial", [run(1), run(0, **change)])
    (field,) = change
    assert refused.value.code == "other_run"
    assert refused.value.problem["stored"][field] != refused.value.problem["offered"][field]
    assert [r["label"] for r in study.client.runs("trial")] == ["run-0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": {"web": 0.5, "code": 0.6}}, r"runs\.1\.weights: .*1\.1"),
        ({"weights": {"web": 1.0}}, r"runs\.1\.weights: no value for 'code'"),
        ({"losses": {"web": 1.0}}, r"runs\.1\.losses: no value for \['code'\]"),
        ({"losses": {"web": 1.0, "code": 1.0, "law": 1.0}}, r"unknown targets \['law'\]"),
        ({"name": ""}, r"runs\.1\.name"),
        ({"speed": 1}, "speed"),
    ],
)
def test_a_run_that_does_not_fit_the_study_is_refused_by_field(
    study: Service, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match=message) as refused:
        study.client.import_runs("trial", [run(0), run(1, **change)])
    assert refused.value.status == 422
    assert study.client.runs("trial") == []


def test_two_imports_at_once_store_every_run_once(study: Service) -> None:
    runs = [run(number) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: study.client.import_runs("trial", runs), range(4)))
    assert sum(answer["created"] for answer in answers) == len(study.client.runs("trial")) == 12


def test_no_other_study_and_project_is_reached(study: Service) -> None:
    with pytest.raises(NotFoundError, match="no study 'missing'"):
        study.client.import_runs("missing", [run(0)])
    with study.http(study.new_key(project="other")) as http:
        assert http.post("/v1/studies/trial/runs", json={"runs": [run(0)]}).status_code == 404
    assert study.client.runs("trial") == []


def test_a_fit_and_the_page_of_the_study_see_imported_runs(service: Service) -> None:
    rng = np.random.default_rng(5)
    swarm = Simulation.create(domains=2, rng=rng).swarm(count=16, noise=0.001, rng=rng)
    names = swarm.domains.names
    service.client.create_study({"name": "found", "domains": [{"name": n, "tokens": 10**6} for n in names]})
    bodies = [
        {
            "name": f"ours-{number}",
            "weights": swarm.domains.to_mapping(weights),
            "losses": swarm.domains.to_mapping(values),
        }
        for number, (weights, values) in enumerate(zip(swarm.weights, swarm.values, strict=True))
    ]
    service.client.import_runs("found", bodies)
    fit = service.client.create_fit("found", {"method": "linear"})
    done = settled(service.client.fit, fit["id"])
    assert (done["state"], done["runs"]) == ("done", 16)
    assert math.isfinite(done["objective_scores"]["mae"])
    page = service.call("GET", "/studies/found")
    assert page.status_code == 200
    assert "ours-15" in page.text
