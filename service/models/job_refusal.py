"""Refusals: what a job's trainers sent and the service did not take, counted by reason."""

import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Moment


class JobRefusal(Base):
    """Requests with reports that were refused for one reason; `detail` and `seq` are of the last one.

    `seq` is the last place in the job's log at that time. One row for each reason, so that a trainer that is
    fenced and goes on for days fills no table.
    """

    __tablename__ = "job_refusals"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[Moment]
