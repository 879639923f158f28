"""Which reader a file of vectors is for, by what is in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reference_vectors import ado, aioli, doremi, formulas, odm, skillit
from benchmarks.reference_vectors.case import Case, Raw

Reader = Callable[[Raw], Iterator[Case]]


@dataclass
class Findings:
    """What the vectors of a folder showed.

    Args:
        cases: file and comparison.
        not_yet: files, or parts of files, of methods that there is no policy for.
        unknown: JSON files in which no method was recognised.
    """

    cases: list[tuple[str, Case]] = field(default_factory=list)
    not_yet: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def _cases(raw: Raw) -> list[Raw]:
    cases = raw.get("cases")
    return [case for case in cases if isinstance(case, dict)] if isinstance(cases, list) else []


def _any_case_has(*keys: str) -> Callable[[Raw], bool]:
    return lambda raw: any(set(keys) <= set(case) for case in _cases(raw))


def _is_doremi(raw: Raw) -> bool:
    return any("clipped_excess_sum" in (case.get("steps") or [{}])[0] for case in _cases(raw))


def _is_ado(raw: Raw) -> bool:
    return isinstance(raw.get("expected"), dict) and "fitted_params_by_step" in raw["expected"]


def _is_doremi_aioli(raw: Raw) -> bool:
    return "steps" in raw and isinstance(raw.get("params"), dict) and "initial_scores" in raw["params"]


READERS: tuple[tuple[Callable[[Raw], bool], Reader], ...] = (
    (_any_case_has("method", "kind", "expected_weights"), odm.check),
    (_is_ado, ado.check),
    (_any_case_has("scaling_params", "expected_mixture"), ado.check_mixtera),
    (_any_case_has("rounds"), aioli.check),
    (_is_doremi, doremi.check),
    (_is_doremi_aioli, doremi.check_aioli),
    (_any_case_has("graph", "eval_losses"), skillit.check),
    (lambda raw: "velocitune" in raw, formulas.check_velocitune),
)
# Whole files of methods to come, by a field; parts of files, by their name.
TO_COME: tuple[Callable[[Raw], bool], ...] = (
    _any_case_has("train_x_target_inner_products"),
    lambda raw: any(
        "gate_load_counts" in update for case in _cases(raw) for update in case.get("updates", [])
    ),
    lambda raw: any("advantages" in update for update in raw.get("updates", [])),
)
PARTS_TO_COME = ("rnb", "pike")


def read(folder: Path) -> Findings:
    """Run the vectors of a folder."""
    findings = Findings()
    for path in sorted(folder.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            findings.unknown.append(path.name)
            continue
        readers = [reader for fits, reader in READERS if fits(raw)]
        parts = [f"{path.name}: {part}" for part in PARTS_TO_COME if part in raw]
        to_come = [path.name] if any(fits(raw) for fits in TO_COME) else parts
        for reader in readers:
            findings.cases.extend((path.name, case) for case in reader(raw))
        findings.not_yet.extend(to_come)
        if not readers and not to_come:
            findings.unknown.append(path.name)
    return findings
