"""Identifiers that sort by time of creation."""

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def new_id() -> uuid.UUID:
    """A UUID version 7 (RFC 9562), later than every one that this process made before.

    48 bits of milliseconds, 12 bits of their fraction (method 3 of section 6.2), then random bits.
    """
    global _last  # noqa: PLW0603 - the clock's last reading is this module's whole state
    with _lock:
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        tick = _last
    raw = bytearray((tick >> 12).to_bytes(6, "big") + (tick & 0xFFF).to_bytes(2, "big") + os.urandom(8))
    raw[6] |= 0x70
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return uuid.UUID(bytes=bytes(raw))
