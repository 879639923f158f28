"""What is stored does not depend on which requests share a commit."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from service.jobs.committing import Committer
from service.jobs.schemas import ReportIn, ReportsOut
from service.keys import repository as projects
from service.models import Job, Project, Report, ScheduleStage
from tests.service.reports import JOB, report
from tests.support.replaying import same_again
from tests.support.servers import Service

APART, TOGETHER = "apart", "together"
# The budget of a domain makes plans of several stages, which the next plan replaces.
DEFINITION = {
    **JOB,
    "sources": ["rank0", "rank1"],
    "domains": [*JOB["domains"][:2], {"name": "law", "tokens": 60_000, "max_epochs": 1}],
}


def submitted(
    service: Service, job: str, calls: Sequence[dict[str, Any]], *, at_once: bool
) -> list[ReportsOut]:
    """The answers to requests that share a commit, or have one each."""
    with service.database.session() as session:
        project = projects.project_named(session, service.project)
        assert project is not None

    async def send() -> list[ReportsOut]:
        committer = Committer(service.database, lambda _: None)
        waiting = []
        running = None if at_once else asyncio.ensure_future(committer.run())
        for call in calls:
            asked = committer.submit(project.id, job, [ReportIn.model_validate(call)])
            waiting.append(asyncio.ensure_future(asked))
            await (asyncio.sleep(0) if at_once else waiting[-1])
        running = running or asyncio.ensure_future(committer.run())
        try:
            return await asyncio.gather(*waiting)
        finally:
            running.cancel()

    return asyncio.run(send())


def told(service: Service, name: str) -> dict[str, Any]:
    """All that a job's rows say of its reports and its plan."""
    owned = select(Job).join(Project, Project.id == Job.project_id).where(Project.name == service.project)
    with service.database.session() as session:
        job = session.scalars(owned.where(Job.name == name)).one()
        rows = session.scalars(select(Report).where(Report.job_id == job.id)).all()
        stages = session.scalars(select(ScheduleStage).where(ScheduleStage.job_id == job.id)).all()
        return {
            "head": (
                job.applied_seq,
                job.applied_step,
                job.reported_step,
                job.version,
                job.state,
                job.reports,
            ),
            "reports": sorted((row.step_to, row.source, row.applied_seq or -1, row.late) for row in rows),
            "stages": sorted(
                (row.version, row.effective_step, *row.weights, row.superseded) for row in stages
            ),
        }


@pytest.mark.parametrize("seed", range(6))
def test_requests_that_share_a_commit_leave_what_those_with_their_own_leave(
    tenant: Service, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - an order of requests
    for name in (APART, TOGETHER):
        tenant.client.create_job({**DEFINITION, "name": name})
    calls: list[dict[str, Any]] = []
    behind = {"rank0": 9, "rank1": 9}
    for _ in range(40):
        source = rng.choice(sorted(behind))
        losses = {name: 512 * rng.uniform(2, 4) for name in ("web", "code", "law")}
        calls.append(report(behind[source], source=source, loss_sums=losses))
        behind[source] += 10
    first, second = calls[:25], calls[25:]
    for part in (first, second):  # the second by a committer that remembers nothing
        apart = submitted(tenant, APART, part, at_once=False)
        together = submitted(tenant, TOGETHER, part, at_once=True)
        assert [answer.version for answer in apart] == [answer.version for answer in together]
        assert told(tenant, APART) == told(tenant, TOGETHER)
    assert told(tenant, TOGETHER)["head"][0] > 5, "steps were complete"
    assert len(same_again(tenant, TOGETHER)) > 5


def test_an_old_version_is_known_to_every_request_of_a_commit(tenant: Service) -> None:
    tenant.client.create_job({**JOB, "name": TOGETHER})
    steps = range(9, 9 + 10 * 70, 10)
    moved = [
        report(step, loss_sums={"web": 512 * (2 + step % 3), "code": 999.0, "law": 1500.0}) for step in steps
    ]
    submitted(tenant, TOGETHER, moved, at_once=True)
    assert tenant.client.job(TOGETHER)["version"] > 65, "more than are remembered"
    late = [report(9 + 10 * (70 + number), schedule_version=2) for number in range(3)]
    assert [answer.accepted for answer in submitted(tenant, TOGETHER, late, at_once=True)] == [1, 1, 1]
