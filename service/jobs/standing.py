"""What a process remembers of jobs between two commits, so that it need not read it again.

It holds exactly as long as nobody else wrote the job's row: PostgreSQL names the transaction that wrote a row
last, and everything that changes a job's state, plan or reports changes its row too. What an acknowledgement
changes beside it, when a stage began, is not remembered here.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.errors import ConflictError, ServiceError
from service.jobs import commit_repository, ending, repository, states
from service.jobs.commit_repository import Locked
from service.jobs.definition import JobDefinition
from service.jobs.states import Head
from service.models import Job, Report

_MOST_REMEMBERED = 4096  # jobs; one of 22 domains takes some 20 KiB
_MOST_WEIGHTS = 64  # versions of a job: reports name the one in force


@dataclass(frozen=True, eq=False)
class Standing:
    """A job as it is between two commits.

    Args:
        id: of the job.
        name: of the job.
        attempt: the open one.
        written: the transaction that wrote its row last.
        definition: what steers it in this attempt.
        head: where its fold stands.
        waiting: reports that wait for other sources, as columns.
        last_steps: the last step that each source has reported in this attempt.
        weights: weights of schedule versions, the newest last.
        ended: why it takes nothing more, if it was ended.
        epoch: how often the database was restored to an earlier point.
    """

    id: UUID
    name: str
    attempt: int
    written: int
    definition: JobDefinition
    head: Head
    waiting: Sequence[Mapping[str, Any]]
    last_steps: Mapping[str, int]
    weights: Mapping[int, Sequence[float]]
    ended: ConflictError | None
    epoch: int


class Standings:
    """The jobs that one committer remembers; it is used by one thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Standing] = OrderedDict()

    def of(self, session: Session, locked: Sequence[Locked]) -> dict[UUID, Standing | Exception]:
        """Locked jobs as they stand; for one that this code cannot steer, the reason."""
        found: dict[UUID, Standing | Exception] = {}
        changed: dict[UUID, int] = {}
        for row in locked:
            known = self._known.get(row.id)
            if known is not None and known.written == row.written:
                found[row.id] = known
            else:
                changed[row.id] = row.written
        if changed:
            found |= self._read(session, changed)
        return found

    def keep(self, standings: Iterable[Standing]) -> None:
        """Remember jobs as they stand after a commit."""
        for standing in standings:
            self._known[standing.id] = standing
            self._known.move_to_end(standing.id)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def _read(self, session: Session, written: Mapping[UUID, int]) -> dict[UUID, Standing | Exception]:
        jobs = commit_repository.jobs(session, written)
        last = repository.last_active(session, list(written))
        waiting: dict[UUID, list[Mapping[str, Any]]] = {job.id: [] for job in jobs}
        for report in repository.waiting_reports(session, [(job.id, job.attempt) for job in jobs]):
            waiting[report.job_id].append(as_columns(report))
        found: dict[UUID, Standing | Exception] = {}
        definitions: dict[UUID, JobDefinition] = {}
        for job in jobs:
            try:
                definitions[job.id] = self._definition(job)
            except (ServiceError, MixlawsError) as error:
                found[job.id] = error
        asked = [
            (job.id, job.attempt, source)
            for job in jobs
            if job.id in definitions
            for source in definitions[job.id].sources
        ]
        last_steps = commit_repository.last_steps(session, asked)
        for job in jobs:
            if job.id not in definitions:
                continue
            try:
                head = states.head(session, job, definitions[job.id], last[job.id].effective_step)
            except Exception as error:  # noqa: BLE001 - a state that cannot be read must not stop other jobs
                found[job.id] = error
                continue
            found[job.id] = Standing(
                job.id, job.name, job.attempt, written[job.id], definitions[job.id], head, waiting[job.id],
                last_steps.get(job.id, {}), {}, ending.refusal(job), job.epoch,
            )  # fmt: skip
        return found

    def _definition(self, job: Job) -> JobDefinition:
        """What steers a job; it changes with its attempts alone."""
        known = self._known.get(job.id)
        if known is not None and known.attempt == job.attempt:
            return known.definition
        return JobDefinition.stored(job.definition)


def newest(weights: Mapping[int, Sequence[float]]) -> dict[int, Sequence[float]]:
    """The newest versions of those that are known."""
    if len(weights) <= _MOST_WEIGHTS:
        return dict(weights)
    return {version: weights[version] for version in sorted(weights)[-_MOST_WEIGHTS:]}


def as_columns(row: Report) -> dict[str, Any]:
    """A stored report by its columns."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}
