"""Loss curves from tables: every size and every step, where a swarm takes one of each.

A tidy table has a row for each size, mixture, step and validation domain. A wide one has a row for each
observation: a run stands in it once for every number of `tokens`, with `model_parameters` beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.scaling.curves import LossCurves
from service.importers import tidy, wide
from service.importers.errors import ImportRefusedError
from service.importers.reading import recognised
from service.importers.report import ImportReport
from service.importers.rules import gathered
from service.importers.run import Run, Source

_ROUNDING = 0.01  # of the tokens of a step, which a table may give in rounded numbers


@dataclass(frozen=True, eq=False)
class ImportedCurves:
    """Checked loss curves.

    Args:
        curves: observations as arrays.
        names: what each run is called, by its number in the curves; runs of several sizes may share one.
        report: what was changed or left out; its rows and runs are observations.
    """

    curves: LossCurves
    names: tuple[str, ...]
    report: ImportReport


def read_curves(
    path: Path,
    *,
    format_name: str | None = None,
    batch_tokens: float | None = None,
    maximise: Sequence[str] = (),
) -> ImportedCurves:
    """Read loss curves from a table.

    Args:
        path: a table, or a folder with one.
        format_name: tidy or wide; by default what the file looks like.
        batch_tokens: tokens of an optimiser step, for tables that count steps alone.
        maximise: metrics for which higher is better.

    Raises:
        ImportRefusedError: the table is of no such format, or lacks sizes or tokens.
    """
    name, place = recognised(path, format_name)
    readers: dict[str, Callable[[Path], tuple[Source, list[tuple[str, str]]]]] = {
        tidy.NAME: tidy.read_curves,
        wide.NAME: _wide,
    }
    if name not in readers:
        raise ImportRefusedError(
            f"{path.name} is in the format {name}, which has one value for each run: loss curves come from "
            "tidy or wide tables"
        )
    source, owners = readers[name](place)
    runs = tuple(_with_tokens(run, batch_tokens) for run in source.runs)
    imported = gathered(replace(source, runs=runs), maximise=maximise)
    owner = {run.name: name_and_size for run, name_and_size in zip(runs, owners, strict=True)}
    observed = list(dict.fromkeys(owner[run.name] for run in imported.runs))
    number = {name_and_size: at for at, name_and_size in enumerate(observed)}
    swarm = imported.swarm
    if swarm.model_parameters is None or swarm.tokens is None:
        lacking = "model_parameters" if swarm.model_parameters is None else "tokens"
        raise ImportRefusedError(f"{place.name}: no column {lacking}: a law of scale needs it in every row")
    runs_of = np.array([number[owner[run.name]] for run in imported.runs])
    curves = LossCurves(
        swarm.domains,
        swarm.targets,
        swarm.weights,
        swarm.values,
        model_parameters=swarm.model_parameters,
        tokens=swarm.tokens,
        runs=runs_of,
        batch_tokens=_batches(imported.runs, runs_of),
    )
    report = replace(imported.report, what=f"observations of {len(observed)} runs")
    return ImportedCurves(curves, tuple(run for run, _ in observed), report)


def _wide(path: Path) -> tuple[Source, list[tuple[str, str]]]:
    source = wide.read(path)
    owners = [(run.name, "") for run in source.runs]
    runs = [
        replace(run, name=f"{run.name} at {run.step if run.tokens is None else run.tokens}")
        for run in source.runs
    ]
    return replace(source, runs=tuple(runs)), owners


def _with_tokens(run: Run, batch_tokens: float | None) -> Run:
    if run.tokens is not None:
        return run
    if run.step is None:
        raise ImportRefusedError(
            f"{run.place}: neither tokens nor a step: a curve needs to know how far it is"
        )
    if batch_tokens is None:
        raise ImportRefusedError(
            f"{run.place}: a step and no tokens: give --batch-tokens, the tokens of an optimiser step"
        )
    return replace(run, tokens=round(run.step * batch_tokens))


def _batches(runs: Sequence[Run], numbers: IntArray) -> FloatArray | None:
    """(n,) tokens of a step of each observation's run; None where they are not told, or vary within a run."""
    if not all(run.tokens and run.step for run in runs):
        return None
    ratio = np.array([(run.tokens or 0) / (run.step or 1) for run in runs])
    batches = np.empty_like(ratio)
    for number in np.unique(numbers):
        own = ratio[numbers == number]
        if np.ptp(own) > _ROUNDING * own.mean():
            return None
        batches[numbers == number] = round(float(np.median(own)))
    return batches
