"""The gate in front of every address: who is let in, and what every answer tells browsers."""

import pytest

from tests.service.problems import problem_of
from tests.support.servers import Service


@pytest.mark.parametrize("host", ["localhost", "localhost:99", "127.0.0.1:1", "[::1]", "[::1]:8321"])
def test_the_hosts_of_this_machine_are_served(shared_service: Service, host: str) -> None:
    with shared_service.http(Host=host) as http:
        assert http.get("/livez").status_code == 200


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
        assert "strict-transport-security" not in answer.headers, "nobody said that there is TLS"
