"""Names of checkpoints, which are not always numbers."""

import re

_NUMBERED = re.compile(r"(?:.*[^0-9])?([0-9]+)")


def checkpoint_step(name: str, /) -> int | None:
    """Step that a checkpoint's name ends in, as in "2000" or "step-2000".

    Returns:
        The step, or None for a name such as "last": it says nothing of where on the curve it lies, and
        must neither stop a reader nor be taken for a step.
    """
    found = _NUMBERED.fullmatch(name.strip())
    return int(found.group(1)) if found else None
