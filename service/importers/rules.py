"""From runs as they stood in files to a swarm: the rules that all formats share.

1. Weights that sum to 1 within a hundredth are divided by their sum; others are refused.
2. Runs that stand twice are merged if all of their fields are equal, else refused.
3. A target that more than half of the runs lack is left out; then a run that lacks a target is left out,
   and so is one with a value that is not finite.
4. A metric for which higher is better is subtracted from a ceiling, since a target is lower the better.
"""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.domains import DomainSet
from mixlaws.simplex import API_TOLERANCE, FILE_TOLERANCE
from mixlaws.swarm import Swarm
from service.importers.errors import ImportRefusedError
from service.importers.report import Finding, ImportReport
from service.importers.run import Run, Source

_MOST_MISSING = 0.5  # share of the runs that may lack a target before the target goes and not the runs


@dataclass(frozen=True)
class ImportedRuns:
    """A checked swarm.

    Args:
        swarm: the runs as arrays; files name no tokens, so that every domain has one.
        runs: the same, row by row, by name.
        report: what was changed or left out.
        ceilings: what each flipped metric was subtracted from.
    """

    swarm: Swarm
    runs: tuple[Run, ...]
    report: ImportReport
    ceilings: dict[str, float] = field(default_factory=dict)


def gathered(source: Source, *, maximise: Sequence[str] = ()) -> ImportedRuns:
    """Apply the rules to what a format read.

    Args:
        source: the runs.
        maximise: metrics for which higher is better; they become ceiling - value.

    Raises:
        ImportRefusedError: a mixture is off the simplex, a run stands twice with different fields, or
            nothing is left.
    """
    findings = list(source.findings)
    merged = _merged(source.runs, findings)
    rounded = [run.name for run in merged if _is_off(run)]
    _found(findings, "renormalised", "runs whose weights summed to 1 but for rounding, renormalised", rounded)
    runs = [_normalised(run) for run in merged]
    targets = _kept_targets(runs, source.targets, findings)
    runs = _complete(runs, targets, findings)
    if not runs:
        raise ImportRefusedError(f"{', '.join(source.files)}: no run is left: {_told(findings)}")
    _partly_known(runs, findings)
    runs, ceilings = _flipped(runs, source.targets, targets, maximise, findings)
    swarm = Swarm(
        DomainSet(source.domains, (1,) * len(source.domains)),
        targets,
        np.array([[run.weights[name] for name in source.domains] for run in runs]),
        np.array([[run.values[name] for name in targets] for run in runs], dtype=np.float64),
        model_parameters=_column([run.model_parameters for run in runs]),
        tokens=_column([run.tokens for run in runs]),
        seeds=_seeds(runs),
    )
    report = ImportReport(
        format=source.format,
        files=source.files,
        rows=source.rows,
        runs=len(runs),
        domains=len(source.domains),
        targets=targets,
        scale=source.scale,
        findings=tuple(findings),
    )
    return ImportedRuns(swarm, tuple(runs), report, ceilings)


def _partly_known(runs: Sequence[Run], findings: list[Finding]) -> None:
    """Tell of columns that only some runs fill: a swarm has all of a column or none of it."""
    for name in ("model_parameters", "tokens"):
        lacking = [run.name for run in runs if getattr(run, name) is None]
        if len(lacking) < len(runs):
            text = f"runs without {name}, which other runs have: {name} of no run is used"
            _found(findings, f"without_{name}", text, lacking)


def _found(findings: list[Finding], kind: str, text: str, names: Sequence[str]) -> None:
    if names:
        findings.append(Finding(kind, text, tuple(names)))


