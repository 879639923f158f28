"""How often one may ask, and how much one may keep."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.limits import rates
from service.limits.rates import Buckets
from service.settings import Settings
from tests.service.problems import problem_of
from tests.service.reports import JOB
from tests.support.databases import fresh_database
from tests.support.servers import Service, running

STUDY = {"name": "first", "domains": [{"name": "web", "tokens": 5}, {"name": "code", "tokens": 5}]}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(rate=2.0, burst=5, clock=clock)
    assert [buckets.take("a") for _ in range(5)] == [0.0] * 5
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0.0, "everybody has a bucket"
    clock.now += 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0.0, pytest.approx(0.5)]
    clock.now += 1000
    assert [buckets.take("a") > 0 for _ in range(6)] == [False] * 5 + [True], "it never holds more"


def test_no_number_of_callers_takes_more_memory_than_meant() -> None:
    clock = Clock()
    buckets = Buckets(rate=1.0, burst=1, clock=clock)
    for number in range(3 * rates._MOST_BUCKETS):
        buckets.take(str(number))
        clock.now += 0.01
    assert len(buckets._full_at) <= rates._MOST_BUCKETS


def test_no_limit_is_no_limit() -> None:
    buckets = Buckets(rate=0.0, burst=0)
    assert {buckets.take("a") for _ in range(100)} == {0.0}


@pytest.fixture(scope="module")
def strict(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that lets little through."""
    folder: Path = tmp_path_factory.mktemp("strict")
    with (
        fresh_database(postgres_url) as database,
        running(
            database, folder, tasks_inside=False, requests_per_second=0.5, failed_logins_per_minute=4,
            most_studies=1, most_runs=3, most_jobs=1, most_keys=3, most_definition_bytes=2000,
        ) as started,
    ):  # fmt: skip
        yield started


def test_a_key_that_asks_too_often_is_told_when_to_come_back_and_holds_up_nobody_else(
    strict: Service,
) -> None:
    with strict.http(strict.new_key()) as hasty, strict.http(strict.new_key()) as other:
        burst = [hasty.get("/v1/studies").status_code for _ in range(2)]
        assert burst == [200, 200]
        answer = hasty.get("/v1/studies")
        problem_of(answer, 429, "0.5 requests a second", "slow down", code="too_many_requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 2
        assert other.get("/v1/studies").status_code == 200
        assert hasty.get("/livez").status_code == 200


def test_an_address_without_a_good_key_is_slowed_down_and_good_keys_of_it_are_not(strict: Service) -> None:
    with strict.http("mx_0123456789ab_" + "x" * 43) as stranger:
        answers = [stranger.get("/v1/studies") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2
        problem_of(answers[-1], 429, "without a good key", code="too_many_requests")
        assert int(answers[-1].headers["Retry-After"]) >= 1
        login = stranger.post("/login", data={"key": "wrong"})
        assert login.status_code == 429
    with strict.http(strict.new_key()) as known:
        assert known.get("/v1/studies").status_code == 200


def test_a_project_that_is_full_is_told_of_what_and_is_answered_as_ever_otherwise(strict: Service) -> None:
    def post(path: str, body: object) -> httpx.Response:
        with strict.http(strict.new_key(project=project)) as http:
            return http.post(path, json=body)

    project = "full"
    assert post("/v1/studies", STUDY).status_code == 201
    assert post("/v1/studies", STUDY).status_code == 200, "the same again makes nothing"
    problem = problem_of(
        post("/v1/studies", {**STUDY, "name": "second"}), 409, "number 2", "1 are allowed",
        "MIXWRIGHT_MOST_STUDIES", code="quota_exceeded",
    )  # fmt: skip
    assert (problem["quota"], problem["limit"], problem["used"]) == ("studies", 1, 2)
    sweeps = "/v1/studies/first/sweeps"
    assert post(sweeps, {"design": "sobol", "count": 3}).status_code == 201
    problem_of(post(sweeps, {"design": "sobol", "count": 1}), 409, "number 4", "3 are allowed", "RUNS")
    assert post("/v1/jobs", JOB).status_code == 201
    assert post("/v1/jobs", JOB).status_code == 200
    problem_of(post("/v1/jobs", {**JOB, "name": "second"}), 409, "MIXWRIGHT_MOST_JOBS")
    keys = post("/v1/keys", {"name": "k", "scopes": ["runs:work"]})
    problem_of(keys, 409, "MIXWRIGHT_MOST_KEYS", code="quota_exceeded")
    with strict.http(strict.new_key(project=project)) as http:
        assert [study["name"] for study in http.get("/v1/studies").json()["items"]] == ["first"]
        assert len(http.get("/v1/studies/first/runs").json()["items"]) == 3
    with strict.http(strict.new_key(project="other")) as http:
        large = {"name": "x", "domains": [{"name": f"{n}-" + "x" * 150, "tokens": 5} for n in range(20)]}
        problem_of(http.post("/v1/studies", json=large), 409, "2000 are allowed", "shorter names")
        assert http.post("/v1/studies", json=STUDY).status_code == 201, "projects are full one by one"


def test_the_defaults_let_a_fleet_come_back_in_one_second() -> None:
    settings = Settings()
    assert settings.requests_per_second * rates.BURST_SECONDS >= 10_000
    assert settings.requests_per_second >= 1_000
