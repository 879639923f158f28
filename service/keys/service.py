"""Keys and sessions: making them, telling who shows them."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.errors import InvalidRequestError, NotFoundError, UnauthorisedError
from service.keys import repository
from service.keys.secrets import Secret, digest, new_key, new_token, parse_key, same
from service.models import ApiKey, BrowserSession, Project
from service.scopes import EVERY_SCOPE, Principal, Scope

DEFAULT_PROJECT = "default"
SESSION_DAYS = 14
LINK_MINUTES = 60


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
    project_id = _project(session, project).id
    return create_key_in(session, project_id, name=name, scopes=scopes, days=days)


def create_key_in(
    session: Session, project_id: UUID, *, name: str, scopes: Iterable[str], days: int | None = None
) -> tuple[ApiKey, Secret]:
    """Make a key of a project. The secret is known to the caller alone.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
    """
    secret = new_key()
    return _store(session, secret, project_id, name=name, scopes=scopes, days=days), secret


def add_key(session: Session, secret: Secret, *, project: str, name: str, scopes: Iterable[str]) -> None:
    """Store a key that was made elsewhere, of a named project, which is made if it is new.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
    """
    _store(session, secret, _project(session, project).id, name=name, scopes=scopes, days=None)


def _store(
    session: Session,
    secret: Secret,
    project_id: UUID,
    *,
    name: str,
    scopes: Iterable[str],
    days: int | None,
) -> ApiKey:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in set(Scope)]
    if unknown or not wanted:
        known = ", ".join(EVERY_SCOPE)
        raise InvalidRequestError(f"scopes {unknown or 'none'}: choose from {known}")
    key = ApiKey(
        project_id=project_id,
        name=name,
        public_part=secret.public_part,
        secret_digest=secret.digest,
        scopes=wanted,
        expires_at=repository.now(session) + timedelta(days=days) if days else None,
    )
    session.add(key)
    session.flush()
    return key


def revoke_key(session: Session, project_id: UUID, key_id: UUID) -> None:
    """Revoke a key; revoking twice is the same as once.

    Raises:
        NotFoundError: the project has no such key.
    """
    if not repository.revoke(session, project_id, key_id):
        raise NotFoundError(f"no key {key_id}: list the keys to find its id")


def principal_of_key(session: Session, text: str) -> Principal | None:
    """Who shows this key; None if nobody does."""
    parts = parse_key(text)
    key = repository.key_by_public_part(session, parts.public_part) if parts else None
    if parts is None or key is None or not same(key.secret_digest, parts.digest):
        return None
    return Principal(key.project_id, frozenset(key.scopes), f"key {key.name}")


def principal_of_session(session: Session, token: str) -> Principal | None:
    """Who holds this session cookie; None if nobody does."""
    found = repository.session_by_digest(session, digest(token), one_time=False)
    return Principal(found.project_id, frozenset(found.scopes), "dashboard") if found else None


def create_link(session: Session, *, project: str = DEFAULT_PROJECT) -> str:
    """Token of a link that logs a browser in once."""
    return _remember(
        session, _project(session, project).id, EVERY_SCOPE, timedelta(minutes=LINK_MINUTES), once=True
    )


def log_in(session: Session, *, key: str | None = None, link: str | None = None) -> str:
    """Token of a new browser session, for a key or a one-time link.

    Raises:
        UnauthorisedError: neither is good.
    """
    if link is not None:
        used = repository.take_link(session, digest(link))
        if used is None:
            raise UnauthorisedError("this link was used or has expired: log in with a key")
        project_id, scopes = used.project_id, used.scopes
    else:
        principal = principal_of_key(session, key or "")
        if principal is None:
            raise UnauthorisedError("this is not a valid key")
        project_id, scopes = principal.project_id, sorted(principal.scopes)
    return _remember(session, project_id, scopes, timedelta(days=SESSION_DAYS), once=False)


def log_out(session: Session, token: str) -> None:
    """End a browser session."""
    repository.end_session(session, digest(token))


def _project(session: Session, name: str) -> Project:
    project = repository.project_named(session, name)
    if project is None:
        project = Project(name=name)
        session.add(project)
        session.flush()
    return project


def _remember(
    session: Session, project_id: UUID, scopes: Iterable[str], lifetime: timedelta, *, once: bool
) -> str:
    token = new_token()
    session.add(
        BrowserSession(
            project_id=project_id,
            token_digest=token.digest,
            scopes=sorted(scopes),
            one_time=once,
            expires_at=repository.now(session) + lifetime,
        )
    )
    return token.text
