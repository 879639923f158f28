"""The page of promises names every case once, and where each is tested."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
CASES = range(1, 59)
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"^(?:async )?def test_case_(\d\d)_", re.MULTILINE)


def cases_in_tests() -> dict[int, set[str]]:
    """Files in which each case is tested."""
    found: dict[int, set[str]] = {}
    for folder in ("tests/faults", "tests/browser"):
        for file in sorted((ROOT / folder).glob("**/*.py")):
            for number in _TEST.findall(file.read_text()):
                found.setdefault(int(number), set()).add(str(file.relative_to(ROOT)))
    return found


def test_the_page_names_every_case_once_and_the_files_that_test_it() -> None:
    rows = _ROW.findall(PAGE.read_text())
    assert [int(row[0]) for row in rows] == list(CASES)
    named = {int(row[0]): set(re.findall(r"\[[\w.]+\]\(\.\./([^)]+)\)", row[3])) for row in rows}
    assert named == cases_in_tests()
