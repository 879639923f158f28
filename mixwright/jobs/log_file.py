"""A job's log as one document: fetched page by page, and read without the service."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mixlaws.steering.events import Event, EventKind
from mixwright.problems import CommandError
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry, Measured
from service.jobs.order_schemas import LogEntry, LogOut
from service.jobs.replaying import BACK
from service.jobs.schemas import JobIn

if TYPE_CHECKING:
    from mixclient import ServiceClient

SCHEMA = "mixwright-job-log/v1"
_PAGE = 1000  # places of the log in one answer
_MOST_TOLD = 300  # characters of what is wrong with a document


@dataclass(frozen=True, eq=False)
class JobLog:
    """The log of a job, whole.

    Args:
        job: name of the job.
        bodies: the job in each of its attempts.
        entries: by place, with the versions that were published there.
    """

    job: str
    bodies: Mapping[int, JobIn]
    entries: tuple[LogEntry, ...]

    @cached_property
    def definitions(self) -> dict[int, JobDefinition]:
        """What steered the job in each of its attempts."""
        return {number: JobDefinition.of(body) for number, body in self.bodies.items()}

    @cached_property
    def folded(self) -> list[Entry]:
        """The entries as the fold takes them."""
        return [
            Entry(
                entry.seq,
                tuple(Measured(**report.model_dump()) for report in entry.reports),
                None if entry.event is None else Event(EventKind(entry.event.kind), entry.event.payload),
                entry.published_from,
            )
            for entry in self.entries
        ]

    @cached_property
    def weights_of(self) -> dict[int, list[float]]:
        """Weights of every version."""
        return {version.version: version.weights for entry in self.entries for version in entry.versions}


def fetched(
    client: "ServiceClient", job: str, told: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """The document of a job's log.

    Args:
        client: connection to the service.
        job: its name.
        told: hears the number of entries so far, after each page.
    """
    entries: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = client.job_log(job, limit=_PAGE, cursor=cursor)
        entries += page["entries"]
        told(len(entries))
        cursor = page.get("next")
        if cursor is None:
            break
    return {"schema": SCHEMA, "job": page["job"], "definitions": page["definitions"], "entries": entries}


def read(path: Path) -> JobLog:
    """The log of a file.

    Raises:
        CommandError: the file cannot be read, or holds no log.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from None
    return parsed(document, str(path))


def parsed(document: Any, place: str) -> JobLog:
    """A document as a log of which nothing is missing.

    Args:
        document: as `fetched` gives it.
        place: where it came from, for messages.

    Raises:
        CommandError: it is no such document, or has gaps.
        InvalidRequestError: this version knows the job's policy no longer, or its parameters.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CommandError(f"{place} is no log of a job ({SCHEMA}): `mixwright job log` writes one")
    try:
        told = LogOut.model_validate({**document, "next": None})
        log = JobLog(told.job, told.definitions, tuple(told.entries))
        _check(log)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CommandError(f"{place}: {where}: {first['msg']}"[:_MOST_TOLD]) from None
    except (ValueError, KeyError) as error:
        raise CommandError(f"{place}: {error}: the log is not whole, export it again") from None
    _ = log.definitions
    return log


def _check(log: JobLog) -> None:
    """Check that everything is there that an entry refers to."""
    places = [entry.seq for entry in log.entries]
    if places[:1] != [0] or log.entries[0].published_from is None:
        raise ValueError("the first publication is missing")
    if places != sorted(set(places)):
        raise ValueError("places do not rise from entry to entry")
    attempts = 1
    for entry in log.folded:
        unknown = {report.schedule_version for report in entry.reports} - log.weights_of.keys()
        if unknown:
            raise ValueError(f"place {entry.seq} names version {min(unknown)}, which is missing")
        if entry.event is None:
            continue
        attempts += entry.event.kind is EventKind.ATTEMPT
        if entry.event.kind in BACK and entry.event.payload["seq"] not in places:
            raise ValueError(f"place {entry.seq} goes back to {entry.event.payload['seq']}, which is missing")
    if len(log.bodies) != attempts:
        raise ValueError(f"there are {attempts} attempts and definitions of {sorted(log.bodies)}")
