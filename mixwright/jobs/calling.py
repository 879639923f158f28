"""Calls about one job."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from mixwright.offline.options import Service
from mixwright.studies.calling import connected

if TYPE_CHECKING:
    from mixclient import ServiceClient

JobName = Annotated[str, typer.Argument(help="Name of the job.", metavar="JOB")]


class JobCalls:
    """The service, as far as one job goes.

    Args:
        client: a connection to the service.
        name: of the job; None for the list of all.
    """

    def __init__(self, client: "ServiceClient", name: str | None) -> None:
        self._client = client
        self._path = "/v1/jobs" if name is None else f"/v1/jobs/{quote(name, safe='')}"

    def get(self, part: str = "", **parameters: Any) -> Any:
        """What the service says of the job, or of a part of it."""
        return self._client.call("GET", self._path + part, parameters=parameters)

    def items(self, part: str = "", **parameters: Any) -> list[dict[str, Any]]:
        """All items of a list of the job, or of the list of all jobs."""
        return self._client.items(self._path + part, **parameters)

    def post(self, part: str, body: dict[str, Any]) -> Any:
        """Give an order."""
        return self._client.call("POST", self._path + part, body=body)

    def delete(self, **parameters: Any) -> None:
        """Delete the job."""
        self._client.call("DELETE", self._path, parameters=parameters)


@contextmanager
def calls(service: Service, name: str | None = None) -> Iterator[JobCalls]:
    """A connection for as long as a command needs it; without a name, to the list of all jobs."""
    with connected(service) as client:
        yield JobCalls(client, name)
