"""Domains whose epochs are over leave at the next change; a job that has read everything is held."""

from typing import Any

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.policies.odm import Odm
from mixlaws.policies.static import Static
from mixlaws.problem import MixtureProblem
from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.guards import Guards
from mixlaws.steering.steering import Steering
from tests.service.reports import JOB, report
from tests.support.following import TOKENS, Follower, reloaded
from tests.support.replaying import same_again
from tests.support.servers import Service

DOMAINS = DomainSet(("web", "code", "law"), (60_000, 30_000, 10_000))
LEAD = 7


def losses(drawn: FloatArray) -> FloatArray:
    return np.asarray(np.array([3.0, 2.0, 4.0]) + 0 * drawn)


def follower(epochs: dict[str, float], policy: Any = None, **guards: Any) -> Follower:
    problem = MixtureProblem.create(DOMAINS, max_epochs=epochs)
    return Follower(
        Steering(problem, policy or Static(), "mine", Guards(**guards), lead_steps=LEAD, ttl_steps=5), losses
    )


def test_case_30_a_domain_that_runs_dry_between_two_reports_is_out_at_the_next_change() -> None:
    # With so short a ttl nothing is told ahead: the end comes between two reports.
    job = follower({"web": 9, "code": 0.5, "law": 9}, spread="prior")
    job.train(100)
    ended = next(step for step, weights in enumerate(job.followed) if weights[1] == 0)
    assert job.drawn[1] <= 15_000 + LEAD * 0.3 * TOKENS, "beyond the cap no more than until the news arrived"
    assert all(weights[1] == 0 for weights in job.followed[ended:])
    assert job.followed[ended] == pytest.approx([6 / 7, 0, 1 / 7]), "its share goes where the rule says"
    assert all(abs(weights.sum() - 1) <= 1e-12 for weights in job.followed)
    (told,) = (stage for stage in job.stages if "code runs dry" in stage.reason)
    assert told.effective_step == ended
    assert job.state.hold is None


@pytest.mark.parametrize("policy", [Static(), Odm()], ids=["static", "odm"])
def test_case_30_a_job_that_has_read_everything_is_frozen_and_says_so_and_divides_by_nothing(
    policy: Any,
) -> None:
    job = follower(dict.fromkeys(DOMAINS.names, 0.5), policy)
    with np.errstate(all="raise"):
        job.train(40)
        assert job.state.hold is None
        job.train(60)
    hold = reloaded(job.steering, job.state).hold
    assert hold is not None
    assert (hold.by, "every domain was read for all its epochs" in hold.reason) == ("guard", True)
    assert any(stage.reason == hold.reason for stage in job.stages), "people see why"
    assert all(abs(weights.sum() - 1) <= 1e-12 and weights.min() >= 0 for weights in job.followed)
    # Who releases it has decided to repeat: it is not frozen for the same cause once more.
    job.state = job.steering.obey(job.state, Event(EventKind.RELEASE, {"reason": "repeat"}))
    job.train(50)
    assert job.state.hold is None


def test_case_30_the_service_tells_of_a_job_that_has_read_everything_and_takes_its_reports(
    tenant: Service,
) -> None:
    domains = [{**domain, "tokens": 2_000, "max_epochs": 1} for domain in JOB["domains"]]
    tenant.client.create_job({**JOB, "domains": domains})
    for step in range(9, 100, 10):
        answer = tenant.client.call("POST", f"/v1/jobs/{JOB['name']}/reports", body=report(step))
        assert answer["accepted"] == 1
    schedule = tenant.client.call("GET", f"/v1/jobs/{JOB['name']}/schedule")
    assert schedule["frozen"] is True
    stages = schedule["stages"]
    assert "every domain was read for all its epochs" in stages[-1]["reason"]
    assert sum(stages[-1]["weights"].values()) == pytest.approx(1, abs=1e-12)
    same_again(tenant, JOB["name"])
