"""Keys: made, listed, revoked, expired; and the walls between projects."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from service.models import ProposalRequest, TaskState
from tests.service.problems import problem_of
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]


def made(service: Service, **body: object) -> dict[str, Any]:
    answer = service.call("POST", "/v1/keys", {"name": "for a test", "scopes": ["studies:read"], **body})
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


def status_with(service: Service, key: str, path: str = "/v1/studies") -> int:
    with service.http(key) as http:
        return http.get(path).status_code


def test_a_new_key_does_what_its_scopes_say_and_no_more(shared_service: Service) -> None:
    key = made(shared_service)
    assert status_with(shared_service, key["key"]) == 200
    assert status_with(shared_service, key["key"], "/v1/jobs") == 403
    assert key["expires_at"] is None
    assert made(shared_service, days=3)["expires_at"] > key["created_at"]


def test_nobody_gives_away_more_than_they_have(shared_service: Service) -> None:
    with shared_service.http(shared_service.new_key("keys:admin", "studies:read")) as http:
        body = {"name": "more", "scopes": ["studies:read", "runs:work"]}
        problem_of(http.post("/v1/keys", json=body), 403, "'runs:work'", code="missing_scope")
        assert http.post("/v1/keys", json={**body, "scopes": ["studies:read"]}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scopes": []}, "body.scopes"),
        ({"scopes": ["studies:own"]}, "body.scopes.0"),
        ({"days": 0}, "body.days"),
        ({"days": 10**6}, "body.days"),
        ({"name": ""}, "body.name"),
        ({"project": "other"}, "body.project"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_by_field(
    shared_service: Service, change: dict[str, object], field: str
) -> None:
    body = {"name": "for a test", "scopes": ["studies:read"], **change}
    problem_of(shared_service.call("POST", "/v1/keys", body), 422, field)


def test_a_secret_is_told_once_and_stored_nowhere(shared_service: Service) -> None:
    key = made(shared_service)
    _, public_part, secret = key["key"].split("_", 2)
    listed = shared_service.call("GET", "/v1/keys")
    assert public_part in listed.text
    assert secret not in listed.text
    assert "digest" not in listed.text
    assert key["id"] in [row["id"] for row in listed.json()]
    with shared_service.database.session() as session:
        stored = session.execute(text("SELECT to_jsonb(api_keys)::text FROM api_keys")).scalars().all()
    assert any(public_part in row for row in stored)
    assert not any(secret in row for row in stored)


def test_a_revoked_key_is_refused_at_once(shared_service: Service) -> None:
    key = made(shared_service)
    assert status_with(shared_service, key["key"]) == 200
    for _ in range(2):  # twice is the same as once
        assert shared_service.call("DELETE", f"/v1/keys/{key['id']}").status_code == 204
        assert status_with(shared_service, key["key"]) == 401
    shown = {row["id"]: row for row in shared_service.call("GET", "/v1/keys").json()}
    assert shown[key["id"]]["revoked_at"] is not None
    with shared_service.http() as http:
        assert http.post("/login", data={"key": key["key"]}).status_code == 401


def test_a_key_that_has_expired_is_refused(shared_service: Service) -> None:
    key = made(shared_service, days=1)
    with shared_service.database.session() as session:
        past = "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = :id"
        session.execute(text(past), {"id": key["id"]})
    assert status_with(shared_service, key["key"]) == 401


def test_only_the_own_project_revokes_a_key(shared_service: Service) -> None:
    key = made(shared_service)
    with shared_service.http(shared_service.new_key(project="other")) as http:
        problem_of(http.delete(f"/v1/keys/{key['id']}"), 404)
        assert key["id"] not in http.get("/v1/keys").text
    assert status_with(shared_service, key["key"]) == 200
    problem_of(shared_service.call("DELETE", f"/v1/keys/{UUID(int=0)}"), 404, "list the keys")


def filled(service: Service) -> dict[str, str]:
    """Paths of one object of every kind."""
    client = service.client
    client.create_study({"name": "private", "domains": DOMAINS})
    client.create_job({"name": "private", "policy": "static", "domains": DOMAINS, "samples_per_step": 8})
    sweep = client.create_sweep("private", {"design": "sobol", "count": 1})
    lease = client.claim_run("tester", study="private")
    assert lease is not None
    result = {"step": 1, "tokens": 1, "model_parameters": 1, "seconds": 1.0, "lease": lease["lease"]}
    client.put_result(lease["run"]["id"], {**result, "losses": {"web": 3.0, "code": 2.0}})
    fit = client.create_fit("private", {"method": "linear"})
    with service.database.session() as session:
        proposal = ProposalRequest(
            study_id=session.scalars(text("SELECT id FROM studies WHERE name = 'private'")).one(),
            fit_id=UUID(fit["id"]),
            configuration={"fit_id": fit["id"]},
            state=TaskState.QUEUED,
        )
        session.add(proposal)
    return {
        "study": "/v1/studies/private",
        "runs": "/v1/studies/private/runs",
        "fits": "/v1/studies/private/fits",
        "proposals": "/v1/studies/private/proposals",
        "sweep": f"/v1/sweeps/{sweep['id']}",
        "run": f"/v1/runs/{lease['run']['id']}",
        "fit": f"/v1/fits/{fit['id']}",
        "proposal": f"/v1/proposals/{proposal.id}",
        "job": "/v1/jobs/private",
        "versions": "/v1/jobs/private/versions",
        "schedule": "/v1/jobs/private/schedule",
        "events": "/v1/jobs/private/schedule/events",
        "study page": "/studies/private",
        "fit page": f"/fits/{fit['id']}",
        "proposal page": f"/proposals/{proposal.id}",
        "job page": "/jobs/private",
        "live page": "/jobs/private/live",
        "page events": "/jobs/private/events",
    }


def test_another_project_cannot_tell_what_exists_here(shared_service: Service) -> None:
    paths = filled(shared_service)
    streams = {"events", "page events"}
    with shared_service.http(shared_service.key) as http:
        seen = {name: http.get(path).status_code for name, path in paths.items() if name not in streams}
    assert set(seen.values()) == {200}, seen
    with shared_service.http(shared_service.new_key(project="other")) as http:
        for path in paths.values():
            problem_of(http.get(path), 404, code="not_found")
        for path in ("/v1/studies", "/v1/jobs"):
            assert http.get(path).json() == []
        writes = {
            f"{paths['study']}/sweeps": {"design": "sobol", "count": 1},
            f"{paths['study']}/fits": {"method": "linear"},
            f"{paths['fit']}/predict": {"mixtures": [{"web": 0.75, "code": 0.25}]},
            f"{paths['study']}/proposals": {"fit_id": paths["fit"].rsplit("/", 1)[1]},
            f"{paths['job']}/acks": {"attempt": 1, "version": 1, "step": 0, "outcome": "applied"},
            f"{paths['job']}/attempts": {"from_step": 0},
        }
        for path, body in writes.items():
            problem_of(http.post(path, json=body), 404, code="not_found")
