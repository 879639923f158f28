"""A run that follows a live job: the service steers its mixture while it is trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mixlaws.domains import DomainSet
from proxy_training.corpus import Corpus
from proxy_training.moment import Moment
from proxy_training.spec import TrainSpec
from tests.proxy_training.trial import HALVES, Trial, when_logged
from tests.support.proxy import Mode, Proxy, proxied
from tests.support.servers import Service


@pytest.fixture
def trial(
    tenant: Service, walks: Corpus, tiny: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Trial:
    monkeypatch.setenv("HOME", str(tmp_path))  # where reports wait that were not sent
    trial = Trial(tenant, walks, replace(tiny, tokens=40 * 256, report_every=5))
    trial.study()
    return trial


def create_job(trial: Trial, **more: Any) -> None:
    domains = trial.corpus.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
    body = {"name": "live", "policy": "odm", "domains": rows, "samples_per_step": 16, "lead_steps": 5}
    trial.service.client.create_job({**body, **more})


def test_a_live_run_reports_every_step_to_its_job(trial: Trial) -> None:
    create_job(trial)
    trial.sweep(job="live")
    assert trial.worker().run(until_idle=True) == 1
    job = trial.service.client.job("live")
    (run,) = trial.runs()
    assert job["reported_step"] == 39
    assert run["result"]["live"]["delivered"] == 1
    assert run["result"]["live"]["sent_reports"] == job["reports_accepted"] >= 8
    assert job["version"] > 1


def test_a_live_run_draws_what_its_job_says_and_not_its_own_weights(trial: Trial) -> None:
    create_job(trial, policy="static", prior={"capitals": 0.25, "small": 0.75})
    trial.sweep(HALVES, job="live")
    assert trial.worker().run(until_idle=True) == 1
    assert trial.runs()[0]["result"]["drawn"] == {"capitals": 40 * 4 * 16, "small": 40 * 12 * 16}


class Killed(BaseException):
    """Ends a worker where it stands."""


def test_a_live_run_that_lost_its_worker_begins_its_job_anew(trial: Trial) -> None:
    create_job(trial)
    trial.sweep(job="live")

    def die(moment: Moment) -> None:
        if moment.progress == 0.5:
            raise Killed

    with pytest.raises(Killed):
        trial.worker(watch=die).run()
    job = trial.service.client.job("live")
    assert (job["attempt"], job["reported_step"]) == (1, 20)
    trial.let_leases_expire()
    assert trial.worker().run(until_idle=True) == 1
    job = trial.service.client.job("live")
    assert (job["attempt"], job["reported_step"]) == (2, 39)
    assert trial.runs()[0]["result"]["tokens"] == 40 * 256


def test_a_job_that_cannot_be_followed_fails_its_run_with_the_remedy(trial: Trial) -> None:
    reversed_order = [{"name": name, "tokens": 32_000} for name in ("small", "capitals")]
    create_job(trial, name="half", samples_per_step=8)
    create_job(trial, name="reversed", domains=reversed_order)
    reasons = {
        "missing": "'missing'",
        "half": "job 'half' draws 8 samples a step, the run trains 16",
        "reversed": "in another order: give it capitals, small",
    }
    for job in reasons:
        trial.sweep(job=job)
    assert trial.worker().run(until_idle=True) == 0
    for run, reason in zip(trial.runs(), reasons.values(), strict=True):
        assert run["state"] == "failed"
        assert reason in run["error"]
    assert [trial.service.client.job(name)["reported_step"] for name in ("half", "reversed")] == [-1, -1]


class Tripwire(Corpus):
    """A corpus that cuts the network when its domains are first asked for: just after a claim."""

    proxy: Proxy

    @property
    def domains(self) -> DomainSet:
        if not self.__dict__.get("tripped"):
            self.__dict__["tripped"] = True
            self.proxy.set(Mode.CUT)
        return super().domains


def test_a_service_that_is_away_for_a_moment_fails_no_live_run(trial: Trial) -> None:
    create_job(trial)
    trial.sweep(job="live")
    with proxied(trial.service.url) as proxy:
        corpus = Tripwire(trial.corpus.folder, trial.corpus.manifest, trial.corpus.tokeniser)
        corpus.__dict__["proxy"] = proxy

        def end(moment: Moment) -> None:
            if moment.state != "training":
                worker.stopping.set()

        worker = trial.worker(url=proxy.url, corpus=corpus, watch=end)
        with when_logged("a live job waits for the service", lambda: proxy.set(Mode.PASS)):
            assert worker.run() == 1
    assert trial.states == ["completed"]
    assert trial.service.client.job("live")["reported_step"] == 39
