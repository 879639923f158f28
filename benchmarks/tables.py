"""Readers of published swarms for benchmarks: through the importers, as a user's own files are read."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixlaws.arrays import IntArray
from mixlaws.swarm import Swarm
from service.importers import regmix
from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from service.importers.rules import gathered
from service.importers.table import read_table


@dataclass(frozen=True, eq=False)
class Tidy:
    """The runs of one size of a tidy table, at the last step that all of its mixtures share.

    Args:
        file: name of the table.
        size: the size, as written; empty where the table has no such column.
        step: the step; None where the table has no such column.
        swarm: the runs.
        names: the mixture of each run, as the table calls it.
    """

    file: str
    size: str
    step: int | None
    swarm: Swarm
    names: tuple[str, ...]


def regmix_train(folder: Path) -> Swarm:
    """The training runs of RegMix's 1M models."""
    return gathered(regmix.read(folder / "train_mixture_1m.csv")).swarm


def regmix_tests(folder: Path, train: Swarm) -> Mapping[str, Swarm]:
    """Test sets by the part of the file name that tells them apart, with domains and targets of `train`.

    A test set may name its loss columns for its size: a column belongs to the target whose name it holds.
    """
    found = {}
    for mixtures in sorted(folder.glob("test_mixture_*.csv")):
        name = mixtures.stem.removeprefix("test_mixture_")
        if regmix.find(mixtures) is None:
            note(f"{mixtures.name} has no table of losses beside it: left out")
            continue
        runs = gathered(regmix.read(mixtures)).swarm
        domains = _columns(runs.domains.names, train.domains.names, mixtures.name)
        targets = _columns(runs.targets, train.targets, mixtures.name)
        found[name] = Swarm(train.domains, train.targets, runs.weights[:, domains], runs.values[:, targets])
    return found


def tidy_tables(folder: Path) -> list[Tidy]:
    """Every size of every tidy table of a folder."""
    found = []
    for file in sorted(folder.glob("*.csv")):
        table = read_table(file)
        sizes = dict.fromkeys(row.cells.get("size", "") for row in table.rows)
        for size in sizes:
            try:
                read = read_runs(file, format_name="tidy", size=size or None)
            except ImportRefusedError as error:
                note(f"left out: {error}")
                continue
            note("; ".join(read.report.sentences()))
            names = tuple(run.name for run in read.runs)
            found.append(Tidy(file.name, size, read.runs[0].step, read.swarm, names))
    return found


def note(text: str) -> None:
    """Progress, apart from what a program reads."""
    print(text, file=sys.stderr, flush=True)


def _columns(names: Sequence[str], wanted: Sequence[str], file: str) -> IntArray:
    """Index of the column that stands for each wanted name: the one of that name, or else that holds it."""
    index = []
    for name in wanted:
        holding = [column for column in names if column == name] or [
            column for column in names if name in column
        ]
        if len(holding) != 1:
            raise SystemExit(
                f"{file}: {len(holding)} columns for {name!r}: the columns are {', '.join(names)}"
            )
        index.append(names.index(holding[0]))
    return np.array(index, dtype=np.int64)
