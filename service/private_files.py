"""Files that hold secrets: for their owner alone, and whole or not there at all."""

import os
import tempfile
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Put a file in its place in one step. Of several processes that do so at once, one text is left, whole.

    Raises:
        OSError: the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Created with its final mode: a file that is readable even for a moment can be read.
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
