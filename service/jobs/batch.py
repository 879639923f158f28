"""What the requests of one commit change: planned one after the other, written together."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.errors import NotFoundError, ServiceError
from service.fail_points import reach
from service.jobs import commit_repository, recording, refusals, repository
from service.jobs.commit_repository import Locked
from service.jobs.epochs import state_token
from service.jobs.log import measured
from service.jobs.planning import Known, Plan, plan
from service.jobs.recording import Change
from service.jobs.refusals import Refusal
from service.jobs.schemas import ReportIn, ReportsOut
from service.jobs.standing import Standing, Standings, as_columns, newest

_log = logging.getLogger("service.jobs")

Outcome = ReportsOut | Exception


@dataclass(frozen=True)
class Call:
    """Reports of one call for one job."""

    project_id: UUID
    job: str
    reports: Sequence[ReportIn]


class Batch:
    """The calls of one commit. Locks their jobs.

    Args:
        session: whose transaction is the commit.
        calls: in the order of their arrival.
        standings: what is remembered of jobs; it is not changed before the commit has succeeded.
    """

    def __init__(self, session: Session, calls: Sequence[Call], standings: Standings) -> None:
        self._session = session
        locked = commit_repository.lock(session, {(call.project_id, call.job) for call in calls})
        self._locked: dict[tuple[UUID, str], Locked] = {(row.project_id, row.name): row for row in locked}
        self._standings = standings.of(session, locked)
        self._plans: dict[UUID, list[Plan]] = defaultdict(list)
        self._refused: dict[UUID, list[Refusal]] = defaultdict(list)
        self._stored: dict[UUID, dict[tuple[str, int], Mapping[str, Any]]] = defaultdict(dict)
        self._read_what_is_named(calls)

    def take(self, call: Call) -> Outcome:
        """Plan a call on top of those before it; what is wrong with it is its own answer."""
        try:
            return self._taken(call)
        except (ServiceError, MixlawsError) as error:
            if (locked := self._locked.get((call.project_id, call.job))) is not None:
                self._refused[locked.id].append(error)
            return error
        except Exception as error:  # noqa: BLE001
            # Whatever a policy makes of one job's numbers, the other jobs of this commit go on.
            _log.exception("reports of job %r could not be folded", call.job)
            return error

    def write(self) -> tuple[set[UUID], list[Standing]]:
        """Write all plans; returns the jobs with new versions, and how all jobs stand after the commit."""
        changed = {job_id: self._known(job_id) for job_id in self._plans}
        plans = [planned for job_id in changed for planned in self._plans[job_id]]
        placed = [
            {"job_id": job_id, "attempt": standing.attempt, "source": source, "step_to": step, "seq": seq}
            for job_id, standing in changed.items()
            for planned in self._plans[job_id]
            for (source, step), seq in planned.placed_before.items()
        ]
        changes = [self._change(standing) for standing in changed.values()]
        reports = [row for planned in plans for row in planned.rows]
        written = recording.write(self._session, changes, reports=reports) if changes else {}
        commit_repository.place_reports(self._session, placed)  # some may be rows of this very commit
        reach("inside_group_commit")
        announced = {
            job_id for job_id in changed if any(planned.published for planned in self._plans[job_id])
        }
        places = {
            job_id: standing.head.applied_seq
            for job_id, standing in self._standings.items()
            if isinstance(standing, Standing)
        }
        refusals.note(self._session, self._refused, places)
        after = [
            replace(standing, written=written[job_id], weights=newest(standing.weights))
            for job_id, standing in changed.items()
        ]
        return announced, after

    def _taken(self, call: Call) -> ReportsOut:
        locked = self._locked.get((call.project_id, call.job))
        if locked is None:
            raise NotFoundError(f"no job {call.job!r} in this project: list the jobs to see their names")
        standing, stored = self._known(locked.id), self._stored[locked.id]
        known = Known(
            stored=stored,
            waiting=[measured(row) for row in standing.waiting],
            weights_of=standing.weights,
            last_of=standing.last_steps,
        )
        planned = plan(standing.definition, locked.id, standing.attempt, standing.head, call.reports, known)
        if planned.rows and standing.ended is not None:
            raise standing.ended.with_traceback(None)  # what was stored before its end is a duplicate still
        self._plans[locked.id].append(planned)
        stored.update({(row["source"], row["step_to"]): row for row in planned.rows})
        self._standings[locked.id] = _after(standing, planned)
        return ReportsOut(
            accepted=len(planned.rows),
            duplicates=planned.duplicates,
            late=planned.late,
            attempt=standing.attempt,
            version=planned.head.version,
            warnings=planned.warnings,
            state_token=state_token(standing.epoch, standing.attempt, planned.head.applied_seq),
        )

    def _known(self, job_id: UUID) -> Standing:
        standing = self._standings[job_id]
        if isinstance(standing, Exception):
            raise standing
        return standing

    def _change(self, standing: Standing) -> Change:
        plans = self._plans[standing.id]
        before = plans[0].before
        return Change(
            job_id=standing.id,
            attempt=standing.attempt,
            definition=standing.definition,
            seq_before=before.applied_seq,
            head=standing.head,
            publications=[planned.published for planned in plans if planned.published is not None],
            events=[event for planned in plans for event in planned.events],
            reports=sum(len(planned.rows) for planned in plans),
            late=sum(planned.late for planned in plans),
            duplicates=sum(planned.duplicates for planned in plans),
        )

    def _read_what_is_named(self, calls: Sequence[Call]) -> None:
        """Read the stored reports and the versions that reports name and that nobody remembers."""
        keys: set[repository.ReportKey] = set()
        versions: set[tuple[UUID, int]] = set()
        for call in calls:
            locked = self._locked.get((call.project_id, call.job))
            standing = None if locked is None else self._standings[locked.id]
            if not isinstance(standing, Standing):
                continue
            for report in call.reports:
                if report.attempt == standing.attempt and report.step_to <= standing.last_steps.get(
                    report.source, -1
                ):
                    keys.add((standing.id, report.attempt, report.source, report.step_to))
            named = {report.schedule_version for report in call.reports}
            named |= {row["schedule_version"] for row in standing.waiting}
            versions |= {(standing.id, version) for version in named - standing.weights.keys()}
        if keys:
            for (job_id, _, source, step_to), row in repository.stored_reports(self._session, keys).items():
                self._stored[job_id][source, step_to] = as_columns(row)
        if versions:
            for (job_id, version), weights in repository.weights_of(self._session, versions).items():
                standing = self._known(job_id)
                self._standings[job_id] = replace(standing, weights={**standing.weights, version: weights})


def _after(standing: Standing, planned: Plan) -> Standing:
    """A job as it stands after a plan."""
    waits = [row for row in planned.rows if row["applied_seq"] is None and not row["late"]]
    waiting = [
        row for row in (*standing.waiting, *waits) if (row["source"], row["step_to"]) not in planned.placed
    ]
    last_steps = dict(standing.last_steps)
    for row in planned.rows:
        last_steps[row["source"]] = max(last_steps.get(row["source"], -1), row["step_to"])
    weights = standing.weights
    if planned.published is not None:
        first = planned.published.first_version
        stages = planned.published.publication.stages
        new = {first + number: stage.weights.tolist() for number, stage in enumerate(stages)}
        weights = {**weights, **new}  # all of them: later calls of the commit may name any
    return replace(standing, head=planned.head, waiting=waiting, last_steps=last_steps, weights=weights)
