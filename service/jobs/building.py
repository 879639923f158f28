"""Name of the code that folds a job: the library, and what makes feedback of reports."""

from functools import cache
from pathlib import Path

from mixlaws.steering import build as library

_FOLD = tuple(
    Path(__file__).with_name(name) for name in ("adding.py", "definition.py", "folding.py", "replaying.py")
)


@cache
def build() -> str:
    """The build that steers jobs here; on the same one a replay is the same to the last bit."""
    return library.build(*_FOLD)
