"""Requests that can be repeated: the same Idempotency-Key is carried out once and answered alike.

The answer is stored in the transaction that does the work: both are there or neither is, wherever a process
dies. Requests with one key wait for each other. A refusal is not stored: it changed nothing, and is decided
anew. Keys belong to the API key or browser session that sends them, for a day.
"""

import contextlib
import hashlib
import json
from typing import Annotated

from fastapi import Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from service import idempotency_repository as repository
from service.db import SessionDep, undone
from service.errors import ConflictError, InvalidRequestError
from service.schemas import Answer
from service.scopes import Principal

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotent-Replayed": "true"}
_TOLD = ("location",)  # headers that are a part of the answer

Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="A name of your choice for this request, such as a UUID. The same request under it is "
        "carried out once: within 24 hours it is answered as before, with `Idempotent-Replayed: true`. "
        "Another request under it answers 422.",
    ),
]


class ReplayError(Exception):
    """Not an error to whoever called: the request was answered before, and this is the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


async def begin(request: Request, session: SessionDep, key: Key = None) -> None:
    """Stop a request that was answered before, at the start of the transaction that would do its work.

    Raises:
        ReplayError: it was answered before.
        InvalidRequestError: another request was answered under its key.
        ConflictError: the answer told a secret, which is not stored.
    """
    if key is None:
        return
    request.state.fingerprint = _fingerprint(request, await request.body())
    await run_in_threadpool(_replay, request, session, key)
    request.state.kept_in = session


def keeps(request: Request) -> bool:
    """Whether a request was begun whose answer is to be stored."""
    return hasattr(request.state, "kept_in")


def keep(request: Request, response: Response, model: object) -> None:
    """Store the answer of a request that did its work, in the transaction that did it.

    Args:
        request: that was begun.
        response: what is about to be sent.
        model: of its body.
    """
    session: Session = request.state.kept_in
    if undone(session) or not response.body:  # nothing was made
        return
    caller: Principal = request.scope["principal"]
    secret = model.told_once if isinstance(model, type) and issubclass(model, Answer) else frozenset()
    body = bytes(response.body)
    if secret:
        body = json.dumps({k: v for k, v in json.loads(body).items() if k not in secret}).encode()
    repository.keep(
        session,
        {
            "owner_id": caller.id,
            "idempotency_key": request.headers[HEADER],
            "project_id": caller.project_id,
            "fingerprint": request.state.fingerprint,
            "status": response.status_code,
            "headers": {name: response.headers[name] for name in _TOLD if name in response.headers},
            "body": body,
            "without_secret": bool(secret),
        },
    )


def _replay(request: Request, session: Session, key: str) -> None:
    caller: Principal = request.scope["principal"]
    kept = repository.locked(session, caller.id, key)
    if kept is None:
        return
    if kept.fingerprint != request.state.fingerprint:
        raise InvalidRequestError(
            f"{HEADER} {key!r} was used for another request: send each request under a key of its own",
            code="idempotency_key_reused",
        )
    if kept.without_secret:
        raise ConflictError(
            "this was done before, and the secret that was told then is not stored: if it did not reach you, "
            f"revoke what was made and ask again under another {HEADER}",
            code="secret_told_once",
            extra={"made": json.loads(kept.body)},
        )
    headers = {**kept.headers, **REPLAYED}
    raise ReplayError(Response(kept.body, kept.status, headers, media_type="application/json"))


def _fingerprint(request: Request, body: bytes) -> bytes:
    """Digest of what is asked for; JSON that means the same has the same."""
    with contextlib.suppress(ValueError, RecursionError):  # what is no JSON will be refused
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(asked + body).digest()
