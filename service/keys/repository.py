"""Queries for keys, sessions and projects."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from service.models import ApiKey, BrowserSession, Project

# Any number will do, as long as every version of the service uses the same, and nothing else this one.
_KEY_FILES = 5_190_442_063


def project_named(session: Session, name: str) -> Project | None:
    """The project of a name."""
    return session.scalar(select(Project).where(Project.name == name))


def key_by_public_part(session: Session, public_part: str) -> ApiKey | None:
    """A key that is neither revoked nor expired, by the database's clock."""
    alive = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
    return session.scalar(
        select(ApiKey).where(ApiKey.public_part == public_part, ApiKey.revoked_at.is_(None), alive)
    )


def is_taken(session: Session, public_part: str) -> bool:
    """Whether there is or was a key with this public part, be it revoked or expired."""
    return session.scalar(select(ApiKey.id).where(ApiKey.public_part == public_part)) is not None


def wait_for_key_files(session: Session) -> None:
    """Let one process at a time look after key files, until the session ends."""
    session.execute(select(func.pg_advisory_xact_lock(_KEY_FILES)))


def keys_of(session: Session, project_id: UUID) -> list[ApiKey]:
    """All keys of a project, oldest first."""
    return list(session.scalars(select(ApiKey).where(ApiKey.project_id == project_id).order_by(ApiKey.id)))


def revoke(session: Session, project_id: UUID, key_id: UUID) -> bool:
    """Revoke a key; False if the project has no such key."""
    done = session.execute(
        update(ApiKey)
        .where(ApiKey.project_id == project_id, ApiKey.id == key_id)
        .values(revoked_at=func.coalesce(ApiKey.revoked_at, func.now()))
        .returning(ApiKey.id)
    )
    return done.first() is not None


def session_by_digest(session: Session, token_digest: bytes, *, one_time: bool) -> BrowserSession | None:
    """A session or link that has not expired."""
    return session.scalar(
        select(BrowserSession).where(
            BrowserSession.token_digest == token_digest,
            BrowserSession.one_time.is_(one_time),
            BrowserSession.expires_at > func.now(),
        )
    )


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


def now(session: Session) -> datetime:
    """The database's clock."""
    moment: datetime = session.scalar(select(func.now()))  # type: ignore[assignment]
    return moment
