"""How far a computation is, from the child to its parent: lines of their own among what the child says."""

import json
import sys
import time

_MARK = "progress of the computation: "
_PAUSE_SECONDS = 0.2  # the parent looks once a second, and keeps all that was said
_LONGEST_STAGE = 200
_last = 0.0


def tell(stage: str, share: float) -> None:
    """Say how far this process is, unless it has just done so."""
    global _last  # noqa: PLW0603 - of the process, as the stream it writes to
    if time.monotonic() - _last >= _PAUSE_SECONDS:
        _last = time.monotonic()
        sys.stderr.write(f"{_MARK}{json.dumps([stage[:_LONGEST_STAGE], min(max(share, 0.0), 1.0)])}\n")
        sys.stderr.flush()


def newest(said: bytes) -> tuple[str, float]:
    """The stage and the share that a child told last; a start without a word before it did."""
    whole = said.decode(errors="replace").rpartition("\n")[0]  # the last line may still be on its way
    for line in reversed(whole.splitlines()):
        if line.startswith(_MARK):
            stage, share = json.loads(line.removeprefix(_MARK))
            return str(stage), float(share)
    return "starting", 0.0


def without(said: bytes) -> list[str]:
    """All else that a child said, line by line."""
    lines = said.decode(errors="replace").strip().splitlines()
    return [line for line in lines if not line.startswith(_MARK)]
