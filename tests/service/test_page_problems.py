"""Addresses that somebody mistyped: a browser is shown a page that says so, a program gets a document."""

from collections.abc import Iterator

import httpx
import pytest

from tests.service.problems import problem_of
from tests.support.filled import filled
from tests.support.routes import Address, inventory
from tests.support.servers import Service

PROGRAMS = ("/v1/", "/static/", "/livez", "/readyz", "/openapi.json", "/metrics")
PAGES = [
    address
    for address in inventory()
    if address.method == "GET"
    and not address.path.startswith(PROGRAMS)
    and not address.path.endswith(("/live", "/figures", "/events"))  # which the scripts of pages read
]
NONSENSE = ("abc", "%FF%FE", "-1", "9" * 40, "<b>", "NaN", "2026-99-99", "a" * 1001, "")


@pytest.fixture(scope="module")
def things(shared_service: Service) -> dict[str, str]:
    return filled(shared_service)


@pytest.fixture(scope="module")
def browser(shared_service: Service) -> Iterator[httpx.Client]:
    accepted = "text/html,application/xhtml+xml,*/*;q=0.8"
    with shared_service.http(shared_service.key, Accept=accepted) as http:
        yield http


def shown(answer: httpx.Response, *statuses: int) -> str:
    """The page that an answer is."""
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>" in answer.text
    assert answer.status_code == 200 or 'role="alert"' in answer.text
    assert "content-security-policy" in answer.headers
    return answer.text


def test_there_are_pages() -> None:
    assert {"/", "/compare", "/fits/{fit_id}", "/jobs/{job}"} <= {address.path for address in PAGES}


@pytest.mark.parametrize("address", [page for page in PAGES if page.parameters], ids=lambda a: a.path)
def test_a_page_of_nothing_is_a_page_that_says_so(browser: httpx.Client, address: Address) -> None:
    for path in (address.url, *(_mistyped(address, word) for word in ("abc", "%3Cscript%3E", "9" * 60))):
        told = shown(browser.get(path), 404)
        assert "<script>" not in told


@pytest.mark.parametrize("address", [page for page in PAGES if page.queries], ids=lambda a: a.path)
def test_a_nonsense_query_is_refused_in_words_or_read_as_nothing(
    browser: httpx.Client, things: dict[str, str], address: Address
) -> None:
    path = address.path
    for name in address.parameters:
        path = path.replace(f"{{{name}}}", things[name])
    if path != "/login":
        shown(browser.get(path), 200)
    for name in address.queries:
        for word in NONSENSE:
            shown(browser.get(f"{path}?{name}={word}"), 200, 400, 401, 404, 422)


def test_only_who_asks_for_a_page_gets_one(browser: httpx.Client, shared_service: Service) -> None:
    assert "fit" in shown(browser.get("/compare?fit=abc"), 422)
    assert "There is no page /nowhere" in shown(browser.get("/nowhere"), 404)
    with shared_service.http(shared_service.key) as program:
        problem_of(program.get("/compare?fit=abc"), 422, code="invalid_request")
    problem_of(browser.get("/v1/fits/abc"), 422, code="invalid_request")


def test_who_may_not_see_a_page_is_told_on_one(shared_service: Service) -> None:
    with shared_service.http(shared_service.new_key("jobs:read"), Accept="text/html") as http:
        assert "studies:read" in shown(http.get("/compare"), 403)


def _mistyped(address: Address, word: str) -> str:
    return "/".join(word if part.startswith("{") else part for part in address.path.split("/"))
