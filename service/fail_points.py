"""Places in the code where a test can have this process killed, as a machine might lose its power there.

    MIXWRIGHT_FAIL_POINTS=before_commit:kill,in_migration:kill

Off unless the variable names a place, and no process that serves or migrates starts with it outside a test.
"""

import os
import signal

VARIABLE = "MIXWRIGHT_FAIL_POINTS"
PLACES = frozenset(
    {
        "before_commit",  # of a request that writes
        "after_commit",  # of such a request, before its answer
        "inside_group_commit",  # reports are written, heads of jobs are not
        "before_group_commit",
        "after_group_commit",  # before anybody is answered
        "in_migration",  # a first revision is made, others are not, and nothing is committed
    }
)
_UNDER_TEST = "PYTEST_CURRENT_TEST"  # pytest sets it, and children inherit it


class FailPointsError(Exception):
    """Fail points are set where they must not be, or name no place."""


def check() -> None:
    """Refuse fail points outside tests, and misspelt ones.

    Raises:
        FailPointsError: the variable is set, and this is no test, or a name in it is unknown.
    """
    armed = _armed()
    if armed and _UNDER_TEST not in os.environ:
        raise FailPointsError(f"{VARIABLE} is set, which kills this process: it is for tests, so unset it")
    unknown = sorted(armed - {f"{place}:kill" for place in PLACES})
    if unknown:
        raise FailPointsError(f"{VARIABLE} names {', '.join(unknown)}: write one of {sorted(PLACES)}:kill")


def reach(place: str) -> None:
    """Die here if a test asks for it."""
    if VARIABLE in os.environ and f"{place}:kill" in _armed():
        os.kill(os.getpid(), signal.SIGKILL)


def _armed() -> set[str]:
    return {name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()}
