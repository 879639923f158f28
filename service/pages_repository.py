"""Queries for pages."""

from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.listing import Found, Wanted
from service.models import InstallationSecret

P = TypeVar("P")
R = TypeVar("R")


def page(
    session: Session,
    query: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[P],
    wanted: Wanted[P],
    *,
    newest_first: bool = False,
) -> Found[Any, P]:
    """A page of what a query finds, in the order of a column that no two rows share.

    Args:
        session: where it is read.
        query: all rows of the list, without order; rows of several columns begin with the one of `key`.
        key: the column.
        wanted: which page.
        newest_first: whether the column falls.
    """
    total = session.scalar(query.with_only_columns(func.count())) if wanted.total else None
    if wanted.after is not None:
        query = query.where(key < wanted.after if newest_first else key > wanted.after)
    ordered = query.order_by(key.desc() if newest_first else key).limit(wanted.limit + 1)
    rows = session.execute(ordered).all()
    kept = rows[: wanted.limit]
    last = getattr(kept[-1][0], key.key) if len(rows) > wanted.limit else None
    alone = len(query.column_descriptions) == 1
    return Found([row[0] if alone else tuple(row) for row in kept], last, total)


def cursor_key(session: Session) -> bytes:
    """What signs cursors."""
    query = select(InstallationSecret.value).where(InstallationSecret.name == "cursors")
    return session.scalars(query).one()
