"""Heartbeats keep a lease, tell how far a run is, and find out when it belongs to somebody else."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from proxy_training.corpus import Corpus
from proxy_training.heartbeat import Heartbeat, LeaseLostError
from proxy_training.spec import TrainSpec
from tests.proxy_training.trial import Trial, when_logged
from tests.support.proxy import Mode, proxied
from tests.support.servers import Service

QUICK = 0.08  # seconds of a lease, a quarter of which is between two beats


@pytest.fixture
def trial(service: Service, walks: Corpus, tiny: TrainSpec) -> Trial:
    trial = Trial(service, walks, tiny)
    trial.study()
    trial.sweep()
    return trial


@pytest.fixture
def lease(trial: Trial) -> dict[str, Any]:
    lease = trial.service.client.claim_run("tester")
    assert lease is not None
    return lease


def beating(trial: Trial, lease: dict[str, Any]) -> Heartbeat:
    return Heartbeat(trial.service.client, lease["run"]["id"], lease["lease"], QUICK)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def is_lost(heart: Heartbeat) -> bool:
    try:
        heart.told(0.5)
    except LeaseLostError:
        return True
    return False


def test_beats_renew_a_lease_and_tell_the_progress(trial: Trial, lease: dict[str, Any]) -> None:
    trial.let_leases_expire()
    assert trial.runs()[0]["stale"]
    with beating(trial, lease) as heart:
        heart.told(0.25)
        until(lambda: trial.runs()[0]["progress"] == 0.25)
        heart.told(1.5)  # rounding may go beyond the end
        until(lambda: trial.runs()[0]["progress"] == 1)
    assert not trial.runs()[0]["stale"]
    assert trial.service.client.claim_run("rival") is None


def test_beats_end_with_the_run(trial: Trial, lease: dict[str, Any]) -> None:
    with beating(trial, lease) as heart:
        pass
    assert not heart._thread.is_alive()


def test_a_run_that_a_rival_holds_is_told_to_stop(trial: Trial, lease: dict[str, Any]) -> None:
    trial.let_leases_expire()
    assert trial.service.client.claim_run("rival") is not None
    with beating(trial, lease) as heart:
        until(lambda: is_lost(heart))
    assert trial.runs()[0]["progress"] == 0


def test_a_service_that_is_away_takes_no_lease(trial: Trial, lease: dict[str, Any]) -> None:
    with proxied(trial.service.url) as proxy:
        service = type(trial.service.client)(proxy.url, trial.service.key)
        heart = Heartbeat(service, lease["run"]["id"], lease["lease"], QUICK)
        heart.told(0.5)
        proxy.set(Mode.CUT)
        with service, when_logged("no answer to a heartbeat", lambda: proxy.set(Mode.PASS)), heart:
            until(lambda: trial.runs()[0]["progress"] == 0.5)
            assert not is_lost(heart)


def test_what_was_observed_goes_with_the_beats_and_is_kept_while_the_service_is_away(
    trial: Trial, lease: dict[str, Any]
) -> None:
    with proxied(trial.service.url) as proxy:
        service = type(trial.service.client)(proxy.url, trial.service.key)
        heart = Heartbeat(service, lease["run"]["id"], lease["lease"], QUICK)
        heart.observed(5, {"capitals": 3.0, "small": 2.0})
        proxy.set(Mode.LOSE_ANSWERS)
        with service, when_logged("no answer to a heartbeat", lambda: proxy.set(Mode.PASS)), heart:
            heart.observed(9, {"small": 1.5})
            until(lambda: trial.observations() == 3)
        heart.send()
    assert trial.observations() == 3
