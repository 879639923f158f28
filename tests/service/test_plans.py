"""The plan of a job's stages: what is served of it, and what acknowledgements may take out."""

import numpy as np
import pytest
from sqlalchemy import select

from mixclient import Schedule
from service.jobs import curve_repository, repository
from service.jobs import service as jobs
from service.jobs.curves import Curves
from service.keys import repository as projects
from service.keys.service import DEFAULT_PROJECT
from service.models import Job, ScheduleStage
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service

PATH = f"/v1/jobs/{JOB['name']}"


@pytest.fixture(autouse=True)
def job(service: Service) -> None:
    service.client.create_job(JOB)


def send(service: Service, step: int, attempt: int = 1) -> None:
    service.client.call("POST", f"{PATH}/reports", body=report(step, attempt=attempt))


def acknowledge(service: Service, version: int, step: int, outcome: str, attempt: int = 1) -> None:
    body = {"attempt": attempt, "version": version, "step": step, "outcome": outcome}
    service.client.call("POST", f"{PATH}/acks", body=body)


def schedule(service: Service) -> Schedule:
    return Schedule.parse(service.client.call("GET", f"{PATH}/schedule"))


def test_the_first_stage_stays_whatever_a_trainer_says(service: Service) -> None:
    acknowledge(service, 1, 3, "too_late")
    followed = schedule(service)
    assert [(stage.version, stage.effective_step) for stage in followed.stages] == [(1, 0)]


def test_what_a_restart_took_back_is_not_planned_anew(service: Service) -> None:
    send(service, 9)
    service.client.call("POST", f"{PATH}/attempts", body={"from_step": 5})
    before = schedule(service)
    acknowledge(service, 2, 60, "too_late", attempt=2)
    assert [stage.version for stage in before.stages] == [1]
    assert schedule(service).stages == before.stages


def test_a_late_report_of_steps_that_are_made_again_counts_no_more(service: Service) -> None:
    for step in (9, 29, 19):
        send(service, step)
    service.client.call("POST", f"{PATH}/attempts", body={"from_step": 10})
    with service.database.session() as session:
        job_id = session.scalars(select(Job.id)).one()
        assert Curves().losses(session, session.get_one(Job, job_id)).steps.tolist() == [9]


def test_a_late_version_among_later_ones_needs_no_other(service: Service) -> None:
    for step in (9, 19, 29):
        send(service, step)
    acknowledge(service, 3, 40, "too_late")
    assert [stage.version for stage in schedule(service).stages] == [2, 4]


def test_a_schedule_is_the_end_of_the_plan_from_the_stage_in_force(
    service: Service, rng: np.random.Generator
) -> None:
    with service.database.session() as session:
        owner = projects.project_named(session, DEFAULT_PROJECT)
        assert owner is not None
        found: Job = jobs.get(session, owner.id, JOB["name"])
        step = 0
        for version in range(2, 60):
            step += int(rng.integers(1, 20))
            session.add(
                ScheduleStage(
                    job_id=found.id,
                    version=version,
                    attempt=1,
                    effective_step=step,
                    weights=[0.2, 0.3, 0.5],
                    reason="odm",
                    applied_seq=version,
                    published_from=step,
                    build="",
                    superseded=bool(rng.random() < 0.2),
                    too_late=bool(rng.random() < 0.2),
                    taken_back=bool(rng.random() < 0.2),
                )
            )
        session.flush()
        published = select(ScheduleStage).where(ScheduleStage.job_id == found.id)
        plan = [
            stage
            for stage in session.scalars(published.order_by(ScheduleStage.effective_step))
            if not (stage.too_late or stage.superseded or stage.taken_back)
        ]
        drawn = curve_repository.stages(session, found)
        assert [stage.version for stage in drawn] == [stage.version for stage in plan]
        assert repository.last_active(session, [found.id]) == {found.id: plan[-1]}
        for at in range(step + 5):
            past = [stage for stage in plan if stage.effective_step <= at]
            wanted = past[-1:] + [stage for stage in plan if stage.effective_step > at]
            assert repository.stages_from(session, found.id, at) == wanted


def test_an_etag_that_a_proxy_made_weak_is_still_the_one_in_hand(service: Service) -> None:
    etag = service.call("GET", f"{PATH}/schedule").headers["ETag"]
    for held in (etag, f"W/{etag}"):
        answer = service.call("GET", f"{PATH}/schedule", headers={"If-None-Match": held})
        assert answer.status_code == 304
        assert answer.headers["ETag"] == etag
    send(service, 9)
    answer = service.call(
        "GET", f"{PATH}/schedule", headers={"If-None-Match": f"W/{etag}", "Prefer": "wait=5"}
    )
    assert answer.status_code == 200


def test_an_integer_that_would_not_come_back_as_it_was_is_refused(service: Service) -> None:
    # Stored, it would be rounded, and the same report again would contradict it.
    refused = service.call("POST", f"{PATH}/reports", report(9, signals={"sequence_counts": {"web": 2**53}}))
    problem_of(refused, 422, "signals.sequence_counts.web", "less than", code="invalid_request")
    squares = {"web": 1.2345678901234567e30, "code": 5e-324}
    kept = report(9, signals={"sequence_counts": {"web": 2**53 - 1}, "loss_squares": squares})
    for duplicates in (0, 1):
        answer = service.call("POST", f"{PATH}/reports", kept)
        assert answer.json()["duplicates"] == duplicates, answer.text


@pytest.mark.parametrize("out_of_the_plan", ["late", "replaced"])
def test_a_restart_brings_back_stages_that_were_put_out_of_the_plan_since(
    service: Service, out_of_the_plan: str
) -> None:
    send(service, 99)
    followed = schedule(service)
    if out_of_the_plan == "late":
        acknowledge(service, followed.stages[-1].version, 140, "too_late")
    else:
        service.client.call("POST", f"{PATH}/freeze", body={"reason": "a look at the losses"})
        service.client.call("POST", f"{PATH}/release", body={"reason": "all is well"})
    assert schedule(service).stages[-1] != followed.stages[-1]
    service.client.open_attempt(JOB["name"], 100)
    assert schedule(service).stages == followed.stages


def test_a_trainer_that_draws_further_ahead_than_the_lead_gets_new_weights_all_the_same(
    service: Service,
) -> None:
    held, drawn = schedule(service), 60
    told = {1}
    for step in range(9, 300, 10):
        begun = [stage for stage in held.stages if drawn < stage.effective_step <= drawn + 10]
        drawn += 10
        send(service, step)
        held = schedule(service)
        late = [stage for stage in held.stages if stage.effective_step <= drawn]
        for stages, outcome in ((begun, "applied"), (late, "too_late")):
            for stage in stages:
                if stage.version not in told:
                    acknowledge(service, stage.version, drawn, outcome)
                told.add(stage.version)
        held = schedule(service)
    assert service.client.job(JOB["name"])["versions_applied"] > 2
