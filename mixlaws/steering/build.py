"""Name of what computes versions: on the same build a replay is the same to the last bit.

Code alone does not make it so. NumPy computes exp, log and powers with what the processor offers: with and
without AVX-512 they differ in their last bits, and so may libraries of mathematics.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

import mixlaws

_POINTS = 1001  # of a probe: of a thousand results some differ wherever two ways to compute do


@cache
def build(*further: Path) -> str:
    """Digest of sources and weights of this package, the version of NumPy, and a digest of what that gives.

    Args:
        further: sources of others that versions depend on.
    """
    folder = Path(mixlaws.__file__).parent
    read = hashlib.sha256()
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.json")]):
        read.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    for path in further:
        read.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{read.hexdigest()[:12]}-numpy{np.__version__}-{_arithmetic()}"


def _arithmetic() -> str:
    """Digest of elementary functions, of a sum and of a product, on fixed points."""
    at = np.linspace(0.01, 20.0, _POINTS)
    results = (np.exp(-at), np.log(at), at**0.3, np.sqrt(at), at.sum(), at @ np.log(at))
    return hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in results)).hexdigest()[:6]
