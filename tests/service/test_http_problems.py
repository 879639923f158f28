"""Whatever is sent, a refusal is a problem document that says what is wrong, and never a failure of ours."""

import json
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.support.servers import Service

UNREADABLE = {"not UTF-8", "nests too deeply", "too many digits"}
LARGEST = 4 * 1024 * 1024
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


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(http: httpx.Client) -> None:
    declared = send(http, "/v1/studies", b" " * (LARGEST + 1))
    problem_of(declared, 413, str(LARGEST), code="body_too_large")

    def chunks() -> Iterator[bytes]:
        for _ in range(LARGEST // 65_536 + 1):
            yield b" " * 65_536

    chunked = http.post("/v1/studies", content=chunks(), headers={"Content-Type": "application/json"})
    assert "transfer-encoding" in chunked.request.headers
    problem_of(chunked, 413, str(LARGEST), code="body_too_large")
    problem_of(send(http, "/v1/studies", b" " * LARGEST), 422, "no valid JSON")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_of_another_kind_is_told_which_header_to_send(http: httpx.Client, kind: str) -> None:
    problem_of(send(http, "/v1/studies", "{}", kind=kind), 422, "'Content-Type: application/json'")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no valid JSON at character 1"),
        (b'{"name": "x",}', "no valid JSON"),
        (b"{'name': 'x'}", "no valid JSON"),
        (b"\xef\xbb\xbf{}", "body"),
        (b'{"name": "\xff\xfe"}', "not UTF-8"),
        (b"\x00", "body"),
        (b"", "body: Field required"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"name"', "body"),
        (b"NaN", "body"),
        (b"[" * 100_000, "nests too deeply"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "nests too deeply"),
        (b"1" * 5_000, "too many digits"),
        (rb'{"name": "a\ud800"}', "body.name"),
    ],
    ids=range(15),
)
def test_what_is_no_json_object_is_refused(http: httpx.Client, body: bytes, words: str) -> None:
    answer = send(http, "/v1/studies", body)
    problem_of(answer, 400 if words in UNREADABLE else 422, words)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, str(2**63), "1.5", "-1"]
)
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/studies", {"name": "t", "domains": [{"name": "a", "tokens": "?"}]}, "body.domains.0.tokens"),
        ("/v1/studies/none/sweeps", {"design": "sobol", "count": "?"}, "body.count"),
        ("/v1/studies/none/fits", {"method": "linear", "seed": "?"}, "body.seed"),
        ("/v1/jobs/none/attempts", {"from_step": "?"}, "body.from_step"),
        (
            "/v1/jobs/none/acks",
            {"attempt": 1, "version": "?", "step": 1, "outcome": "applied"},
            "body.one.version",
        ),
    ],
)
def test_a_number_that_no_integer_field_holds_is_refused_by_field(
    http: httpx.Client, path: str, body: dict[str, object], field: str, number: str
) -> None:
    problem_of(send(http, path, json.dumps(body).replace('"?"', number)), 422, field)


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
        ("cursor=x", "query.cursor"),
        ("cursor=", "query.cursor"),
        ("cursor=%00", "query.cursor"),
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
    assert "INSERT INTO studies" in caplog.text
    assert "a-secret" not in caplog.text
