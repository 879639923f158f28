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

# As bytes and not as a row for each: of 100,000 reports that takes a tenth of the time. By blocks of places,
# found by their index: to group them all would be to sort them. Reports of attempts before a domain was added
# are narrower, so that each width is a block of its own.
_PLACES = 2048
_REPORTS = """
    SELECT width, told
    FROM generate_series(%(after)s::bigint, %(up_to)s::bigint, %(places)s::bigint) AS block, LATERAL (
      SELECT cardinality(loss_sums) AS width,
             string_agg(int8send(applied_seq) || int8send(step_to)
                        || array_send(array_replace(loss_sums, NULL, 'NaN')) || array_send(token_counts), ''
             ) AS told
      FROM reports
      WHERE job_id = %(job)s AND applied_seq > block AND applied_seq <= least(block + %(places)s, %(up_to)s)
        AND NOT taken_back
      GROUP BY width
    ) AS of_block ORDER BY block
"""


@dataclass(frozen=True)
class Block:
    """Reports of some places of the fold that cover equally many domains, in no order.

    Args:
        width: number of domains.
        told: of each report its place and its last step, two integers of 8 bytes, then summed losses, NaN
            where there is no number, and tokens, two arrays as PostgreSQL sends them.
    """

    width: int
    told: bytes


def reports(session: Session, job_id: UUID, *, after_seq: int, to_seq: int) -> list[Block]:
    """Reports of a stretch of the fold that still count; equally wide ones of one place are in one block."""
    told = {"job": job_id, "after": after_seq, "up_to": to_seq, "places": _PLACES}
    # Sent as the bytes that they are: as text they would be twice as long.
    connection: Any = session.connection().connection.driver_connection
    return [Block(*row) for row in connection.execute(_REPORTS, told, binary=True)]


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
