"""Published implementations, step by step: every policy against its reference vectors."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.reference_vectors.reading import Findings, read

METHODS = (
    "odm",
    "ado",
    "mixtera_ado",
    "aioli",
    "doremi",
    "doremi_aioli_variant",
    "skillit",
    "doge",
    "moe_dynamic",
    "dump_ucb",
    "formula_vectors",
)


@pytest.fixture(scope="module")
def findings(reference_data: Path) -> Findings:
    return read(reference_data / "vectors")


@pytest.mark.parametrize("method", METHODS)
def test_a_policy_follows_every_vector_of_its_method(findings: Findings, method: str) -> None:
    cases = [case for file, case in findings.cases if file == f"{method}.json"]
    assert cases, "no case was compared"
    assert not [case for case in cases if not case.passed]


def test_every_file_of_vectors_is_known_and_has_a_policy_for_each_of_its_parts(findings: Findings) -> None:
    assert findings.unknown == []
    assert findings.not_yet == []
    parts = {case.name for file, case in findings.cases if file == "formula_vectors.json"}
    assert parts == {"rnb", "pike", "velocitune"}


def test_a_part_of_a_method_without_a_policy_is_told(reference_data: Path, tmp_path: Path) -> None:
    raw = json.loads((reference_data / "vectors" / "formula_vectors.json").read_text())
    raw["method-to-come"] = raw.pop("rnb")
    (tmp_path / "formulas.json").write_text(json.dumps(raw))
    assert read(tmp_path).not_yet == ["formulas.json: method-to-come"]


def test_a_reader_goes_by_what_is_in_a_file_and_not_by_names(
    findings: Findings, reference_data: Path, tmp_path: Path
) -> None:
    for number, path in enumerate(sorted((reference_data / "vectors").glob("*.json"))):
        raw = json.loads(path.read_text())
        for case_number, case in enumerate(raw.get("cases", [])):
            if "kind" in case or "rounds" in case or "eval_losses" in case:
                case["id"] = f"case-{case_number}"
        (tmp_path / f"{number:02}.json").write_text(json.dumps(raw))
    renamed = read(tmp_path)
    assert [case.deviation for _, case in renamed.cases] == pytest.approx(
        [case.deviation for _, case in findings.cases], abs=0
    )
    assert renamed.unknown == []


def test_a_changed_number_is_noticed(reference_data: Path, tmp_path: Path) -> None:
    for method in METHODS:
        shutil.copyfile(reference_data / "vectors" / f"{method}.json", tmp_path / "vectors.json")
        text = (tmp_path / "vectors.json").read_text()
        raw = _shifted(json.loads(text), by=1e-3)
        (tmp_path / "vectors.json").write_text(json.dumps(raw))
        assert not all(case.passed for _, case in read(tmp_path).cases), method


def _shifted(raw: object, *, by: float, expected: bool = False) -> object:
    """The same vectors with every expected number larger."""
    if isinstance(raw, dict):
        return {
            key: _shifted(value, by=by, expected=expected or "expected" in key) for key, value in raw.items()
        }
    if isinstance(raw, list):
        return [_shifted(value, by=by, expected=expected) for value in raw]
    return raw + by if expected and isinstance(raw, float) else raw
