"""A worker against a real service: it trains what is queued for it, and says what became of it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mixclient import NotAuthorisedError
from proxy_training.corpus import Corpus
from proxy_training.moment import Moment
from proxy_training.spec import TrainSpec
from proxy_training.train import FixedMixture, train
from tests.proxy_training.trial import HALVES, Trial
from tests.support.servers import Service

MOSTLY_SMALL = {"capitals": 0.2, "small": 0.8}
DIVERGES: dict[str, Any] = {"learning_rate": 0.99, "warmup": 0.0, "weight_decay": 100.0}


@pytest.fixture
def trial(service: Service, walks: Corpus, tiny: TrainSpec) -> Trial:
    return Trial(service, walks, replace(tiny, tokens=24 * 256))


def test_queued_runs_are_trained_and_their_results_are_those_of_the_training(trial: Trial) -> None:
    trial.study()
    trial.sweep(HALVES, MOSTLY_SMALL)
    assert trial.worker().run(until_idle=True) == 2
    for number, (run, weights) in enumerate(zip(trial.runs(), (HALVES, MOSTLY_SMALL), strict=True)):
        direct = train(trial.spec, trial.corpus, FixedMixture(weights, batch=16, seed=number), seed=number)
        assert run["state"] == "completed"
        assert run["worker"] == "tester"
        assert run["progress"] == 1
        assert run["result"]["step"] == 24
        for name in ("losses", "bits_per_byte", "tokens", "drawn", "model_parameters"):
            assert run["result"][name] == getattr(direct, name), name
    assert trial.observations() == 4


def test_a_run_that_asks_for_its_curve_is_observed_on_the_way_and_ends_the_same(trial: Trial) -> None:
    trial.study()
    trial.sweep(HALVES)
    trial.sweep(HALVES, evaluate_every=8)
    trial.worker().run(until_idle=True)
    plain, curved = trial.runs()
    assert curved["result"]["losses"] == plain["result"]["losses"], "looking changes nothing"
    seen: list[tuple[int, Mapping[str, float]]] = []
    spec = replace(trial.spec, evaluate_every=8)
    mixture = FixedMixture(HALVES, batch=16, seed=0)
    train(spec, trial.corpus, mixture, seed=0, observe=lambda step, losses: seen.append((step, losses)))
    page = trial.service.client.call("GET", f"/v1/runs/{curved['id']}/observations")
    stored = {(item["step"], item["target"]): item["value"] for item in page["items"]}
    seen.append((24, curved["result"]["losses"]))
    assert [step for step, _ in seen] == [8, 16, 24]
    assert stored == {(step, name): value for step, losses in seen for name, value in losses.items()}


def test_a_watcher_sees_a_run_from_its_beginning_to_its_loss(trial: Trial) -> None:
    trial.study()
    trial.sweep()
    trial.worker().run(until_idle=True)
    *training, end = trial.moments
    assert [moment.state for moment in training] == ["training"] * len(training)
    assert [moment.progress for moment in training] == [0, 20 / 24]
    mean = sum(trial.runs()[0]["result"]["losses"].values()) / 2
    assert end == Moment("run 0", 1.0, "completed", f"mean held-out loss {mean:.3f}")


def test_a_study_may_name_its_domains_in_another_order(trial: Trial) -> None:
    trial.study(domains=[{"name": name, "tokens": 32_000} for name in ("small", "capitals")])
    trial.sweep({"small": 0.8, "capitals": 0.2})
    assert trial.worker().run(until_idle=True) == 1
    direct = train(trial.spec, trial.corpus, FixedMixture(MOSTLY_SMALL, batch=16, seed=0), seed=0)
    (run,) = trial.runs()
    assert run["result"]["drawn"] == direct.drawn
    assert run["result"]["losses"] == direct.losses


def test_a_study_whose_target_is_one_domain_gets_the_loss_of_that_one(trial: Trial) -> None:
    trial.study(targets=["small"])
    trial.sweep()
    assert trial.worker().run(until_idle=True) == 1
    assert list(trial.runs()[0]["result"]["losses"]) == ["small"]
    assert trial.observations() == 1


def test_a_run_that_diverges_fails_with_its_reason_and_the_next_one_is_trained(trial: Trial) -> None:
    trial.study()
    trial.sweep(**DIVERGES)
    trial.sweep()
    assert trial.worker().run(until_idle=True) == 1
    failed, completed = trial.runs()
    assert (failed["state"], completed["state"]) == ("failed", "completed")
    assert "the loss is nan at step 20: lower the learning rate, which is 0.99" in failed["error"]
    assert failed["result"] is None
    assert [state for state, _ in trial.ends()] == ["failed", "completed"]


def test_a_run_that_no_machine_can_hold_fails_and_takes_no_worker_with_it(trial: Trial) -> None:
    trial.study()
    trial.sweep(width=2**50)
    trial.sweep()
    assert trial.worker().run(until_idle=True) == 1
    assert trial.states == ["failed", "completed"]
    assert re.match(r"\w+Error: ", trial.runs()[0]["error"])  # torch's own words


def test_runs_that_this_worker_cannot_train_fail_before_training_with_the_remedy(trial: Trial) -> None:
    web = {"domains": [{"name": name, "tokens": 1000} for name in ("web", "small")]}
    trial.study("long")
    trial.sweep(study="long", context=5000, batch=1, tokens=5000, evaluation_tokens=6000)
    trial.study("exams", targets=["small", "exams"])
    trial.sweep(study="exams")
    trial.study("web", **web)
    trial.sweep({"web": 0.5, "small": 0.5}, study="web")
    assert trial.worker().run(until_idle=True) == 0
    for study, message in {
        "long": "lower the context",
        "exams": "no targets exams: evaluate them with a worker of your own",
        "web": "the study has domains web, small, the corpus of this worker has capitals, small",
    }.items():
        (run,) = trial.runs(study)
        assert run["state"] == "failed"
        assert message in run["error"]
    assert [moment.state for moment in trial.moments] == ["failed"] * 3


def test_a_run_on_another_corpus_is_left_to_those_who_hold_it(trial: Trial) -> None:
    trial.study()
    trial.sweep(corpus="of somebody else")
    trial.sweep(corpus="")  # any will do
    trial.sweep()
    assert trial.worker().run(until_idle=True) == 2
    assert trial.states == ["pending", "completed", "completed"]


def test_a_worker_of_one_study_leaves_the_others_alone(trial: Trial) -> None:
    for study in ("trial", "chosen"):
        trial.study(study)
        trial.sweep(study=study)
    assert trial.worker(study="chosen").run(until_idle=True) == 1
    assert trial.states == ["pending"]
    assert trial.runs("chosen")[0]["state"] == "completed"


def test_a_worker_that_is_told_to_stop_finishes_its_run_and_claims_no_other(trial: Trial) -> None:
    trial.study()
    trial.sweep(HALVES, HALVES)
    worker = trial.worker(watch=lambda _: worker.stopping.set())
    assert worker.run() == 1
    assert trial.states == ["completed", "pending"]


def test_a_refused_key_ends_a_worker_at_once(trial: Trial) -> None:
    with pytest.raises(NotAuthorisedError, match="403 missing_scope"):
        trial.worker(key=trial.service.new_key("studies:read")).run()


def test_a_worker_whose_corpus_is_gone_ends_and_its_run_goes_to_another(trial: Trial, tmp_path: Path) -> None:
    trial.study()
    trial.sweep()
    gone = replace(trial.corpus, folder=tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        trial.worker(corpus=gone).run()
    trial.let_leases_expire()
    assert trial.worker().run(until_idle=True) == 1
    assert trial.states == ["completed"]
