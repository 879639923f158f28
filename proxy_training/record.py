"""Parts of a long measurement, kept as they are done, so that one that is killed goes on where it was.

A folder beside the result holds a JSON file for each part and one with the settings. Files appear whole or
not at all. Parts of other settings are never used.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SETTINGS = "settings.json"


class RecordError(Exception):
    """Parts that are there cannot be used."""


class Record:
    """The parts of one measurement.

    Args:
        folder: where they are; made when it does not exist.
        settings: what the parts depend on, as JSON.

    Raises:
        RecordError: the folder holds parts of other settings.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        wanted = json.loads(json.dumps(settings))
        folder.mkdir(exist_ok=True)
        stored = self._read(_SETTINGS)
        if stored is None:
            write_json(folder / _SETTINGS, wanted)
        elif stored != wanted:
            changed = sorted(name for name in {*stored, *wanted} if stored.get(name) != wanted.get(name))
            raise RecordError(
                f"{folder} holds parts of a measurement with other {', '.join(changed)}: remove the folder, "
                "or measure as before"
            )

    def recall(self, part: str) -> Any | None:
        """What was kept of a part; None if it is still to be done."""
        return self._read(f"{part}.json")

    def keep(self, part: str, value: Any) -> None:
        """Keep what a part gave."""
        write_json(self._folder / f"{part}.json", value)

    def discard(self) -> None:
        """Remove the parts, once the whole is written."""
        shutil.rmtree(self._folder)

    def _read(self, name: str) -> Any | None:
        try:
            return json.loads((self._folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            raise RecordError(f"{self._folder / name} is damaged: remove it") from None


def write_json(path: Path, value: Any) -> None:
    """Write a file that is there whole or not at all, also after a loss of power."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, allow_nan=False)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
