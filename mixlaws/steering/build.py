"""Name of the code that computes versions: on the same build a replay is the same to the last bit."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

import mixlaws


@cache
def build() -> str:
    """Digest of this package's sources, and the version of NumPy."""
    folder = Path(mixlaws.__file__).parent
    read = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        read.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{read.hexdigest()[:12]}-numpy{np.__version__}"
