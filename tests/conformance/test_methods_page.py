"""The page of all methods has every registered one, each under its kind, and no other."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mixlaws.registry import DESIGNS, ESTIMATORS, POLICIES, PROPOSERS, SAMPLING, SCALING

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*)$\n((?:(?!^#).*\n)*)", PAGE, re.MULTILINE))
KINDS: Mapping[str, Mapping[str, type[Any]]] = {
    "Laws and regressors": ESTIMATORS,
    "Designs": DESIGNS,
    "Proposers": PROPOSERS,
    "Sampling rules": SAMPLING,
    "Scaling laws": SCALING,
    "Policies": POLICIES,
}
VERIFIED = ("code", "recomputed", "read", "no", "ours")


def rows(text: str) -> dict[str, list[str]]:
    """Cells by the name in the first one; a name that comes twice is a mistake."""
    found: dict[str, list[str]] = {}
    for name, rest in re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE):
        assert name not in found, f"{name} stands twice"
        found[name] = rest.split(" | ")
    return found


def test_the_page_has_a_section_for_every_kind_of_method() -> None:
    assert list(SECTIONS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_section_has_every_registered_method_once_and_no_other(kind: str) -> None:
    assert rows(SECTIONS[kind]).keys() == KINDS[kind].keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_full_and_says_how_far_its_arithmetic_is_verified(kind: str) -> None:
    told = dict(re.findall(r"^\| (\w+) \| (.*) \|$", PAGE.split("# Offline")[0], re.MULTILINE))
    assert tuple(told) == VERIFIED
    for name, cells in rows(SECTIONS[kind]).items():
        assert len(cells) == 5, f"{name}: {cells}"
        assert all(cell.strip() for cell in cells), name
        assert re.split(r"\W", cells[-1])[0] in VERIFIED, name


def test_who_is_said_to_follow_released_code_has_vectors_or_published_outputs() -> None:
    reached = {path.stem for path in (ROOT / "benchmarks" / "reference_vectors").glob("*.py")}
    for name, cells in rows(SECTIONS["Policies"]).items():
        assert (name in reached) == cells[-1].startswith("code"), name
