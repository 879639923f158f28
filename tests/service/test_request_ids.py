"""Request ids: in every answer, in every problem, and the caller's own where it brings one."""

import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.support.servers import Service


def test_every_answer_names_its_request(shared_service: Service) -> None:
    seen = set()
    with shared_service.http(shared_service.key) as known, shared_service.http() as stranger:
        answers = [
            known.get("/v1/studies"),
            known.get("/openapi.json"),
            known.get("/static/style.css"),
            known.get("/"),
            stranger.get("/livez"),
            stranger.get("/login"),
        ]
        refusals = [
            (stranger.get("/v1/studies"), 401),
            (known.get("/v1/studies/none"), 404),
            (known.get("/v1/nothing"), 404),
            (known.delete("/v1/studies"), 405),
            (known.post("/v1/studies", json=" " * (5 * 1024 * 1024)), 413),
            (known.post("/v1/studies", json={}), 422),
            (known.get("/v1/studies", headers={"Host": "elsewhere.example"}), 421),
        ]
    for answer in answers:
        assert answer.status_code == 200
        seen.add(answer.headers["X-Request-Id"])
    for answer, status in refusals:
        problem = problem_of(answer, status)
        assert answer.headers.get_list("X-Request-Id") == [problem["request_id"]]
        seen.add(problem["request_id"])
    assert len(seen) == len(answers) + len(refusals)


@pytest.mark.parametrize("own", ["7f3a", "a.b_c-D9", "x" * 128])
def test_the_id_of_a_caller_is_taken_over(shared_service: Service, own: str) -> None:
    for path in ("/v1/studies", "/v1/studies/none", "/livez"):
        answer = shared_service.call("GET", path, headers={"X-Request-Id": own})
        assert answer.headers["X-Request-Id"] == own
        assert answer.status_code == 200 or answer.json()["request_id"] == own


@pytest.mark.parametrize("own", ["", "x" * 129, "two words", "<b>", "a,b", "é", "%0a"])
def test_an_id_that_could_not_be_logged_is_replaced(shared_service: Service, own: str) -> None:
    with shared_service.http(shared_service.key) as http:
        answer = http.get("/v1/studies/none", headers=[(b"X-Request-Id", own.encode())])
    assert answer.headers["X-Request-Id"] == problem_of(answer, 404)["request_id"] != own


def test_a_failure_is_logged_under_the_id_that_the_caller_knows(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with service.database.session() as session:
        session.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
    answer = service.call("GET", "/v1/studies", headers={"X-Request-Id": "night-run-7"})
    assert problem_of(answer, 500)["request_id"] == answer.headers["X-Request-Id"] == "night-run-7"
    assert "request night-run-7 failed" in caplog.text
