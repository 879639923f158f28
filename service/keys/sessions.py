"""Browser sessions: opened by a key or a one-time link, ended by logging out, by time, or with their key."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import UnauthorisedError
from service.keys import repository
from service.keys.secrets import digest, new_token
from service.keys.service import DEFAULT_PROJECT, principal_of_key, seconds_until
from service.models import BrowserSession
from service.projects import service as projects
from service.scopes import PROJECT_SCOPES, Principal

LONGEST = timedelta(days=14)
IDLE = timedelta(hours=24)  # a page that is open asks often: this is a browser that was closed
LINK = timedelta(minutes=60)
BY_LINK = "dashboard"


def principal_of_session(session: Session, token: str) -> Principal | None:
    """Who holds this session cookie; None if nobody does."""
    found = repository.session_by_digest(session, digest(token), idle=IDLE)
    if found is None:
        return None
    row, key_name, key_end = found
    return Principal(
        row.project_id,
        frozenset(row.scopes),
        BY_LINK if key_name is None else f"{BY_LINK}, key {key_name}",
        key_id=row.key_id,
        session_id=row.id,
        seconds_left=seconds_until(session, min(row.expires_at, key_end or row.expires_at)),
    )


def create_link(session: Session, *, project: str = DEFAULT_PROJECT) -> str:
    """Token of a link that logs a browser in once."""
    project_id = projects.called(session, project).id
    return _remember(session, project_id, PROJECT_SCOPES, LINK, one_time=True)


def log_in(session: Session, *, key: str | None = None, link: str | None = None) -> tuple[str, Principal]:
    """Token of a new browser session, for a key or a one-time link, and who logs in.

    Raises:
        UnauthorisedError: neither is good.
    """
    if link is not None:
        used = repository.take_link(session, digest(link))
        if used is None:
            raise UnauthorisedError("this link was used or has expired: log in with a key")
        who = Principal(used.project_id, frozenset(used.scopes), "one-time link")
    else:
        found = principal_of_key(session, key or "")
        if found is None:
            raise UnauthorisedError("this is not a valid key")
        who = found
    return _remember(session, who.project_id, who.scopes, LONGEST, key_id=who.key_id), who


def log_out(session: Session, token: str) -> None:
    """End a browser session."""
    repository.end_session(session, digest(token))


def _remember(
    session: Session,
    project_id: UUID,
    scopes: Iterable[str],
    lifetime: timedelta,
    *,
    key_id: UUID | None = None,
    one_time: bool = False,
) -> str:
    token = new_token()
    session.add(
        BrowserSession(
            project_id=project_id,
            token_digest=token.digest,
            scopes=sorted(scopes),
            one_time=one_time,
            expires_at=now(session) + lifetime,
            key_id=key_id,
        )
    )
    return token.text
