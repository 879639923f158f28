"""Behind a proxy: what it says is believed from it alone, and every address works under its prefix."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from service.keys.sessions import create_link
from service.proxies import Proxied
from service.settings import Settings
from tests.service.problems import problem_of
from tests.support.databases import fresh_database
from tests.support.filled import NAME, filled
from tests.support.servers import Service, running

PROXY = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "mix.example",
    "Sec-Fetch-Site": "same-origin",
}


@pytest.fixture(scope="module")
def behind(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that a proxy on this machine shows as https://mix.example/mix."""
    settings: dict[str, Any] = {
        "trusted_proxies": ["127.0.0.1"],
        "root_path": "/mix",
        "allowed_hosts": ["mix.example", "127.0.0.1"],
        "tasks_inside": False,
    }
    folder = tmp_path_factory.mktemp("behind")
    with fresh_database(postgres_url) as database, running(database, folder, **settings) as service:
        yield service


@pytest.mark.parametrize("prefix", ["/mix", ""])
def test_a_login_works_under_the_prefix_whether_the_proxy_takes_it_off_or_not(
    behind: Service, prefix: str
) -> None:
    with behind.database.session() as session:
        link = create_link(session)
    with behind.http(Accept="text/html", **PROXY) as http:
        assert http.get(f"{prefix}/").headers["location"] == "/mix/login"
        assert 'action="/mix/login"' in http.get(f"{prefix}/login").text
        entered = http.get(f"{prefix}/login?link={link}")
        assert entered.headers["location"] == "/mix/"
        cookie = entered.headers["set-cookie"]
        assert re.search(r"; Path=/mix(;|$)", cookie)
        assert "; Secure" in cookie
        assert "; HttpOnly" in cookie
        token = {"Cookie": cookie.split(";")[0]}
        page = http.get(f"{prefix}/", headers=token)
        assert page.status_code == 200
        addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
        assert addresses
        assert all(address.startswith("/mix/") for address in addresses)
        assert http.get(addresses[0]).status_code == 200, "static files, without a key"
        left = http.post(f"{prefix}/logout", headers=token)
        assert left.headers["location"] == "/mix/login"
        assert "Path=/mix" in left.headers["set-cookie"]


def test_what_is_made_is_found_at_the_address_that_is_told(behind: Service) -> None:
    things = filled(behind)
    with behind.http(behind.key, **PROXY) as http:
        told = http.post(f"/mix/v1/studies/{NAME}/fits", json={"method": "linear"})
        assert told.headers["location"] == f"/mix/v1/fits/{things['fit_id']}"
        assert http.get(told.headers["location"]).status_code == 200
        document = http.get("/mix/openapi.json").json()
        assert document["servers"] == [{"url": "/mix"}]
        problem_of(http.get("/mixed/v1/studies"), 404)
        problem_of(http.get("/mix/v1/studies/"), 404)


def test_with_tls_in_front_browsers_are_told_to_stay_there(behind: Service) -> None:
    with behind.http(**PROXY) as http:
        assert http.get("/mix/livez").headers["strict-transport-security"] == "max-age=31536000"
    with behind.http() as http:
        assert "strict-transport-security" not in http.get("/livez").headers


def test_a_page_without_tls_does_not_write_to_one_with_it(behind: Service) -> None:
    headers = {**PROXY, "Origin": "http://mix.example"}
    with behind.http(**headers) as http:
        problem_of(http.post("/mix/login", data={"key": behind.key}), 403, code="cross_origin")
        http.headers["Origin"] = "https://mix.example"
        assert http.post("/mix/login", data={"key": behind.key}).status_code == 303


def test_a_host_that_the_proxy_names_must_be_allowed_too(behind: Service) -> None:
    with behind.http(behind.key, **{**PROXY, "X-Forwarded-Host": "evil.example"}) as http:
        problem_of(http.get("/mix/v1/studies"), 421, code="unknown_host")


def test_from_anybody_else_these_headers_mean_nothing(tenant: Service) -> None:
    with tenant.http(**PROXY) as http:
        entered = http.post("/login", data={"key": tenant.key})
        assert entered.status_code == 303, "the host is still ours"
        assert "Secure" not in entered.headers["set-cookie"]
        assert "strict-transport-security" not in entered.headers


def believed(headers: dict[str, str], *, peer: str = "10.0.0.1") -> Scope:
    """What lies behind sees of a request that came from an address."""
    seen: list[Scope] = []

    async def behind(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    settings = Settings(trusted_proxies=["10.0.0.0/24", "::1"])
    raw = [(b"host", b"inner"), *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    scope = {"type": "http", "client": (peer, 9), "scheme": "http", "headers": raw, "path": "/"}
    proxied = Proxied(behind, trusted=settings.trusted_proxies, root_path="")
    with pytest.raises(StopIteration):
        proxied(scope, nothing, nothing).__await__().send(None)
    return seen[0]


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.7", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_caller_is_the_nearest_address_that_is_no_proxy(hops: str, client: str) -> None:
    assert believed({"X-Forwarded-For": hops})["client"][0] == client


def test_what_makes_no_sense_is_not_believed() -> None:
    scope = believed({"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "a b\r\n"})
    assert (scope["scheme"], httpx.Headers(scope["headers"])["host"]) == ("http", "inner")
    told = {"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "mix.example:8443"}
    scope = believed(told)
    assert (scope["scheme"], httpx.Headers(scope["headers"])["host"]) == ("https", "mix.example:8443")
    stranger = believed({**PROXY, **told}, peer="10.0.1.1")
    assert (stranger["scheme"], stranger["client"][0]) == ("http", "10.0.1.1")


@pytest.mark.parametrize("root_path", ["mix", "/mix/", "/a b", "//evil.example", "/"])
def test_a_prefix_that_is_none_is_refused(root_path: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="root_path"):
        Settings(root_path=root_path, data_folder=tmp_path)
