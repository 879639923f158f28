"""Arrays in a dump as base64: as decimal numbers, many would exceed the 64 KB of a state."""

import base64

import numpy as np

from mixlaws.arrays import FloatArray, frozen


def packed(array: FloatArray, kind: str) -> str:
    """The numbers of an array as text.

    Args:
        array: of any shape.
        kind: "<f8" for double precision, "<f4" for single.
    """
    return base64.b64encode(array.astype(kind).tobytes()).decode()


def unpacked(text: str, kind: str) -> FloatArray:
    """The numbers of `packed`, as one row."""
    return frozen(np.frombuffer(base64.b64decode(text), kind))
