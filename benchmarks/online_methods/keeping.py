"""Results in a file of JSON lines: an interrupted benchmark goes on where it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import note

Row = dict[str, Any]


class Kept:
    """Rows of a file, each of a method and a seed, under the settings that they were made with.

    Args:
        path: the file, made when it does not exist; None keeps nothing.
        settings: what rows depend on; rows of others stay in the file and are not read.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self._path, self._settings = path, json.loads(json.dumps(settings))
        self.rows: dict[tuple[str, int], Row] = {}
        self._start = ""
        self._read()

    def keep(self, row: Row) -> None:
        """Add a row."""
        self.rows[row["method"], row["seed"]] = row
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._start + json.dumps({**row, "settings": self._settings}) + "\n")
            self._start = ""

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        others, text = 0, self._path.read_text(encoding="utf-8")
        self._start = "" if not text or text.endswith("\n") else "\n"  # a line that was cut stays alone
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the last line of a process that was killed
                note(f"line {number} of {self._path} is not whole: its run is made again")
                continue
            if row.pop("settings", None) == self._settings:
                self.rows[row["method"], row["seed"]] = row
            else:
                others += 1
        if others:
            note(f"{others} rows of {self._path} were made with other settings: left out")
