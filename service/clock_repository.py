"""The clock of the database, which all processes share."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def now(session: Session) -> datetime:
    """When this transaction began."""
    moment: datetime = session.scalar(select(func.now()))  # type: ignore[assignment]
    return moment
