"""Requests whose transaction changed nothing are served again from their beginning, body and all.

This is the one place for all endpoints: the session of a request cannot run the endpoint again, so it raises
`TryAgainError`, which no handler takes, and the request is played once more before anybody is answered.
"""

import asyncio
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.transactions import Tries, TryAgainError

TRIES = "mixwright.tries"  # of the request, in its scope


class Repeating:
    """The middleware.

    Args:
        app: what may ask to be run again.
        files: paths of routes that take files, which nobody keeps in memory to play them again.
    """

    def __init__(self, app: ASGIApp, *, files: Collection[str] = ()) -> None:
        self._app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and again while it asks for that."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._files:
            scope[TRIES] = Tries(conflicts=0, losses=0)
            await self._app(scope, receive, send)
            return
        scope[TRIES] = Tries()
        told: list[Message] = []
        while True:
            try:
                await self._app(scope, _played(told, receive), send)
            except TryAgainError as error:
                await asyncio.sleep(error.pause_seconds)
            else:
                return


def _played(told: list[Message], receive: Receive) -> Receive:
    """What was received so far, from the beginning, and then what is still to come."""
    place = 0

    async def played() -> Message:
        nonlocal place
        if place == len(told):
            told.append(await receive())
        place += 1
        return told[place - 1]

    return played
