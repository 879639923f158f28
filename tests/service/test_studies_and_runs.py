"""From a study to finished runs: the first half of the story, over HTTP."""

import math
from typing import Any

import pytest
from sqlalchemy import text

from mixclient import ConflictError, NotFoundError, ServiceError
from tests.support.servers import Service

DOMAINS = [
    {"name": "web", "tokens": 9_000_000},
    {"name": "code", "tokens": 3_000_000},
    {"name": "law", "tokens": 1_000_000},
]


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def study(service: Service, **more: Any) -> dict[str, Any]:
    return service.client.create_study({"name": "trial", "domains": DOMAINS, **more})


def result(lease: dict[str, Any], **more: Any) -> dict[str, Any]:
    losses = {name: 3.0 + 0.1 * i for i, name in enumerate(lease["targets"])}
    body = {
        "lease": lease["lease"],
        "losses": losses,
        "step": 700,
        "tokens": 400_000,
        "model_parameters": 92_000,
        "seconds": 8.0,
    }
    return {**body, **more}


def test_a_study_shows_its_defaults_and_is_made_once(service: Service) -> None:
    first = study(service)
    assert first["definition"]["targets"] == ["web", "code", "law"]
    assert first["definition"]["objective"] == pytest.approx({"web": 9 / 13, "code": 3 / 13, "law": 1 / 13})
    assert study(service)["id"] == first["id"]
    with pytest.raises(ConflictError, match="exists with another final_tokens"):
        study(service, final_tokens=10**9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prior": {"web": 0.5, "code": 0.6, "law": 0.0}}, r"sum to 1\.1"),
        ({"prior": {"web": 0.5, "code": 0.5}}, "no value for 'law'"),
        ({"lower": {"wep": 0.1}}, r"unknown domain 'wep': did you mean 'web'\?"),
        ({"objective": {"speed": 1.0}}, "unknown target 'speed'"),
        ({"upper": {"web": 0.1, "code": 0.1, "law": 0.1}}, r"sum to 0\.3 < 1"),
        ({"domains": [{"name": "web", "tokens": 0}]}, r"domains\.0\.tokens"),
        ({"domains": []}, "domains"),
        ({"colour": "red"}, "colour"),
        ({"name": "no/slash"}, "name"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused_by_field(
    service: Service, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match=message) as refused:
        study(service, **change)
    assert refused.value.status == 422


def test_a_sweep_is_designed_trained_and_finished(service: Service) -> None:
    study(service)
    sweep = service.client.create_sweep(
        "trial",
        {
            "design": "sobol",
            "count": 3,
            "seed": 7,
            "mixtures": [{"weights": {"web": 1, "code": 0, "law": 0}, "label": "web alone"}],
            "train": {"tokens": 100_000},
        },
    )
    assert sweep["runs"] == {"pending": 4}
    done = 0
    while lease := service.client.claim_run("worker-1", study="trial"):
        run = lease["run"]
        assert math.isclose(sum(run["weights"].values()), 1.0, abs_tol=1e-9)
        assert run["train"]["tokens"] == 100_000
        service.client.heartbeat(run["id"], lease["lease"], 0.5)
        finished = service.client.put_result(run["id"], result(lease))
        assert finished["state"] == "completed"
        done += 1
    assert done == 4
    assert service.client.sweep(sweep["id"])["progress"] == 1.0
    runs = service.client.runs("trial")
    assert [run["label"] for run in runs] == ["sobol 0", "sobol 1", "sobol 2", "web alone"]


def test_a_design_is_the_same_for_the_same_seed(service: Service) -> None:
    study(service)
    for _ in range(2):
        service.client.create_sweep("trial", {"design": "sobol", "count": 3, "seed": 5})
    runs = service.client.runs("trial")
    assert [run["weights"] for run in runs[:3]] == [run["weights"] for run in runs[3:]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"design": "sobel", "count": 3}, "did you mean 'sobol'"),
        ({"design": "sobol", "count": 3, "params": {"max_conc": 3}}, "max_conc"),
        ({"count": 3}, "count without a design"),
        ({}, "a sweep of nothing"),
        ({"mixtures": [{"weights": {"web": 0.5, "code": 0.6, "law": 0.0}}]}, r"mixtures\.0\.weights: .*1\.1"),
        ({"mixtures": [{"weights": {"web": 1.0}}]}, r"mixtures\.0\.weights: no value for 'code', 'law'"),
        ({"design": "sobol", "count": 3, "train": {"width": 33}}, "width 33"),
        ({"design": "sobol", "count": 3, "train": {"tokns": 33}}, "tokns"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused_by_field(
    service: Service, body: dict[str, Any], message: str
) -> None:
    study(service)
    with pytest.raises(ServiceError, match=message) as refused:
        service.client.create_sweep("trial", body)
    assert refused.value.status == 422
    assert service.client.runs("trial") == []


def one_run(service: Service) -> dict[str, Any]:
    study(service)
    service.client.create_sweep("trial", {"design": "sobol", "count": 1})
    lease = service.client.claim_run("worker-1")
    assert lease is not None
    return lease


def let_leases_expire(service: Service) -> None:
    with service.database.session() as session:
        session.execute(text("UPDATE proxy_runs SET lease_expires_at = now() - interval '1 second'"))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", '"3.5"x', "null"])
def test_a_loss_that_is_no_number_is_refused_and_the_run_stays_open(service: Service, text: str) -> None:
    lease = one_run(service)
    body = (
        f'{{"lease": "{lease["lease"]}", "losses": {{"web": {text}, "code": 3, "law": 3}}, '
        '"step": 1, "tokens": 1, "model_parameters": 1, "seconds": 1}'
    )
    with service.http(service.key) as http:
        answer = http.put(
            f"/v1/runs/{lease['run']['id']}/result",
            content=body,
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.client.put_result(lease["run"]["id"], result(lease))["state"] == "completed"


def test_a_result_must_name_every_target_once(service: Service) -> None:
    lease = one_run(service)
    with pytest.raises(ServiceError, match=r"no value for \['law'\], unknown targets \['lav'\]"):
        service.client.put_result(
            lease["run"]["id"], result(lease, losses={"web": 3.0, "code": 3.0, "lav": 3.0})
        )


def test_a_run_that_silences_three_workers_is_given_up(service: Service) -> None:
    first = one_run(service)
    leases = []
    for worker in ("worker-2", "worker-3", "worker-4"):
        let_leases_expire(service)
        leases.append(service.client.claim_run(worker))
    assert leases[-1] is None
    run = service.client.runs("trial")[0]
    assert run["state"] == "failed"
    assert "3 workers fell silent" in run["error"]
    again = service.client.call("POST", f"/v1/runs/{run['id']}/requeue")
    assert (again["state"], again["claims"]) == ("pending", 0)
    lease = service.client.claim_run("worker-5")
    assert lease is not None
    assert lease["run"]["id"] == first["run"]["id"]


def test_pages_of_runs_are_stable_while_runs_are_added(service: Service) -> None:
    study(service)
    service.client.create_sweep("trial", {"design": "sobol", "count": 5})
    first = service.call("GET", "/v1/studies/trial/runs?limit=3").json()
    service.client.create_sweep("trial", {"design": "sobol", "count": 2})
    second = service.call("GET", f"/v1/studies/trial/runs?limit=10&cursor={first['next']}").json()
    ids = [run["id"] for run in first["items"] + second["items"]]
    assert len(ids) == len(set(ids)) == 7
    assert second["next"] is None


def test_another_project_sees_nothing(service: Service) -> None:
    lease = one_run(service)
    with service.http(service.new_key(project="other")) as http:
        assert http.get("/v1/studies").json()["items"] == []
        for path in ("/v1/studies/trial", f"/v1/runs/{lease['run']['id']}", "/v1/studies/trial/runs"):
            assert http.get(path).status_code == 404
        assert http.put(f"/v1/runs/{lease['run']['id']}/result", json=result(lease)).status_code == 404
        assert http.post("/v1/runs/claim", json={"worker": "spy"}).status_code == 204


def test_what_does_not_exist_is_told_by_name(service: Service) -> None:
    with pytest.raises(NotFoundError, match="no study 'missing'"):
        service.client.create_sweep("missing", {"design": "sobol", "count": 1})
