"""Queries for the curves of a job: many rows, and of each only what is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from service.models import Job, Report, ScheduleStage

MOST_STAGES = 4000  # that are read of a job; of more, every n-th
_NEWEST_STAGES = 500  # of these none is left out

# As bytes and not as a row for each: of 100,000 reports that takes a fifth of the time. Reports of attempts
# before a domain was added are narrower, so that each width is a stretch of its own.
_REPORTS = """
    SELECT cardinality(loss_sums) AS width,
           string_agg(int8send(applied_seq) || int8send(step_to), '' ORDER BY applied_seq, source) AS places,
           string_agg(array_send(array_replace(loss_sums, NULL, 'NaN')), '' ORDER BY applied_seq, source)
               AS loss_sums,
           string_agg(array_send(token_counts), '' ORDER BY applied_seq, source) AS token_counts
    FROM reports
    WHERE job_id = %(job)s AND applied_seq > %(after)s AND applied_seq <= %(up_to)s AND NOT taken_back
    GROUP BY width ORDER BY min(applied_seq)
"""


@dataclass(frozen=True)
class Stretch:
    """Applied reports that cover equally many domains, in the order of the fold.

    Args:
        width: number of domains.
        places: of each report its place in the fold and its last step, two integers of 8 bytes.
        loss_sums: of each report an array as PostgreSQL sends it: NaN where there is no number.
        token_counts: the same of the tokens.
    """

    width: int
    places: bytes
    loss_sums: bytes
    token_counts: bytes


def reports(session: Session, job_id: UUID, *, after_seq: int, to_seq: int) -> list[Stretch]:
    """Reports of a stretch of the fold that still count."""
    told = {"job": job_id, "after": after_seq, "up_to": to_seq}
    # Sent as the bytes that they are: as text they would be twice as long.
    connection: Any = session.connection().connection.driver_connection
    return [Stretch(*row) for row in connection.execute(_REPORTS, told, binary=True)]


def stages(session: Session, job: Job) -> Sequence[Row[int, int, list[float], str]]:
    """Version, first step, weights and reason of the stages in the plan; of very many, every n-th."""
    stage = ScheduleStage
    query = select(stage.version, stage.effective_step, stage.weights, stage.reason).where(
        stage.job_id == job.id,
        stage.too_late.is_(False),
        stage.superseded.is_(False),
        stage.taken_back.is_(False),
    )
    if job.version > MOST_STAGES:
        every = -(-job.version // (MOST_STAGES - _NEWEST_STAGES))
        newest = stage.version > job.version - _NEWEST_STAGES
        query = query.where((stage.version % every == 1) | newest)
    return session.execute(query.order_by(stage.effective_step)).all()


def last_reports(session: Session, job: Job, limit: int) -> Sequence[Row[datetime, int]]:
    """When the newest applied reports came, and their last steps; newest first."""
    query = select(Report.received_at, Report.step_to).where(
        Report.job_id == job.id,
        Report.applied_seq.is_not(None),
        Report.attempt == job.attempt,
        Report.taken_back.is_(False),
    )
    return session.execute(query.order_by(Report.applied_seq.desc()).limit(limit)).all()