def _told(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{len(finding.names)} {finding.text}" for finding in findings) or "the files hold none"


def _merged(runs: Sequence[Run], findings: list[Finding]) -> list[Run]:
    first: dict[str, Run] = {}
    twice: list[str] = []
    for run in runs:
        if run.name not in first:
            first[run.name] = run
            continue
        difference = first[run.name].difference(run)
        if difference is not None:
            raise ImportRefusedError(f"run {run.name!r} stands twice, and {difference}: remove one of them")
        twice.append(run.name)
    _found(findings, "merged_duplicates", "rows of runs that stood there already, all fields equal", twice)
    return list(first.values())


def _is_off(run: Run) -> bool:
    return abs(math.fsum(run.weights.values()) - 1) > API_TOLERANCE


def _normalised(run: Run) -> Run:
    for name, weight in run.weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise ImportRefusedError(
                f"{run.place}: the weight of {name!r} is {weight}: weights are finite and not negative"
            )
    total = math.fsum(run.weights.values())
    # A hair of room: decimal fractions that sum to exactly 1.01 on paper may be more in binary.
    if abs(total - 1) > FILE_TOLERANCE + 1e-9:
        raise ImportRefusedError(
            f"{run.place}: the weights sum to {total:.6g}, off by more than {FILE_TOLERANCE:g}: "
            "correct the row"
        )
    return replace(run, weights={name: weight / total for name, weight in run.weights.items()})


def _is_missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _kept_targets(runs: Sequence[Run], targets: Sequence[str], findings: list[Finding]) -> tuple[str, ...]:
    lacking = {
        target: sum(_is_missing(run.values.get(target)) for run in runs) / max(len(runs), 1)
        for target in targets
    }
    gone = [target for target in targets if lacking[target] > _MOST_MISSING]
    _found(findings, "targets_left_out", "targets that more than half of the runs lack, left out", gone)
    kept = tuple(target for target in targets if target not in gone)
    if not kept:
        raise ImportRefusedError(f"no target is left: {_told(findings) if gone else 'the files name none'}")
    return kept


def _complete(runs: Sequence[Run], targets: Sequence[str], findings: list[Finding]) -> list[Run]:
    unusable: dict[str, list[str]] = {"not_finite": [], "incomplete": []}
    kept: list[Run] = []
    for run in runs:
        values = [run.values.get(target) for target in targets]
        if any(value is not None and not math.isfinite(value) for value in values):
            unusable["not_finite"].append(run.name)
        elif any(value is None for value in values):
            unusable["incomplete"].append(run.name)
        else:
            kept.append(replace(run, values={target: run.values[target] for target in targets}))
    _found(
        findings, "not_finite", "runs with a value that is NaN or infinite, left out", unusable["not_finite"]
    )
    _found(findings, "incomplete", "runs that lack a target, left out", unusable["incomplete"])
    return kept


def _flipped(
    runs: Sequence[Run],
    known: Sequence[str],
    targets: Sequence[str],
    maximise: Sequence[str],
    findings: list[Finding],
) -> tuple[list[Run], dict[str, float]]:
    ceilings: dict[str, float] = {}
    for name in maximise:
        if name not in targets:
            close = difflib.get_close_matches(name, targets, n=1)
            hint = f"did you mean {close[0]!r}? " if close and name not in known else ""
            why = "was left out" if name in known else "is no target"
            raise ImportRefusedError(f"{name!r}, to be maximised, {why}: {hint}targets: {', '.join(targets)}")
        values = [float(run.values[name] or 0.0) for run in runs]
        # Laws describe values that are not negative. A metric below 1 is a share, one below 100 a percentage.
        ceilings[name] = next(
            (top for top in (1.0, 100.0) if 0 <= min(values) <= max(values) <= top), max(values)
        )
    notes = [f"{name} (now {ceiling:g} - value)" for name, ceiling in ceilings.items()]
    _found(findings, "flipped", "metrics for which higher is better, flipped", notes)

    def flipped(run: Run) -> Run:
        changed: dict[str, float | None] = {
            name: ceiling - float(run.values[name] or 0.0) for name, ceiling in ceilings.items()
        }
        return replace(run, values={**run.values, **changed})

    return [flipped(run) for run in runs], ceilings


def _column(values: Sequence[int | None]) -> FloatArray | None:
    known = [value for value in values if value is not None]
    return np.array(known, dtype=np.float64) if known and len(known) == len(values) else None


def _seeds(runs: Sequence[Run]) -> IntArray | None:
    known = [run.seed for run in runs if run.seed is not None]
    return np.array(known, dtype=np.int64) if len(known) == len(runs) else None
