"""Leases that are lost and services that go away: no result is lost, and none counts twice."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proxy_training.corpus import Corpus
from proxy_training.moment import Moment
from proxy_training.spec import TrainSpec
from service.db import Database
from tests.proxy_training.trial import Trial, when_logged
from tests.support.proxy import Mode, proxied
from tests.support.servers import Service, running


@pytest.fixture
def trial(service: Service, walks: Corpus, tiny: TrainSpec) -> Trial:
    return Trial(service, walks, replace(tiny, tokens=24 * 256))


def taken_over(trial: Trial, rivals: list[dict[str, Any]], _: Moment) -> None:
    """Give the run to a rival, once."""
    while not rivals:  # a heartbeat may renew the lease just before the rival asks
        trial.let_leases_expire()
        if lease := trial.service.client.claim_run("rival"):
            rivals.append(lease)


def test_a_result_under_a_lost_lease_is_not_stored_and_the_rival_s_is(trial: Trial) -> None:
    trial.study()
    trial.sweep()
    rivals: list[dict[str, Any]] = []
    assert trial.worker(watch=partial(taken_over, trial, rivals)).run(until_idle=True) == 0
    ((state, detail),) = trial.ends()
    assert state == "lost"
    assert "rival holds it now" in detail
    (run,) = trial.runs()
    assert (run["state"], run["worker"], run["result"]) == ("running", "rival", None)
    assert trial.observations() == 0
    (lease,) = rivals
    losses = {"capitals": 1.0, "small": 2.0}
    measured = {"step": 24, "tokens": 6144, "model_parameters": 1000, "seconds": 1.0}
    trial.service.client.put_result(run["id"], {"lease": lease["lease"], "losses": losses, **measured})
    assert trial.runs()[0]["result"]["losses"] == losses


def test_a_heartbeat_that_finds_the_lease_lost_ends_the_training(
    database: Database, tmp_path: Path, walks: Corpus, tiny: TrainSpec
) -> None:
    with running(database, tmp_path, lease_seconds=2) as service:
        trial = Trial(service, walks, tiny)
        trial.study()
        trial.sweep(tokens=10**9)  # days of training, unless it is ended
        rivals: list[dict[str, Any]] = []

        def watch(moment: Moment) -> None:
            taken_over(trial, rivals, moment)
            if moment.state != "training":
                worker.stopping.set()

        worker = trial.worker(watch=watch)
        assert worker.run() == 0
        assert trial.ends() == [("lost", f"run {rivals[0]['run']['id']} is not ours any more")]
        assert trial.runs()[0]["worker"] == "rival"


@pytest.mark.parametrize("mode", [Mode.CUT, Mode.GARBAGE, Mode.LOSE_ANSWERS])
def test_a_result_that_finds_no_service_arrives_afterwards_exactly_once(trial: Trial, mode: Mode) -> None:
    trial.study()
    trial.sweep()
    refused: list[str] = []
    with proxied(trial.service.url) as proxy:

        def fail(moment: Moment) -> None:
            if moment.state == "training":
                proxy.set(mode)

        def recover() -> None:
            refused.append(trial.states[0])
            proxy.set(Mode.PASS)

        with when_logged("a result waits for the service", recover):
            assert trial.worker(url=proxy.url, watch=fail).run(until_idle=True) == 1
    # The result is stored before its answer is lost; the second one must change nothing.
    assert refused == ["completed" if mode is Mode.LOSE_ANSWERS else "running"]
    assert [state for state, _ in trial.ends()] == ["completed"]
    assert trial.states == ["completed"]
    assert trial.observations() == 2


def test_a_worker_waits_for_a_service_that_is_not_there_yet(trial: Trial) -> None:
    trial.study()
    trial.sweep()
    with proxied(trial.service.url) as proxy:
        proxy.set(Mode.CUT)
        with when_logged("waiting for the service", lambda: proxy.set(Mode.PASS)):
            assert trial.worker(url=proxy.url).run(until_idle=True) == 1
    assert trial.states == ["completed"]


def test_a_worker_that_is_told_to_stop_does_not_wait_for_the_service(trial: Trial) -> None:
    with proxied(trial.service.url) as proxy:
        proxy.set(Mode.CUT)
        worker = trial.worker(url=proxy.url)
        with when_logged("waiting for the service", worker.stopping.set):
            assert worker.run() == 0


def test_a_run_whose_failure_could_not_be_told_is_told_by_the_next_worker(trial: Trial) -> None:
    trial.study()
    trial.sweep(learning_rate=0.99, warmup=0.0, weight_decay=100.0)
    with proxied(trial.service.url) as proxy:
        worker = trial.worker(url=proxy.url, watch=lambda _: proxy.set(Mode.CUT))
        with when_logged("could not be reported", worker.stopping.set):
            assert worker.run() == 0
    assert trial.states == ["running"]
    trial.let_leases_expire()
    assert trial.worker().run(until_idle=True) == 0
    assert trial.states == ["failed"]
