"""Pauses between tries: bounded, spread, never before one is asked, and of no seed of the trainer's."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixclient.backoff import LONGEST_ASKED, Backoff, asked_seconds

from mixclient import ServiceClient, ServiceError
from tests.support.scripted import client, schedule, train
from tests.support.trainers import until

RESTARTED = 5.0  # seconds for which a service is away while it restarts
TRAINERS = 2000


def jitter(seed: int) -> Callable[[float, float], float]:
    return random.Random(seed).uniform  # noqa: S311 - no secret


def refusal(retry_after: float | None) -> ServiceError:
    error = ServiceError(503, "busy", "come back", {})
    error.retry_after = retry_after
    return error


@given(st.integers(0, 2**32), st.lists(st.none() | st.floats(0, LONGEST_ASKED), min_size=1, max_size=60))
def test_no_pause_is_shorter_than_asked_or_longer_than_it_may_be(
    seed: int, answers: list[float | None]
) -> None:
    backoff = Backoff(first=0.5, longest=30.0, draw=jitter(seed))
    for number, asked in enumerate(answers):
        pause = backoff.failed(refusal(asked))
        ceiling = min(30.0, 0.5 * 2**number)
        least, most = (0.05, ceiling) if asked is None else (asked, asked + max(asked, ceiling))
        assert least <= pause <= most
    backoff.succeeded()
    assert backoff.failed() <= 0.5


@pytest.mark.parametrize("asked", [None, 2.0])
def test_trainers_that_lost_their_service_together_come_back_one_by_one(asked: float | None) -> None:
    arrivals = []
    for seed in range(TRAINERS):
        backoff, clock = Backoff(draw=jitter(seed)), 0.0
        while clock < RESTARTED:
            clock += backoff.failed(refusal(asked))
        arrivals.append(clock)
    busiest = np.histogram(arrivals, np.arange(0, max(arrivals) + 0.1, 0.1))[0].max()
    assert busiest < TRAINERS / 10, "of all that come back, few do so within a tenth of a second"


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        ("7", None, 7.0),
        (" 7 ", None, 7.0),
        ("0", None, 0.0),
        ("999999999", None, LONGEST_ASKED),
        ("9" * 400, None, None),
        ("soon", None, None),
        ("-5", None, None),
        ("", None, None),
        (None, None, None),
        ("Sat, 21 Nov 2026 10:00:30 GMT", "Sat, 21 Nov 2026 10:00:00 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", "Sat, 21 Nov 2026 10:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2126 10:00:00 GMT", "Sat, 21 Nov 2026 10:00:00 GMT", LONGEST_ASKED),
        ("Sat, 21 Nov 2026 10:00:30 GMT", "yesterday", None),
    ],
)
def test_what_a_service_asks_for_is_read_as_seconds_or_as_a_date_of_its_own_clock(
    header: str | None, date: str | None, seconds: float | None
) -> None:
    assert asked_seconds(header, date) == seconds


def test_without_a_clock_of_the_service_a_date_is_read_by_ours() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    found = asked_seconds(in_a_minute)
    assert found is not None
    assert 30 < found <= 60


@pytest.mark.parametrize("status", [429, 503])
def test_an_error_tells_when_the_service_wants_to_be_asked_again(status: int) -> None:
    with ServiceClient("http://service", "key") as service:
        service._http = httpx.Client(
            base_url="http://service",
            transport=httpx.MockTransport(lambda _: httpx.Response(status, headers={"Retry-After": "3"})),
        )
        with pytest.raises(ServiceError) as refused:
            service.call("GET", "/v1/jobs")
    assert refused.value.retry_after == 3


def test_a_refused_report_waits_as_long_as_asked_though_others_are_measured_meanwhile(tmp_path: Path) -> None:
    asked = [0]

    def post(_: httpx.Request) -> httpx.Response:
        asked[0] += 1
        return httpx.Response(503, headers={"Retry-After": "60"})

    follower = client(tmp_path, post=post, report_every=1)
    follower.start()
    train(follower, range(3))
    until(lambda: follower.counters().get("failed_sends") == 1)
    for step in range(3, 40):
        train(follower, range(step, step + 1))
        until(lambda: follower.gauges()["queued"] == 0)
    assert asked == [1]
    assert follower.gauges()["spooled_reports"] >= 40
    assert not follower.close(timeout=0.1)
    assert asked[0] <= 2, "a trainer that leaves asks once more"


def test_where_nobody_may_wait_polls_do_not_wait_and_are_told_of_versions_all_the_same(
    tmp_path: Path,
) -> None:
    preferred: list[str | None] = []

    def get(request: httpx.Request) -> httpx.Response:
        preferred.append(request.headers.get("Prefer"))
        if preferred[-1] is None:
            return schedule(request)
        problem = {"code": "too_many_waiters", "detail": "as many wait as may"}
        return httpx.Response(503, json=problem, headers={"Retry-After": "60"})

    follower = client(tmp_path, get=get)
    follower.start()
    until(lambda: follower.counters().get("without_a_place") == 1 and follower.counters()["polls"] == 3)
    until(lambda: follower.counters().get("unchanged") == 1)
    assert preferred == [None, "wait=25", None]
    assert follower.gauges()["rung"] == 0, "the service is heard of"
    follower.close(timeout=0.1)


def test_a_server_that_does_not_let_polls_wait_is_asked_less_and_less_often(tmp_path: Path) -> None:
    asked = [0]

    def get(request: httpx.Request) -> httpx.Response:
        asked[0] += 1
        return httpx.Response(304) if "If-None-Match" in request.headers else schedule(request)

    follower = client(tmp_path, get=get)
    follower.start()
    until(lambda: asked[0] >= 4)
    follower.close(timeout=0.0)
    assert asked[0] < 10


def test_nothing_is_drawn_from_the_generator_that_a_trainer_seeds(tmp_path: Path) -> None:
    random.seed(17)
    before = random.getstate()

    def post(_: httpx.Request) -> httpx.Response:
        return httpx.Response(503)

    follower = client(tmp_path, get=lambda _: httpx.Response(503), post=post, report_every=1,
                      fallback={"web": 0.5, "code": 0.5}, samples_per_step=8)  # fmt: skip
    follower.start(timeout=0.0)
    until(lambda: follower.counters().get("failed_polls", 0) > 1)
    follower.close(timeout=0.0)
    assert random.getstate() == before
