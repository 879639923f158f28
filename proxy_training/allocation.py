"""How the C library hands out memory while small models train on a CPU."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEEP = 1 << 30  # bytes


def keep_freed_memory() -> bool:
    """Keep freed memory in the process instead of giving it back; whether the C library understood.

    A step allocates and frees the same megabytes over and over. By default glibc returns them to the system
    each time, and the next step pays for every page anew: measured, that is half the time of a step.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False  # another C library, such as musl
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEEP)) and bool(mallopt(_M_MMAP_THRESHOLD, _KEEP))
