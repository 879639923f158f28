"""Which reader a file of vectors is for, by what is in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reference_vectors import ado, aioli, doge, doremi, dump, formulas, moe_dynamic, odm, skillit
from benchmarks.reference_vectors.case import Case, Raw

Reader = Callable[[Raw], Iterator[Case]]


@dataclass
class Findings:
    """What the vectors of a folder showed.

    Args:
        cases: file and comparison.
        not_yet: parts of files of formulas that there is no policy for.
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


def _is_moe_dynamic(raw: Raw) -> bool:
    return any("gate_load_counts" in update for case in _cases(raw) for update in case.get("updates", []))


def _is_dump(raw: Raw) -> bool:
    return any("advantages" in update for update in raw.get("updates", []))


def _is_formulas(raw: Raw) -> bool:
    return bool(formulas.PARTS.keys() & raw.keys())


def _parts(raw: Raw) -> set[str]:
    """Parts of a file that are of a method each."""
    return {
        name for name, part in raw.items() if isinstance(part, dict) and {"cases", "updates"} & part.keys()
    }


READERS: tuple[tuple[Callable[[Raw], bool], Reader], ...] = (
    (_any_case_has("method", "kind", "expected_weights"), odm.check),
    (_is_ado, ado.check),
    (_any_case_has("scaling_params", "expected_mixture"), ado.check_mixtera),
    (_any_case_has("rounds"), aioli.check),
    (_is_doremi, doremi.check),
    (_is_doremi_aioli, doremi.check_aioli),
    (_any_case_has("graph", "eval_losses"), skillit.check),
    (_any_case_has("train_x_target_inner_products"), doge.check),
    (_is_moe_dynamic, moe_dynamic.check),
    (_is_dump, dump.check),
    (_is_formulas, formulas.check),
)


def read(folder: Path) -> Findings:
    """Run the vectors of a folder."""
    findings = Findings()
    for path in sorted(folder.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        readers = [reader for fits, reader in READERS if fits(raw)] if isinstance(raw, dict) else []
        for reader in readers:
            findings.cases.extend((path.name, case) for case in reader(raw))
        if formulas.check in readers:
            findings.not_yet.extend(f"{path.name}: {part}" for part in _parts(raw) - formulas.PARTS.keys())
        if not readers:
            findings.unknown.append(path.name)
    return findings
