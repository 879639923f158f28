"""Queries for keys, browser sessions and one-time links."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from service import pages_repository
from service.listing import Found, Wanted
from service.models import ApiKey, BrowserSession, Project

_KEY_ALIVE = and_(
    ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
)
# Any number will do, as long as every version of the service uses the same, and nothing else this one.
_KEY_FILES = 5_190_442_063


def project_named(session: Session, name: str) -> Project | None:
    """The project of a name."""
    return session.scalar(select(Project).where(Project.name == name))


def key_by_public_part(session: Session, public_part: str) -> ApiKey | None:
    """A key that is neither revoked nor expired, by the database's clock."""
    return session.scalar(select(ApiKey).where(ApiKey.public_part == public_part, _KEY_ALIVE))


def key_of(session: Session, project_id: UUID, key_id: UUID) -> ApiKey | None:
    """A key of a project, locked, whatever became of it."""
    query = select(ApiKey).where(ApiKey.project_id == project_id, ApiKey.id == key_id)
    return session.scalar(query.with_for_update())


def successor(session: Session, key_id: UUID) -> UUID | None:
    """The key that replaces another."""
    return session.scalar(select(ApiKey.id).where(ApiKey.replaces_id == key_id))


def is_taken(session: Session, public_part: str) -> bool:
    """Whether there is or was a key with this public part, be it revoked or expired."""
    return session.scalar(select(ApiKey.id).where(ApiKey.public_part == public_part)) is not None


def wait_for_key_files(session: Session) -> None:
    """Let one process at a time look after key files, until the session ends."""
    session.execute(select(func.pg_advisory_xact_lock(_KEY_FILES)))


def keys_of(session: Session, project_id: UUID) -> list[ApiKey]:
    """All keys of a project, oldest first."""
    return list(session.scalars(select(ApiKey).where(ApiKey.project_id == project_id).order_by(ApiKey.id)))


def page(session: Session, project_id: UUID, wanted: Wanted[UUID]) -> Found[ApiKey, UUID]:
    """Keys of a project, oldest first."""
    query = select(ApiKey).where(ApiKey.project_id == project_id)
    return pages_repository.page(session, query, ApiKey.id, wanted)


def session_by_digest(
    session: Session, token_digest: bytes, *, idle: timedelta
) -> tuple[BrowserSession, str | None, datetime | None] | None:
    """A session that has neither expired nor been idle for too long, with the name and end of its key.

    It ends with the key that opened it.
    """
    row = session.execute(
        select(BrowserSession, ApiKey.name, ApiKey.expires_at)
        .outerjoin(ApiKey, ApiKey.id == BrowserSession.key_id)
        .where(BrowserSession.token_digest == token_digest, _session_alive(idle))
    ).first()
    return None if row is None else (row[0], row[1], row[2])


def take_link(session: Session, token_digest: bytes) -> BrowserSession | None:
    """Use up a one-time link: of two browsers that open it at once, one gets it."""
    return session.scalar(
        delete(BrowserSession)
        .where(
            BrowserSession.token_digest == token_digest,
            BrowserSession.one_time.is_(True),
            BrowserSession.expires_at > func.now(),
        )
        .returning(BrowserSession)
    )


def end_session(session: Session, token_digest: bytes) -> None:
    """Forget a session, and all that have expired."""
    gone = or_(BrowserSession.token_digest == token_digest, BrowserSession.expires_at <= func.now())
    session.execute(delete(BrowserSession).where(gone))


def give_scopes(session: Session, key_id: UUID | None, scopes: Collection[str]) -> None:
    """Set what a key may do."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(scopes=sorted(scopes)))


def note_use(session: Session, table: type[ApiKey | BrowserSession], ids: Collection[UUID]) -> None:
    """Note that keys or sessions were used just now."""
    # Whoever holds one of these rows changes it, or notes the same: nobody waits for a note.
    free = select(table.id).where(table.id.in_(ids)).with_for_update(skip_locked=True)
    session.execute(update(table).where(table.id.in_(free)).values(last_used_at=func.clock_timestamp()))


def keys_alive(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of some keys that are neither revoked nor expired."""
    return set(session.scalars(select(ApiKey.id).where(ApiKey.id.in_(ids), _KEY_ALIVE)))


def sessions_alive(session: Session, ids: Collection[UUID], *, idle: timedelta) -> set[UUID]:
    """Those of some browser sessions that still hold."""
    query = select(BrowserSession.id).outerjoin(ApiKey, ApiKey.id == BrowserSession.key_id)
    return set(session.scalars(query.where(BrowserSession.id.in_(ids), _session_alive(idle))))


def _session_alive(idle: timedelta) -> ColumnElement[bool]:
    return and_(
        BrowserSession.one_time.is_(False),
        BrowserSession.expires_at > func.now(),
        BrowserSession.last_used_at > func.now() - idle,
        or_(BrowserSession.key_id.is_(None), _KEY_ALIVE),
    )
