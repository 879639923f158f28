"""Whatever is sent, a refusal is a problem document that says what is wrong, and never a failure of ours."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.support.servers import Service

ODD_NAMES = [
    "%00",
    "a%00b",
    "%ff",
    "%F0%9F%98%80",
    "%2e%2e%2fx",
    "a%20b",
    "%25",
    "'",
    "%22",
    "{}",
    "x" * 5000,
]


@pytest.fixture
def http(shared_service: Service) -> Iterator[httpx.Client]:
    with shared_service.http(shared_service.key) as client:
        yield client


def send(
    http: httpx.Client, path: str, body: str | bytes, *, kind: str = "application/json"
) -> httpx.Response:
    return http.post(path, content=body, headers={"Content-Type": kind})


def test_an_unknown_address_and_a_method_that_is_not_taken(http: httpx.Client) -> None:
    for path in ("/v1/nothing", "/nothing", "/static/nothing", "/static/..%2fapp.py", "/v1"):
        problem_of(http.get(path), 404, "/openapi.json", code="not_found")
    for method, path in (("DELETE", "/v1/studies"), ("PATCH", "/v1/jobs"), ("OPTIONS", "/v1/keys")):
        answer = http.request(method, path)
        problem_of(answer, 405, "does not take this method", code="method_not_allowed")
        assert answer.headers["allow"]


def test_an_unknown_field_is_named(http: httpx.Client) -> None:
    bodies = {
        "/v1/studies": {"name": "t", "domains": [{"name": "a", "tokens": 1, "colour": 1}]},
        "/v1/studies/none/sweeps": {"colour": 1},
        "/v1/studies/none/fits": {"method": "linear", "colour": 1},
        "/v1/runs/claim": {"worker": "w", "colour": 1},
        "/v1/keys": {"name": "k", "scopes": ["runs:work"], "colour": 1},
        "/v1/jobs/none/attempts": {"from_step": 1, "colour": 1},
    }
    for path, body in bodies.items():
        problem = problem_of(http.post(path, json=body), 422, "colour", "Extra inputs are not permitted")
        assert problem["errors"][0]["loc"].endswith("colour")


def test_a_problem_does_not_grow_with_what_was_sent(http: httpx.Client) -> None:
    long = "x" * 1_000_000
    for path, body in {
        "/v1/studies": {"name": long, "domains": [{"name": long, "tokens": 1}], long: 1},
        "/v1/jobs": {
            "name": "j",
            "policy": long,
            "domains": [{"name": "a", "tokens": 1}],
            "samples_per_step": 1,
        },
        "/v1/runs/claim": {"worker": long},
    }.items():
        problem_of(http.post(path, json=body), 422)
    wrong = {f"domain {number}": "x" for number in range(50_000)}
    answer = http.post("/v1/studies", json={"name": "t", "domains": [], "lower": wrong})
    assert len(problem_of(answer, 422, "more)")["errors"]) <= 20


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_characters_in_a_path_name_nothing(http: httpx.Client, name: str) -> None:
    for path in ("studies/{}", "studies/{}/runs", "jobs/{}", "jobs/{}/versions", "jobs/{}/schedule"):
        problem_of(http.get(f"/v1/{path}".replace("{}", name)), 404)
    for path in ("runs/{}", "sweeps/{}", "fits/{}", "proposals/{}"):
        answer = http.get(f"/v1/{path}".replace("{}", name))
        problem_of(answer, answer.status_code)
        assert answer.status_code in {404, 422}
    for path in ("/studies/{}", "/jobs/{}", "/jobs/{}/live"):
        assert http.get(path.replace("{}", name)).status_code == 404
    problem_of(http.post(f"/v1/jobs/{name}/attempts", json={"from_step": 1}), 404)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("limit=many", "query.limit"),
        ("limit=-1", "query.limit"),
        (f"limit={10**30}", "query.limit"),
        (f"cursor={'x' * 1001}", "query.cursor"),
        ("total=some", "query.total"),
        ("state=lost", "query.state"),
        ("purpose=none", "query.purpose"),
    ],
)
def test_a_bad_page_is_refused_by_name(http: httpx.Client, query: str, field: str) -> None:
    problem_of(http.get(f"/v1/studies/none/runs?{query}"), 422, field)


def test_a_failure_of_ours_tells_nothing_of_the_inside(service: Service) -> None:
    with service.database.session() as session:
        session.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
    answer = service.call("GET", "/v1/studies")
    problem_of(answer, 500, "it is in the log", code="internal_error")
    for word in ("SELECT", "studies", "Traceback", "psycopg"):
        assert word not in answer.text


def test_what_a_caller_sent_is_not_in_the_log_of_a_failure(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with service.database.session() as session:
        session.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
    study = {"name": "a-secret", "domains": [{"name": "web", "tokens": 5}]}
    problem_of(service.call("POST", "/v1/studies", study), 500, code="internal_error")
    assert "elsewhere" not in caplog.text
    assert "FROM studies" in caplog.text
    assert "a-secret" not in caplog.text
