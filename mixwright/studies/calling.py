"""Calls about studies, and the question that comes before a deletion."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from mixwright.offline.options import Service
from mixwright.problems import CommandError

if TYPE_CHECKING:
    from mixclient import ServiceClient

StudyName = Annotated[str, typer.Argument(help="Name of the study.", metavar="STUDY")]


@contextmanager
def connected(service: Service) -> Iterator["ServiceClient"]:
    """A connection for as long as a command needs it."""
    from mixclient import ServiceClient  # noqa: PLC0415
    from mixwright.handshake import admin_key, require_address  # noqa: PLC0415

    require_address(service.url)
    with ServiceClient(service.url, service.key or admin_key(service.url)) as client:
        yield client


def confirmed(what: str, name: str, confirm: str | None) -> str:
    """The name as it was typed once more, in the command or now.

    Raises:
        CommandError: it is another one.
    """
    typed: str = (
        typer.prompt(f"Nothing brings {what} {name} back. Its name once more") if confirm is None else confirm
    )
    if typed != name:
        raise CommandError(f"{typed!r} is not {name!r}: nothing was deleted")
    return typed
