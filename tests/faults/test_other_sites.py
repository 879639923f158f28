"""Case 55: another site cannot use the cookie of a browser, nor the address of this machine."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.support.routes import inventory
from tests.support.servers import Service

FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[::1"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {},  # every browser tells where a write comes from: what does not tell is none, or hides it
]
OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]


@pytest.fixture
def browser(tenant: Service) -> Iterator[httpx.Client]:
    """A browser that is logged in, by its cookie alone."""
    with tenant.http() as http:
        assert http.post("/login", data={"key": tenant.key}).status_code == 303
        yield http


def stored(service: Service) -> dict[str, int]:
    """How much there is of everything, sessions included."""
    tables = ("studies", "jobs", "proxy_runs", "api_keys", "browser_sessions", "projects", "job_events")
    with service.database.session() as session:
        return {t: session.scalar(text(f"SELECT count(*) FROM {t}")) or 0 for t in tables}  # noqa: S608 - ours


@pytest.mark.parametrize("headers", FOREIGN)
def test_case_55_no_write_of_another_site_is_done_with_a_cookie(
    tenant: Service, browser: httpx.Client, headers: dict[str, str]
) -> None:
    before = stored(tenant)
    writes = [address for address in inventory() if address.method not in {"GET", "HEAD"}]
    assert {address.method for address in writes} >= {"POST", "PUT", "PATCH", "DELETE"}
    for address in writes:
        if address.path != "/login":
            answer = browser.request(address.method, address.url, json={}, headers=headers)
            problem_of(answer, 403, "from a page of this site", code="cross_origin")
    assert stored(tenant) == before
    assert browser.get("/v1/studies", headers=headers).status_code == 200, "reading is no writing"


@pytest.mark.parametrize("headers", FOREIGN[:-1])
def test_case_55_another_site_cannot_log_a_browser_in(tenant: Service, headers: dict[str, str]) -> None:
    with tenant.http() as http:
        answer = http.post("/login", data={"key": tenant.key}, headers=headers)
        problem_of(answer, 403, code="cross_origin")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("told", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "own"}])
def test_case_55_a_page_of_ours_writes_with_the_cookie(
    tenant: Service, browser: httpx.Client, told: dict[str, str]
) -> None:
    headers = {name: tenant.url if value == "own" else value for name, value in told.items()}
    body = {"name": "mine", "domains": [{"name": "web", "tokens": 1}]}
    assert browser.post("/v1/studies", json=body, headers=headers).status_code == 201
    assert browser.post("/logout", headers=headers).status_code == 303
    assert browser.get("/v1/studies").status_code == 401


def test_case_55_a_key_may_be_sent_from_anywhere(tenant: Service) -> None:
    # A browser adds no key to what another site sends, so this is no browser.
    for headers in FOREIGN:
        with tenant.http(tenant.key, **headers) as http:
            assert http.post("/v1/runs/claim", json={"worker": "w"}).status_code == 204


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]:80", "x:"]
)
def test_case_55_a_host_that_was_rebound_to_this_machine_is_refused_everywhere(
    tenant: Service, browser: httpx.Client, host: str
) -> None:
    before = stored(tenant)
    with tenant.http(tenant.key) as program:
        for client in (browser, program):
            for path in ("/v1/studies", "/livez", "/login", "/static/style.css"):
                answer = client.get(path, headers={"Host": host, "X-Forwarded-Host": "localhost"})
                problem_of(answer, 421, "MIXWRIGHT_ALLOWED_HOSTS", code="unknown_host")
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    problem_of(browser.post("/logout", headers=own), 421, code="unknown_host")
    assert stored(tenant) == before


@pytest.mark.parametrize("header", OVERRIDES)
def test_case_55_a_method_is_the_one_that_was_sent(tenant: Service, header: str) -> None:
    key = tenant.client.call("POST", "/v1/keys", body={"name": "kept", "scopes": ["jobs:read"]})
    path = f"/v1/keys/{key['id']}"
    for method in ("GET", "POST"):
        with tenant.http(tenant.key, **{header: "DELETE"}) as http:
            answer = http.request(method, f"{path}?_method=DELETE", json={"_method": "DELETE"})
            form = http.request(method, f"{path}?_method=DELETE", data={"_method": "DELETE"})
        problem_of(answer, 405, code="method_not_allowed")
        assert form.status_code == (405 if method == "GET" else 415), "no form is read"
    rows = tenant.known_keys()
    assert rows[key["id"]]["revoked_at"] is None
    with tenant.http(tenant.key, **{header: "GET"}) as http:
        assert http.delete(f"/v1/keys/{UUID(int=0)}").status_code == 404, "nor does it make a write harmless"


def test_case_55_no_answer_invites_other_sites(tenant: Service) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    with tenant.http(tenant.key, **headers) as http:
        for method, path in (("GET", "/v1/studies"), ("GET", "/livez"), ("OPTIONS", "/v1/studies")):
            answer = http.request(method, path)
            assert not [name for name in answer.headers if name.startswith("access-control-")]
