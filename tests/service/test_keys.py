"""Keys: made, listed, replaced; the admin key of an installation."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from service.keys.admin_key import ensure_admin_key
from tests.service.problems import problem_of
from tests.support.servers import Service


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
    before = shared_service.known_keys()
    problem_of(shared_service.call("POST", "/v1/keys", body), 422, field)
    assert shared_service.known_keys().keys() == before.keys()


def test_a_secret_is_told_once_and_stored_nowhere(shared_service: Service) -> None:
    key = made(shared_service)
    _, public_part, secret = key["key"].split("_", 2)
    listed = shared_service.call("GET", "/v1/keys")
    assert public_part in listed.text
    assert secret not in listed.text
    assert "digest" not in listed.text
    assert key["id"] in [row["id"] for row in listed.json()["items"]]
    with shared_service.database.session() as session:
        stored = session.execute(text("SELECT to_jsonb(api_keys)::text FROM api_keys")).scalars().all()
    assert any(public_part in row for row in stored)
    assert not any(secret in row for row in stored)


def rotated(service: Service, key: dict[str, Any], **body: object) -> dict[str, Any]:
    answer = service.call("POST", f"/v1/keys/{key['id']}/rotate", body)
    assert answer.status_code == 201, answer.text
    new: dict[str, Any] = answer.json()
    return new


def seconds(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_a_rotated_key_works_beside_the_new_one_until_its_time_is_over(tenant: Service) -> None:
    old = made(tenant, scopes=["studies:read", "jobs:read"])
    new = rotated(tenant, old, overlap_seconds=3600)
    assert (new["name"], new["scopes"], new["replaces_id"]) == (old["name"], old["scopes"], old["id"])
    assert new["expires_at"] is None
    assert {status_with(tenant, key["key"]) for key in (old, new)} == {200}
    row = tenant.known_keys()[old["id"]]
    assert seconds(row["expires_at"], new["created_at"]) == pytest.approx(3600, abs=5)
    assert row["revoked_at"] is None
    with tenant.database.session() as session:
        passed = "UPDATE api_keys SET expires_at = now() WHERE id = :id"
        session.execute(text(passed), {"id": UUID(old["id"])})
    made(tenant)
    assert status_with(tenant, new["key"]) == 200
    problem_of(
        tenant.call("POST", f"/v1/keys/{old['id']}/rotate", {}), 409, "works no longer", code="key_ended"
    )


def test_without_an_overlap_the_old_key_ends_at_once(tenant: Service) -> None:
    old = made(tenant)
    assert status_with(tenant, old["key"]) == 200
    new = rotated(tenant, old, overlap_seconds=0)
    assert (status_with(tenant, old["key"]), status_with(tenant, new["key"])) == (401, 200)


def test_a_rotation_keeps_lifetimes_and_never_makes_one_longer(tenant: Service) -> None:
    old = made(tenant, days=2)
    new = rotated(tenant, old, overlap_seconds=30 * 86_400)
    assert seconds(new["expires_at"], new["created_at"]) == pytest.approx(2 * 86_400, abs=5)
    assert tenant.known_keys()[old["id"]]["expires_at"] == old["expires_at"]
    longer = rotated(tenant, new, days=7)
    assert seconds(longer["expires_at"], longer["created_at"]) == pytest.approx(7 * 86_400, abs=5)


def test_a_key_has_one_successor(tenant: Service) -> None:
    old = made(tenant)
    new = rotated(tenant, old)
    again = tenant.call("POST", f"/v1/keys/{old['id']}/rotate", {})
    problem_of(again, 409, new["id"], "rotate that one", code="key_replaced")
    assert len(tenant.known_keys()) == 3
    revoked = made(tenant)
    tenant.call("DELETE", f"/v1/keys/{revoked['id']}")
    problem_of(tenant.call("POST", f"/v1/keys/{revoked['id']}/rotate", {}), 409, code="key_ended")


def test_nobody_is_given_a_key_that_may_more_than_theirs(tenant: Service) -> None:
    strong = made(tenant, scopes=["studies:read", "runs:work"])
    before = tenant.known_keys()
    with tenant.http(tenant.new_key("keys:admin", "studies:read")) as http:
        answer = http.post(f"/v1/keys/{strong['id']}/rotate", json={})
        problem_of(answer, 403, "'runs:work'", code="missing_scope")
    after = tenant.known_keys()
    assert [after[key] for key in before] == list(before.values())


@pytest.mark.parametrize("body", [{"overlap_seconds": -1}, {"overlap_seconds": 30 * 86_400 + 1}, {"days": 0}])
def test_a_rotation_that_makes_no_sense_changes_nothing(tenant: Service, body: dict[str, int]) -> None:
    key = made(tenant)
    problem_of(tenant.call("POST", f"/v1/keys/{key['id']}/rotate", body), 422, f"body.{next(iter(body))}")
    assert tenant.known_keys()[key["id"]]["expires_at"] is None
    assert len(tenant.known_keys()) == 2


def test_an_admin_key_gets_the_scopes_of_a_newer_version(shared_service: Service, tmp_path: Path) -> None:
    file = tmp_path / "admin.key"
    key = ensure_admin_key(shared_service.database, file)
    with shared_service.database.session() as session:
        fewer = "UPDATE api_keys SET scopes = '{studies:read}' WHERE public_part = :part"
        session.execute(text(fewer), {"part": key.split("_")[1]})
    assert ensure_admin_key(shared_service.database, file) == key
    assert status_with(shared_service, key, "/v1/projects") == 200
