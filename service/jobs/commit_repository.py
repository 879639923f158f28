"""Queries of the group commit: a few statements for any number of jobs and reports.

Rows go to the database as one JSON document a statement: a fifth of the cost of a statement a row.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, TextClause, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

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


def _inserting(table: str, columns: Sequence[str]) -> TextClause:
    named = ", ".join(columns)
    return text(
        f"INSERT INTO {table} ({named}) SELECT {named} "  # noqa: S608 - names of our own columns
        f"FROM json_populate_recordset(null::{table}, :rows)"
    )


_INSERT_REPORTS = _inserting("reports", _REPORT)
_INSERT_STAGES = text(
    f"INSERT INTO schedule_stages ({', '.join(_STAGE)}, too_late, superseded, taken_back) "  # noqa: S608
    f"SELECT {', '.join(_STAGE)}, false, false, false "
    "FROM json_populate_recordset(null::schedule_stages, :rows)"
)
_PLACE = text(
    "UPDATE reports AS r SET applied_seq = placed.seq "
    "FROM json_to_recordset(:rows) "
    "AS placed(job_id uuid, attempt int, source text, step_to bigint, seq bigint) "
    "WHERE (r.job_id, r.attempt, r.source, r.step_to) "
    "= (placed.job_id, placed.attempt, placed.source, placed.step_to)"
)
_UPDATE_HEADS = text(
    "UPDATE jobs AS j SET applied_seq = head.applied_seq, applied_step = head.applied_step, "
    "reported_step = head.reported_step, version = head.version, state = head.state, build = head.build, "
    "reports = j.reports + head.reports, reports_late = j.reports_late + head.late, "
    "duplicates = j.duplicates + head.duplicates, "
    "versions_published = j.versions_published + head.versions, "
    "last_report_at = CASE WHEN head.reported THEN now() ELSE j.last_report_at END "
    "FROM json_to_recordset(:rows) AS head(id uuid, applied_seq bigint, applied_step bigint, "
    "reported_step bigint, version int, state jsonb, build text, reports bigint, late bigint, "
    "duplicates bigint, versions bigint, reported boolean) "
    "WHERE j.id = head.id RETURNING j.id, j.xmin::text::bigint"
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
    rows = [{"job_id": str(job), "attempt": attempt, "source": source} for job, attempt, source in asked]
    found: dict[UUID, dict[str, int]] = {}
    for job_id, source, step in session.execute(_LAST_STEPS, {"rows": json.dumps(rows)}):
        found.setdefault(job_id, {})
        if step is not None:
            found[job_id][source] = step
    return found


def insert_reports(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store new reports."""
    _send(session, _INSERT_REPORTS, rows)


def insert_stages(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store new versions."""
    _send(session, _INSERT_STAGES, rows)


def place_reports(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note where reports that had waited came into the fold."""
    _send(session, _PLACE, rows)


def update_heads(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, int]:
    """Write where jobs stand now; returns the transaction that wrote each."""
    written = session.execute(_UPDATE_HEADS, {"rows": _document(rows)})
    return {row[0]: row[1] for row in written}


def _send(session: Session, statement: TextClause, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(statement, {"rows": _document(rows)})


def _document(rows: Sequence[Mapping[str, Any]]) -> str:
    # Identifiers alone are no JSON.
    return json.dumps(rows, allow_nan=False, default=str, separators=(",", ":"))
