"""The header `Prefer: wait=25` (RFC 7240): how long an answer may be held back for something new."""

import re
from typing import Annotated

from fastapi import Header

LONGEST_WAIT = 55.0  # seconds; proxies commonly cut idle answers at 60
_WAIT = re.compile(r"\bwait=(\d{1,4})\b")


def wait_seconds(prefer: str | None) -> float:
    """Seconds that a caller is ready to wait; 0 if it did not say so."""
    match = _WAIT.search(prefer or "")
    return min(float(match[1]), LONGEST_WAIT) if match else 0.0


PreferEnd = Annotated[
    str | None, Header(description="`wait=25` holds the answer for up to 25 seconds until it has ended.")
]
