"""ETags of schedules: attempt and version, which a trainer sends back to say what it follows."""

import re

_ETAG = re.compile(r'"(\d{1,9})-(\d{1,9})"')


def etag(attempt: int, version: int) -> str:
    """Strong validator of a schedule."""
    return f'"{attempt}-{version}"'


def numbers(etag: str | None) -> tuple[int, int] | None:
    """Attempt and version of an ETag; None if no schedule can have had it."""
    found = _ETAG.fullmatch(etag or "")
    return None if found is None else (int(found[1]), int(found[2]))


def is_ahead(held: str | None, served: str) -> bool:
    """Whether a trainer's ETag is of a later attempt or version than the one that is served.

    Either may be: after a restore from a backup a job can have more attempts and fewer versions than before.
    """
    if not held or held == served:  # as almost every poll does
        return False
    known, own = numbers(held), numbers(served)
    return known is not None and own is not None and (known[0] > own[0] or known[1] > own[1])
