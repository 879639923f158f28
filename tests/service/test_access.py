"""Who may do what: an inventory of every address, and the gate in front of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from fastapi.routing import iter_route_contexts

from service.app import create_app
from service.scopes import EVERY_SCOPE, Needs, Scope
from service.settings import Settings
from tests.service.problems import problem_of
from tests.support.servers import Service

PUBLIC = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static/plotly.min.js"),
    ("GET", "/static/{file}"),
}
# What anybody with a key may read, whatever it is for.
WITHOUT_SCOPE = {("GET", "/openapi.json"), ("HEAD", "/openapi.json"), ("GET", "/problems")}


@dataclass(frozen=True)
class Address:
    """A method and a path of the service, with the scopes that its route names."""

    method: str
    path: str
    scopes: tuple[Scope, ...]

    @property
    def name(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def url(self) -> str:
        parts = (str(UUID(int=0)) if part.endswith("_id}") else part for part in self.path.split("/"))
        return "/".join("nothing" if part.startswith("{") else part for part in parts)


def inventory(service: Service) -> Iterator[Address]:
    """Every address that the application answers."""
    app = create_app(Settings(), service.database)
    for route in iter_route_contexts(app.routes):
        assert route.path is not None
        if route.methods is None:  # a folder of files
            yield Address("GET", f"{route.path}/{{file}}", ())
            continue
        dependant = getattr(route, "dependant", None)
        needed = (
            [d.call.scope for d in dependant.dependencies if isinstance(d.call, Needs)] if dependant else []
        )
        for method in sorted(route.methods):
            yield Address(method, route.path, tuple(needed))


def test_the_inventory_finds_the_routes(shared_service: Service) -> None:
    names = {address.name for address in inventory(shared_service)}
    assert {("POST", "/v1/jobs/{job}/reports"), ("DELETE", "/v1/keys/{key_id}"), ("GET", "/")} <= names
    assert len(names) > 40


def test_all_but_a_short_list_of_addresses_need_a_key(shared_service: Service) -> None:
    with shared_service.http() as http:
        answers = {
            address.name: http.request(address.method, address.url) for address in inventory(shared_service)
        }
    assert {name for name, answer in answers.items() if answer.status_code != 401} == PUBLIC
    for (method, _), answer in answers.items():
        if answer.status_code == 401 and method != "HEAD" and "html" not in answer.headers["content-type"]:
            problem_of(answer, 401, "Authorization: Bearer mx_", code="unauthorised")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_address_that_does_not_exist_is_not_told_to_strangers(shared_service: Service) -> None:
    with shared_service.http() as http:
        for path in ("/v1/nothing", "/nothing", "/v1/studies/nothing", "/login/nothing", "/livez/"):
            problem_of(http.get(path), 401)


def test_a_wrong_key_is_as_good_as_none(shared_service: Service) -> None:
    key = shared_service.new_key()
    wrong = [
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        key[:3] + "000000000000" + key[15:],
        key + "x",
        key.upper(),
        "mx_",
        "\u00e4",
        "x" * 5000,
    ]
    with shared_service.http(wrong[0]) as http:
        for address in inventory(shared_service):
            answer = http.request(address.method, address.url)
            assert address.name in PUBLIC or answer.status_code == 401, address
    with shared_service.http() as http:
        for header in [*(f"Bearer {text}" for text in wrong), f"Basic {key}", key, "Bearer", ""]:
            answer = http.get("/v1/studies", headers=[(b"Authorization", header.encode())])
            problem_of(answer, 401, code="unauthorised")


def test_every_address_names_one_scope_and_refuses_a_key_that_lacks_it(shared_service: Service) -> None:
    lacking = {
        scope: shared_service.new_key(*(other for other in EVERY_SCOPE if other != scope))
        for scope in EVERY_SCOPE
    }
    for address in inventory(shared_service):
        if address.name in PUBLIC | WITHOUT_SCOPE:
            assert address.scopes == ()
            continue
        (scope,) = address.scopes
        with shared_service.http(lacking[scope]) as http:
            answer = http.request(address.method, address.url)
        problem_of(answer, 403, f"lacks the scope '{scope}'", code="missing_scope")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]:80", "x:"]
)
def test_a_foreign_host_is_refused_everywhere(shared_service: Service, host: str) -> None:
    with shared_service.http(shared_service.key, Host=host) as http:
        for path in ("/v1/studies", "/livez", "/login"):
            problem_of(http.get(path), 421, "MIXWRIGHT_ALLOWED_HOSTS", code="unknown_host")


@pytest.mark.parametrize("host", ["localhost", "localhost:99", "127.0.0.1:1", "[::1]", "[::1]:8321"])
def test_the_hosts_of_this_machine_are_served(shared_service: Service, host: str) -> None:
    with shared_service.http(Host=host) as http:
        assert http.get("/livez").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_write_with_the_cookie_of_a_browser(
    shared_service: Service, headers: dict[str, str]
) -> None:
    body = {"name": "forged", "domains": [{"name": "web", "tokens": 1}]}
    with shared_service.http() as http:
        problem_of(http.post("/login", data={"key": shared_service.key}, headers=headers), 403)
        assert http.post("/login", data={"key": shared_service.key}).status_code == 303
        for path in ("/v1/studies", "/logout"):
            problem_of(http.post(path, json=body, headers=headers), 403, code="cross_origin")
        assert http.get("/v1/studies/forged", headers=headers).status_code == 404, "reading is no writing"
        own = {"Origin": shared_service.url, "Sec-Fetch-Site": "same-origin"}
        assert http.post("/logout", headers=own).status_code == 303
    with shared_service.http(shared_service.key, **headers) as http:
        # A browser adds no key to what another site sends, so this is no browser.
        assert http.post("/v1/runs/claim", json={"worker": "w"}).status_code == 204


def test_a_session_ends_with_the_logout(shared_service: Service) -> None:
    with shared_service.http() as http:
        http.post("/login", data={"key": shared_service.key})
        cookies = dict(http.cookies)
        assert http.get("/v1/studies").status_code == 200
        http.post("/logout")
    with shared_service.http() as http:
        http.cookies.update(cookies)
        assert http.get("/v1/studies").status_code == 401


def test_a_person_without_a_session_is_led_to_the_login(shared_service: Service) -> None:
    with shared_service.http(Accept="text/html") as http:
        answer = http.get("/studies/nothing")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        problem_of(http.get("/v1/studies"), 401)


def test_every_answer_tells_browsers_to_be_strict(shared_service: Service) -> None:
    with shared_service.http() as http:
        answers = [
            http.get("/livez"),
            http.get("/login"),
            http.get("/v1/studies"),
            http.get("/livez", headers={"Host": "evil.example"}),
            http.get("/static/nothing"),
        ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
