"""A tidy table: one row is the loss of one mixture on one validation domain, at a size and a step.

Columns: `validation_domain`, `loss`, and a `weight_` column for each domain; `mixture_id` (or `run`), and if
there are any `size`, `step`, `tokens`, `seed`, `non_embedding_parameters` or `model_parameters`. This is how
the published runs of Data Mixing Laws (Ye et al. 2024, arXiv:2403.16952) lie in one table.

A run has one size and one step; loss curves have all of them. Where several sizes are in the table, all are
read, unless one is named; the step of a size is the last one that all of its mixtures have reached, unless
one is named. It may be written as the name of a checkpoint that ends in it; a checkpoint without a number,
such as "last", lies nowhere on a curve and is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mixlaws.scaling.checkpoints import checkpoint_step
from service.importers.errors import ImportRefusedError
from service.importers.report import Finding
from service.importers.run import Run, Source, read_weights
from service.importers.table import Row, Table, is_number, read_columns, read_table

NAME = "tidy"
WEIGHT = "weight_"
_IDS = ("mixture_id", "run", "run_id")
_PARAMETERS = ("model_parameters", "non_embedding_parameters")
_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([KMBT])", re.IGNORECASE)
_NEEDED = ("validation_domain", "loss")


def recognises(path: Path) -> bool:
    """Whether a table has the columns of this format."""
    columns = read_columns(path)
    return all(name in columns for name in _NEEDED) and any(name.startswith(WEIGHT) for name in columns)


def read(path: Path, *, size: str | None = None, step: int | None = None) -> Source:
    """Read a table, at one size or at all of them, each at one step."""
    table, run_column, domains = _opened(path)
    sizes = _sizes(table, size)
    found = [_OfSize.read(table, own, step, run_column, domains, among=len(sizes)) for own in sizes]
    findings = [
        _merged([name for part in found for name in part.repeated]),
        _unnumbered([name for part in found for name in part.unnumbered]),
        *(
            Finding("without_step", f"runs without a row at step {part.step}, left out", part.short)
            for part in found
        ),
    ]
    return Source(
        format=NAME,
        files=(path.name,),
        rows=len(table.rows),
        domains=tuple(domains.values()),
        targets=tuple(dict.fromkeys(target for part in found for target in part.targets)),
        runs=tuple(run for part in found for run in part.runs),
        scale=" and ".join(part.words for part in found if part.words),
        findings=tuple(finding for finding in findings if finding.names),
    )


@dataclass(frozen=True)
class _OfSize:
    """What a table holds of one size."""

    size: str | None
    step: int | None
    targets: tuple[str, ...]
    runs: tuple[Run, ...]
    short: tuple[str, ...]
    repeated: tuple[str, ...]
    unnumbered: tuple[str, ...]

    @classmethod
    def read(
        cls,
        table: Table,
        size: str | None,
        step: int | None,
        run_column: str,
        domains: Mapping[str, str],
        *,
        among: int,
    ) -> "_OfSize":
        of_size = [row for row in table.rows if size is None or row.cells["size"] == size]
        rows, unnumbered = _numbered(table, of_size, run_column)
        by_run: dict[str, list[Row]] = {}
        for row in rows:
            # The same mixture at another size is another run.
            name = _name(row, run_column) if among == 1 else f"{size} {_name(row, run_column)}"
            by_run.setdefault(name, []).append(row)
        chosen, step = _at_step(table, by_run, step)
        read = [_run(name, own, domains, step) for name, own in chosen.items()]
        return cls(
            size=size,
            step=step,
            targets=tuple(dict.fromkeys(row.text("validation_domain") for row in rows)),
            runs=tuple(run for run, _ in read),
            short=tuple(name for name in by_run if name not in chosen),
            repeated=tuple(name for _, twice in read for name in twice),
            unnumbered=unnumbered,
        )

    @property
    def words(self) -> str:
        """The size and the step, as far as there are any."""
        told = (("size", self.size), ("step", self.step))
        return ", ".join(f"{name} {value}" for name, value in told if value is not None)


def read_curves(path: Path) -> tuple[Source, list[tuple[str, str]]]:
    """Read a table at every size and step.

    Returns:
        A run for every observation, and name and size of the run that was observed.
    """
    table, run_column, domains = _opened(path)
    observed: dict[tuple[str, str, int | None], list[Row]] = {}
    numbered, unnumbered = _numbered(table, table.rows, run_column)
    for row in numbered:
        size = row.text("size") if "size" in table.columns else ""
        step = _step(row) if "step" in table.columns else None
        observed.setdefault((_name(row, run_column), size, step), []).append(row)
    runs, repeated = [], []
    for (name, size, step), rows in observed.items():
        called = name + (f" of {size}" if size else "") + ("" if step is None else f" at step {step}")
        run, twice = _run(called, rows, domains, step)
        runs.append(run if run.model_parameters else replace(run, model_parameters=_parameters(size)))
        repeated += twice
    source = Source(
        format=NAME,
        files=(path.name,),
        rows=len(table.rows),
        domains=tuple(domains.values()),
        targets=tuple(dict.fromkeys(row.text("validation_domain") for row in table.rows)),
        runs=tuple(runs),
        findings=tuple(f for f in (_merged(repeated), _unnumbered(unnumbered)) if f.names),
    )
    return source, [(name, size) for name, size, _ in observed]


def _opened(path: Path) -> tuple[Table, str, dict[str, str]]:
    """A table, the column that names its runs, and the domain of each column of weights."""
    table = read_table(path)
    table.require(*_NEEDED)
    weights = table.prefixed(WEIGHT)
    run_column = next((column for column in _IDS if column in table.columns), None)
    if run_column is None or not weights:
        raise ImportRefusedError(f"{path.name}: a tidy table has a column mixture_id and columns weight_...")
    return table, run_column, {column: column.removeprefix(WEIGHT) for column in weights}


def _merged(repeated: Sequence[str]) -> Finding:
    return Finding("merged_duplicates", "rows that stood there already, all fields equal", tuple(repeated))


def _unnumbered(rows: Sequence[str]) -> Finding:
    return Finding("unnumbered_steps", "rows of checkpoints without a number, left out", tuple(rows))


def _parameters(size: str) -> int | None:
    """Parameters of a size such as 70M, where no column says them."""
    found = _SIZE.fullmatch(size)
    return None if found is None else round(float(found[1]) * _UNITS[found[2].upper()])


def _name(row: Row, column: str) -> str:
    seed = row.cells.get("seed")
    return row.text(column) + (f" seed {seed}" if seed else "")


def _sizes(table: Table, size: str | None) -> list[str | None]:
    """The sizes to read: the one that is named, or all; None where the table names none."""
    if "size" not in table.columns:
        if size is not None:
            raise ImportRefusedError(f"{table.file} has no column 'size': leave --size out")
        return [None]
    sizes = list(dict.fromkeys(row.text("size") for row in table.rows))
    if size is None and len(sizes) > 1 and not any(column in table.columns for column in _PARAMETERS):
        raise ImportRefusedError(
            f"{table.file} holds the sizes {', '.join(sizes)}, and no column {_PARAMETERS[0]} to tell them "
            "apart by: name one with --size"
        )
    if size is not None and size not in sizes:
        raise ImportRefusedError(f"{table.file} has no size {size!r}: it holds {', '.join(sizes)}")
    return [*sizes] if size is None else [size]


def _numbered(table: Table, rows: Sequence[Row], run_column: str) -> tuple[Sequence[Row], tuple[str, ...]]:
    """Rows that say where on a curve they lie, and the names of the others."""
    if "step" not in table.columns:
        return rows, ()
    kept = [row for row in rows if _step(row) is not None]
    left_out = {
        f"{_name(row, run_column)} at {row.cells['step'] or 'no step'}": None
        for row in rows
        if _step(row) is None
    }
    if not kept:
        raise ImportRefusedError(f"{table.file}: no checkpoint has a number: name its step in 'step'")
    return kept, tuple(left_out)


def _step(row: Row) -> int | None:
    """A step, written as a number or as the name of a checkpoint that ends in it."""
    written = row.cells["step"]
    return row.whole("step") if is_number(written) else checkpoint_step(written)


def _at_step(
    table: Table, by_run: Mapping[str, Sequence[Row]], step: int | None
) -> tuple[dict[str, list[Row]], int | None]:
    if "step" not in table.columns:
        if step is not None:
            raise ImportRefusedError(f"{table.file} has no column 'step': leave --step out")
        return {name: list(rows) for name, rows in by_run.items()}, None
    steps = {name: {_step(row) for row in rows} for name, rows in by_run.items()}
    shared = set.intersection(*steps.values())
    if step is None:
        if not shared:
            raise ImportRefusedError(f"{table.file}: no step is common to all runs: name one with --step")
        step = max(number for number in shared if number is not None)
    chosen = {
        name: at for name, rows in by_run.items() if (at := [row for row in rows if _step(row) == step])
    }
    if not chosen:
        known = sorted({number for own in steps.values() for number in own if number is not None})
        raise ImportRefusedError(f"{table.file} has no step {step}: its last steps are {known[-5:]}")
    return chosen, step


def _run(
    name: str, rows: Sequence[Row], domains: Mapping[str, str], step: int | None
) -> tuple[Run, list[str]]:
    """One run of its rows, and the rows that said nothing new."""
    first, values, repeated = rows[0], {}, []
    weights = read_weights(first, domains)
    for row in rows:
        if read_weights(row, domains) != weights:
            raise ImportRefusedError(f"run {name!r} has other weights in {row.place} than in {first.place}")
        target, loss = row.text("validation_domain"), row.number("loss")
        if target not in values:
            values[target] = loss
        elif str(values[target]) == str(loss):
            repeated.append(f"{name} on {target}")
        else:
            raise ImportRefusedError(
                f"run {name!r} stands twice on {target!r}: {values[target]} before, and {loss} in "
                f"{row.place}: remove one of them"
            )
    parameters = next((column for column in _PARAMETERS if column in first.cells), None)
    run = Run(
        name=name,
        place=first.place,
        weights=weights,
        values=values,
        seed=first.whole("seed") if "seed" in first.cells else None,
        step=step,
        tokens=first.whole("tokens") if "tokens" in first.cells else None,
        model_parameters=first.whole(parameters) if parameters else None,
    )
    return run, repeated
