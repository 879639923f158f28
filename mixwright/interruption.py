"""Being asked to end: SIGTERM unwinds a command as Ctrl-C does, so that what it started ends with it."""

import signal
from types import FrameType


def unwind_when_terminated() -> None:
    """Turn the first SIGTERM of this process into a KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _unwind)


def _unwind(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - how handlers are called
    # Asked again, the command goes on ending in order: cut off, it would leave its database server running.
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise KeyboardInterrupt
