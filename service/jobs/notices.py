"""What the board holds of a job: its schedule, encoded once for all who ask."""

from dataclasses import dataclass, field
from uuid import UUID

from service.stored_answers import JSON, StoredAnswer

_NO_CACHE = (b"cache-control", b"no-cache")


@dataclass(eq=False)
class Entry:
    """A schedule as it is sent.

    Args:
        job_id: the job.
        etag: its strong validator.
        body: the document.
        read_at: when it was read or last found unchanged, on the monotonic clock.
        mark: attempt and version of the job when it was read.
    """

    job_id: UUID
    etag: str
    body: bytes
    read_at: float
    mark: tuple[int, int]
    replaced: bool = False  # whether it is known that there is another
    asked_at: float = field(init=False)
    full: StoredAnswer = field(init=False)
    unchanged: StoredAnswer = field(init=False)
    event: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.asked_at = self.read_at
        tag = (b"etag", self.etag.encode())
        self.full = StoredAnswer(200, [tag, _NO_CACHE, JSON], self.body)
        self.unchanged = StoredAnswer(304, [tag, _NO_CACHE])
        self.event = b"id: %s\nevent: schedule\ndata: %s\n\n" % (tag[1], self.body)
