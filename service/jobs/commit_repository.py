"""Queries of the group commit: a few statements for any number of jobs and reports.

Rows go to the database as one JSON document a statement: a fifth of the cost of a statement a row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Text, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from service.jobs.repository import CHANNEL
from service.models import Job


class Locked(NamedTuple):
    """A locked job: who it is, and the transaction that wrote its row last."""

    id: UUID
    project_id: UUID
    name: str
    written: int


_LOCK = text(
    "SELECT id, project_id, name, xmin::text::bigint AS written FROM jobs "
    "WHERE (project_id, name) IN (SELECT * FROM unnest(:projects, :names)) ORDER BY id FOR UPDATE"
).bindparams(bindparam("projects", type_=ARRAY(Uuid)), bindparam("names", type_=ARRAY(Text)))
# For each source one look at the end of the primary key.
_LAST_STEPS = text(
    "SELECT asked.job_id, asked.source, "
    "(SELECT max(step_to) FROM reports AS r WHERE r.job_id = asked.job_id AND r.attempt = asked.attempt "
    "AND r.source = asked.source) AS step "
    "FROM json_to_recordset(:rows) AS asked(job_id uuid, attempt int, source text)"
)
_REPORT = (
    "job_id", "attempt", "source", "step_to", "step_from", "schedule_version", "loss_sums", "token_counts",
    "non_finite", "signals", "applied_seq", "late", "taken_back",
)  # fmt: skip
_STAGE = (
    "job_id", "version", "attempt", "effective_step", "weights", "reason", "applied_seq", "published_from",
    "build",
)  # fmt: skip


_PLACE = text(
    "UPDATE reports AS r SET applied_seq = placed.seq "
    "FROM json_to_recordset(:rows) "
    "AS placed(job_id uuid, attempt int, source text, step_to bigint, seq bigint) "
    "WHERE (r.job_id, r.attempt, r.source, r.step_to) "
    "= (placed.job_id, placed.attempt, placed.source, placed.step_to)"
)
# One statement for all: each costs a trip to the database, which a lone reporter waits for.
_WRITE = text(
    f"WITH new_reports AS (INSERT INTO reports ({', '.join(_REPORT)}) "  # noqa: S608 - our own columns
    f"SELECT {', '.join(_REPORT)} FROM json_populate_recordset(null::reports, :reports)), "
    f"new_stages AS (INSERT INTO schedule_stages ({', '.join(_STAGE)}, too_late, superseded, taken_back) "
    f"SELECT {', '.join(_STAGE)}, false, false, false "
    "FROM json_populate_recordset(null::schedule_stages, :stages)) "
    "UPDATE jobs AS j SET applied_seq = head.applied_seq, applied_step = head.applied_step, "
    "reported_step = head.reported_step, version = head.version, state = head.state, build = head.build, "
    "reports = j.reports + head.reports, reports_late = j.reports_late + head.late, "
    "duplicates = j.duplicates + head.duplicates, "
    "versions_published = j.versions_published + head.versions, "
    "last_report_at = CASE WHEN head.reported THEN now() ELSE j.last_report_at END "
    "FROM json_to_recordset(:heads) AS head(id uuid, applied_seq bigint, applied_step bigint, "
    "reported_step bigint, version int, state jsonb, build text, reports bigint, late bigint, "
    "duplicates bigint, versions bigint, reported boolean, told boolean) "
    "WHERE j.id = head.id RETURNING j.id, j.xmin::text::bigint, "
    f"CASE WHEN head.told THEN pg_notify('{CHANNEL}', j.id::text) END"
)


def lock(session: Session, wanted: Collection[tuple[UUID, str]]) -> list[Locked]:
    """Lock jobs by project and name in the order of their ids, so that two committers never cross."""
    projects, names = zip(*wanted, strict=True)
    rows = session.execute(_LOCK, {"projects": list(projects), "names": list(names)})
    return [Locked(*row) for row in rows]


def jobs(session: Session, ids: Collection[UUID]) -> list[Job]:
    """Locked jobs, whole."""
    query = select(Job).where(Job.id.in_(ids)).order_by(Job.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def last_steps(session: Session, asked: Iterable[tuple[UUID, int, str]]) -> dict[UUID, dict[str, int]]:
    """The last step that each source of a job's attempt has reported; sources that never did are left out."""
    rows = [{"job_id": job, "attempt": attempt, "source": source} for job, attempt, source in asked]
    found: dict[UUID, dict[str, int]] = {}
    for job_id, source, step in session.execute(_LAST_STEPS, {"rows": _document(rows)}):
        found.setdefault(job_id, {})
        if step is not None:
            found[job_id][source] = step
    return found


def place_reports(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note where reports that had waited came into the fold."""
    if rows:
        session.execute(_PLACE, {"rows": _document(rows)})


def write(
    session: Session,
    heads: Sequence[Mapping[str, Any]],
    *,
    stages: Sequence[Mapping[str, Any]],
    reports: Sequence[Mapping[str, Any]],
) -> dict[UUID, int]:
    """Store new reports and versions, and where their jobs stand now.

    Args:
        session: where it is written.
        heads: one a job; `told` says whether other processes are to hear of it at the commit.
        stages: new versions, of these jobs.
        reports: new reports, of these jobs.

    Returns:
        The transaction that wrote each job.
    """
    rows = {"heads": _document(heads), "stages": _document(stages), "reports": _document(reports)}
    return {row[0]: row[1] for row in session.execute(_WRITE, rows)}


def _document(rows: Sequence[Mapping[str, Any]]) -> str:
    # A number that is none becomes a word that the database refuses, and its statement fails.
    return to_json(rows, inf_nan_mode="constants").decode()
