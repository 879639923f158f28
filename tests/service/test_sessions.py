"""Browser sessions: what opens them, what they may do, and everything that ends them."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie

import httpx
import pytest
from sqlalchemy import text

from service.callers import COOKIE
from service.keys.sessions import create_link
from service.scopes import PROJECT_SCOPES
from tests.support.servers import Service

OWN = {"Sec-Fetch-Site": "same-origin"}


@contextmanager
def browser(service: Service, key: str) -> Iterator[httpx.Client]:
    """A browser that has logged in with a key."""
    with service.http(**OWN) as http:
        assert http.post("/login", data={"key": key}).status_code == 303
        yield http


def status(http: httpx.Client) -> int:
    return http.get("/v1/studies").status_code


def change(service: Service, statement: str) -> None:
    """Change the sessions of a project, and let nobody be remembered from before."""
    with service.database.session() as session:
        session.execute(
            text(
                f"UPDATE browser_sessions SET {statement} "  # noqa: S608 - ours
                "WHERE project_id = (SELECT id FROM projects WHERE name = :project)"
            ),
            {"project": service.project},
        )
    unrelated = service.client.call("POST", "/v1/keys", body={"name": "x", "scopes": ["jobs:read"]})
    service.client.call("DELETE", f"/v1/keys/{unrelated['id']}")


def test_no_script_reads_the_cookie_and_no_other_site_sends_it(tenant: Service) -> None:
    with tenant.http(**OWN) as http:
        cookie = SimpleCookie(http.post("/login", data={"key": tenant.key}).headers["set-cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == 14 * 86_400
    assert not cookie["secure"], "without TLS the browser would not send it back"


def test_a_session_may_do_what_its_key_may(tenant: Service) -> None:
    with browser(tenant, tenant.new_key("jobs:read")) as http:
        assert http.get("/v1/jobs").status_code == 200
        assert status(http) == 403
        assert http.post("/logout").status_code == 303, "whoever came in may leave"


def test_a_link_opens_one_session_of_the_project_alone(tenant: Service) -> None:
    with tenant.database.session() as session:
        link = create_link(session, project=tenant.project)
    with tenant.http(**OWN) as http:
        assert http.get(f"/login?link={link}").status_code == 303
        assert status(http) == 200
        assert http.get("/v1/projects").status_code == 403, "it is no operator's"
        assert http.get("/v1/keys").status_code == 200
    with tenant.http() as late:
        assert late.get(f"/login?link={link}").status_code == 401
    assert "projects:admin" not in PROJECT_SCOPES


def test_a_session_ends_with_the_logout_and_nobody_elses_does(tenant: Service) -> None:
    with browser(tenant, tenant.key) as http, browser(tenant, tenant.key) as other:
        cookies = dict(http.cookies)
        assert status(http) == 200
        answer = http.post("/logout")
        assert COOKIE not in http.cookies, answer.headers
        http.cookies.update(cookies)
        assert status(http) == 401
        assert status(other) == 200


def test_a_session_ends_with_the_key_that_opened_it(tenant: Service) -> None:
    key = tenant.client.call("POST", "/v1/keys", body={"name": "mine", "scopes": ["studies:read"]})
    with browser(tenant, key["key"]) as http, browser(tenant, tenant.key) as other:
        assert (status(http), status(other)) == (200, 200)
        tenant.client.call("DELETE", f"/v1/keys/{key['id']}")
        assert (status(http), status(other)) == (401, 200)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("expires_at = now()", 401),
        ("last_used_at = now() - interval '24 hours 1 second'", 401),
        ("last_used_at = now() - interval '23 hours'", 200),
        ("one_time = true", 401),
    ],
)
def test_a_session_ends_in_time_used_or_not(tenant: Service, statement: str, expected: int) -> None:
    with browser(tenant, tenant.key) as http:
        assert status(http) == 200
        change(tenant, statement)
        assert status(http) == expected
