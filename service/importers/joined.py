"""Two tables, one with mixtures and one with values, joined by the name of the run, never by position."""

from collections.abc import Mapping
from pathlib import Path

from service.importers.errors import ImportRefusedError
from service.importers.report import Finding
from service.importers.run import Run, Source, read_weights
from service.importers.table import Row, Table


def join(
    format_name: str,
    mixtures: tuple[Table, str],
    values: tuple[Table, str],
    *,
    domains: Mapping[str, str],
    targets: Mapping[str, str],
    findings: tuple[Finding, ...] = (),
) -> Source:
    """Join mixtures with values.

    A run that stands twice in either table gives as many rows here, for the shared rules to judge.

    Args:
        format_name: name of the format.
        mixtures: the table of weights and its column of run names.
        values: the table of values and its column of run names.
        domains: domain by column.
        targets: target by column.
        findings: what was left out so far.
    """
    for names, what in ((domains, "domain"), (targets, "target")):
        listed = list(names.values())
        twice = sorted({name for name in listed if listed.count(name) > 1})
        if twice:
            columns = [column for column, name in names.items() if name == twice[0]]
            raise ImportRefusedError(f"columns {columns} both mean the {what} {twice[0]!r}: rename one")
    left, right = _by_name(*mixtures), _by_name(*values)
    runs = [
        _run(name, mixture, value, domains, targets)
        for name in left
        for mixture in left[name]
        for value in right.get(name, [])
    ]
    alone = {
        "without_values": ("mixtures without values, left out", [n for n in left if n not in right]),
        "without_mixture": ("runs with values and no mixture, left out", [n for n in right if n not in left]),
    }
    files = (mixtures[0].file, values[0].file)
    if not runs:
        raise ImportRefusedError(
            f"{files[0]} and {files[1]} have no run in common: {mixtures[1]!r} holds {next(iter(left))!r}, "
            f"{values[1]!r} holds {next(iter(right))!r}"
        )
    return Source(
        format=format_name,
        files=files,
        rows=len(mixtures[0].rows) + len(values[0].rows),
        domains=tuple(domains.values()),
        targets=tuple(targets.values()),
        runs=tuple(runs),
        findings=(
            *findings,
            *(Finding(kind, text, tuple(names)) for kind, (text, names) in alone.items() if names),
        ),
    )


def the_pair(folder: Path, pairs: list[tuple[Path, Path]], what: str) -> tuple[Path, Path]:
    """The one pair of files of a folder.

    Raises:
        ImportRefusedError: there are several.
    """
    if len(pairs) > 1:
        names = ", ".join(pair[0].name for pair in pairs)
        raise ImportRefusedError(
            f"{folder} holds several {what}: {names}: give the path of one of these files"
        )
    return pairs[0]


def _by_name(table: Table, column: str) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        rows.setdefault(row.text(column), []).append(row)
    return rows


def _run(name: str, mixture: Row, value: Row, domains: Mapping[str, str], targets: Mapping[str, str]) -> Run:
    return Run(
        name=name,
        place=f"{mixture.place}" if mixture.place == value.place else f"{mixture.place} with {value.place}",
        weights=read_weights(mixture, domains),
        values={target: value.number(column) for column, target in targets.items()},
    )
