"""Keys: making, replacing and revoking them, and telling who shows one."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.keys import repository
from service.keys.secrets import Secret, new_key, parse_key, same
from service.limits import quotas
from service.models import ApiKey
from service.projects import service as projects
from service.scopes import EVERY_SCOPE, Principal, Scope

DEFAULT_PROJECT = "default"


def create_key(
    session: Session,
    *,
    name: str,
    scopes: Iterable[str],
    project: str = DEFAULT_PROJECT,
    days: int | None = None,
) -> tuple[ApiKey, Secret]:
    """Make a key of a named project, which is made if it is new.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
    """
    project_id = projects.called(session, project).id
    return create_key_in(session, project_id, name=name, scopes=scopes, days=days)


def create_key_in(
    session: Session,
    project_id: UUID,
    *,
    name: str,
    scopes: Iterable[str],
    days: int | None = None,
) -> tuple[ApiKey, Secret]:
    """Make a key of a project. The secret is known to the caller alone.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
        QuotaError: the project has as many keys as it may.
    """
    return _checked(session, project_id, name, scopes, days=days)


def add_key(session: Session, secret: Secret, *, project: str, name: str, scopes: Iterable[str]) -> None:
    """Store a key that was made elsewhere, of a named project, which is made if it is new.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
    """
    _checked(session, projects.called(session, project).id, name, scopes, secret=secret)


def _checked(
    session: Session,
    project_id: UUID,
    name: str,
    scopes: Iterable[str],
    *,
    days: int | None = None,
    secret: Secret | None = None,
) -> tuple[ApiKey, Secret]:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in set(Scope)]
    if unknown or not wanted:
        known = ", ".join(EVERY_SCOPE)
        raise InvalidRequestError(f"scopes {unknown or 'none'}: choose from {known}")
    expires_at = now(session) + timedelta(days=days) if days else None
    made = _stored(session, project_id, name, wanted, expires_at, secret=secret)
    quotas.check_count(session, project_id, "keys")
    return made


def rotate_key(
    session: Session, key: ApiKey, *, overlap_seconds: int, days: int | None = None
) -> tuple[ApiKey, Secret]:
    """Replace a locked key by a new one of the same name and scopes; the old one works on for a while.

    Args:
        session: where both are stored.
        key: the old one.
        overlap_seconds: how long it still works; it never works longer than it would have.
        days: days until the new one expires; None gives it the lifetime that the old one had from its start.

    Raises:
        ConflictError: the key is revoked, has expired, or was replaced before.
    """
    moment = now(session)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= moment):
        raise ConflictError(f"key {key.id} works no longer: make a new one", code="key_ended")
    later = repository.successor(session, key.id)
    if later is not None:
        raise ConflictError(f"key {key.id} was replaced by {later}: rotate that one", code="key_replaced")
    lifetime = timedelta(days=days) if days else key.expires_at and key.expires_at - key.created_at
    fresh = _stored(
        session, key.project_id, key.name, key.scopes, moment + lifetime if lifetime else None, key.id
    )
    end = moment + timedelta(seconds=overlap_seconds)
    key.expires_at = min(key.expires_at or end, end)
    session.flush()
    return fresh


def own_key(session: Session, project_id: UUID, key_id: UUID) -> ApiKey:
    """A key of a project, locked.

    Raises:
        NotFoundError: the project has no such key.
    """
    key = repository.key_of(session, project_id, key_id)
    if key is None:
        raise NotFoundError(f"no key {key_id}: list the keys to find its id")
    return key


def revoke_key(session: Session, project_id: UUID, key_id: UUID) -> tuple[ApiKey, bool]:
    """Revoke a key; revoking twice is the same as once, and False then.

    Raises:
        NotFoundError: the project has no such key.
    """
    key = own_key(session, project_id, key_id)
    if key.revoked_at is not None:
        return key, False
    key.revoked_at = now(session)
    session.flush()
    return key, True


def principal_of_key(session: Session, text: str) -> Principal | None:
    """Who shows this key; None if nobody does."""
    parts = parse_key(text)
    key = repository.key_by_public_part(session, parts.public_part) if parts else None
    if parts is None or key is None or not same(key.secret_digest, parts.digest):
        return None
    return Principal(
        key.project_id,
        frozenset(key.scopes),
        f"key {key.name}",
        key_id=key.id,
        seconds_left=seconds_until(session, key.expires_at),
    )


def seconds_until(session: Session, moment: datetime | None) -> float:
    """Seconds until a moment by the database's clock; infinite for none."""
    return math.inf if moment is None else (moment - now(session)).total_seconds()


def _stored(
    session: Session,
    project_id: UUID,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    replaces_id: UUID | None = None,
    secret: Secret | None = None,
) -> tuple[ApiKey, Secret]:
    secret = secret or new_key()
    key = ApiKey(
        project_id=project_id,
        name=name,
        public_part=secret.public_part,
        secret_digest=secret.digest,
        scopes=scopes,
        expires_at=expires_at,
        replaces_id=replaces_id,
    )
    session.add(key)
    session.flush()
    return key, secret
