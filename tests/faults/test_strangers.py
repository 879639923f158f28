"""Case 49: whoever shows no good key learns nothing, not even what is wrong with it."""

import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.support.routes import PUBLIC, inventory
from tests.support.servers import Service


def made(service: Service, **body: object) -> dict[str, Any]:
    """A key that reads studies."""
    asked = {"name": "for a test", "scopes": ["studies:read"], **body}
    key: dict[str, Any] = service.client.call("POST", "/v1/keys", body=asked)
    return key


def shown(service: Service, key: str) -> httpx.Response:
    with service.http(key) as http:
        return http.get("/v1/studies")


def change(service: Service, statement: str, key: dict[str, Any]) -> None:
    with service.database.session() as session:
        session.execute(text(f"UPDATE api_keys SET {statement} WHERE id = :id"), {"id": UUID(key["id"])})  # noqa: S608 - ours


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """Headers of an answer but for those that differ between any two; of these, how long they are."""
    own = {name: "x" * len(answer.headers[name]) for name in ("date", "x-request-id")}
    return {**answer.headers, **own}


def kinds_of_nobody(service: Service) -> dict[str, str]:
    """Keys that are none, by what is wrong with them."""
    revoked, expired, now = made(service), made(service, days=1), made(service, days=1)
    service.client.call("DELETE", f"/v1/keys/{revoked['id']}")
    change(service, "expires_at = now() - interval '1 day'", expired)
    change(service, "expires_at = now()", now)
    good = service.key
    return {
        "wrong secret": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "unknown": f"{good[:3]}000000000000{good[15:]}",
        "longer": good + "x",
        "in capitals": good.upper(),
        "too short": "mx_",
        "no key": "password",
        "empty": "",
        "very long": "x" * 5000,
        "revoked": revoked["key"],
        "expired": expired["key"],
        "expired this second": now["key"],
    }


def test_case_49_no_kind_of_bad_key_can_be_told_from_another(tenant: Service) -> None:
    nobody = kinds_of_nobody(tenant)
    answers = {kind: shown(tenant, key) for kind, key in nobody.items()}
    with tenant.http() as http:
        answers["none"] = http.get("/v1/studies")
        for kind, header in {"basic": f"Basic {tenant.key}", "bare": tenant.key, "odd": "\u00e4"}.items():
            answers[kind] = http.get("/v1/studies", headers=[(b"Authorization", header.encode())])
    told = []
    for kind, answer in answers.items():
        problem = problem_of(answer, 401, "Authorization: Bearer mx_", code="unauthorised")
        told.append({**problem, "request_id": "", "size": len(answer.content)})
        assert headers_of(answer) == headers_of(answers["none"]), kind
        assert answer.headers["www-authenticate"] == "Bearer"
    assert all(one == told[0] for one in told)
    for kind, key in nobody.items():
        secret = key.split("_", 2)[-1]  # it may hold underscores itself
        assert not secret or secret not in answers[kind].text, "a key is never echoed"


def test_case_49_a_bad_key_opens_no_address_and_changes_nothing(tenant: Service) -> None:
    before = tenant.client.keys()
    for kind, key in kinds_of_nobody(tenant).items():
        if kind in {"wrong secret", "revoked"}:
            with tenant.http(key) as http:
                for address in inventory():
                    answer = http.request(address.method, address.url)
                    assert address.name in PUBLIC or answer.status_code == 401, address
        with tenant.http() as http:
            login = http.post("/login", data={"key": key[:200]})
            assert login.status_code in {401, 422}, kind
            assert "set-cookie" not in login.headers
    after = tenant.known_keys()
    assert [after[row["id"]]["name"] for row in before] == [row["name"] for row in before]


def test_case_49_a_key_that_is_remembered_ends_with_its_second_and_not_later(tenant: Service) -> None:
    key = made(tenant, days=1)
    change(tenant, "expires_at = clock_timestamp() + interval '0.4 seconds'", key)
    assert shown(tenant, key["key"]).status_code == 200, "from now on it is remembered for seconds"
    time.sleep(0.41)
    problem_of(shown(tenant, key["key"]), 401, code="unauthorised")


def test_case_49_a_revoked_key_is_refused_at_once(tenant: Service) -> None:
    key = made(tenant)
    assert shown(tenant, key["key"]).status_code == 200
    for _ in range(2):  # twice is the same as once
        assert tenant.call("DELETE", f"/v1/keys/{key['id']}").status_code == 204
        assert shown(tenant, key["key"]).status_code == 401
    rows = tenant.known_keys()
    assert rows[key["id"]]["revoked_at"] is not None
    with tenant.http() as http:
        assert http.post("/login", data={"key": key["key"]}).status_code == 401


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/v1/studies/nothing", "/login/x", "/livez/"])
def test_case_49_an_address_that_does_not_exist_is_not_told_to_strangers(
    shared_service: Service, path: str
) -> None:
    with shared_service.http() as http:
        told = problem_of(http.get(path), 401)
        there = problem_of(http.get("/v1/studies"), 401)
    for problem in (told, there):  # the one thing in which two refusals differ
        del problem["request_id"]
    assert told == there
