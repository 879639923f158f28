"""A run as it stood in a file, and all that a format read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.importers.errors import ImportRefusedError
from service.importers.report import Finding
from service.importers.table import Row


@dataclass(frozen=True)
class Run:
    """A run as it stood in a file.

    Args:
        name: what it is called; distinct within an import.
        place: where it stood, for messages.
        weights: share of every domain, as written.
        values: value of every target; None where none was written.
    """

    name: str
    place: str
    weights: dict[str, float]
    values: dict[str, float | None]
    seed: int | None = None
    step: int | None = None
    tokens: int | None = None
    model_parameters: int | None = None

    def difference(self, other: "Run") -> str | None:
        """The first field in which two rows of one run differ, with both values."""
        mine, theirs = self._fields(), other._fields()
        for name in mine | theirs:
            a, b = mine.get(name), theirs.get(name)
            if a != b and not (_is_nan(a) and _is_nan(b)):
                return f"{name} is {a} in {self.place} and {b} in {other.place}"
        return None

    def _fields(self) -> dict[str, float | None]:
        scale = {name: getattr(self, name) for name in ("seed", "step", "tokens", "model_parameters")}
        return {**self.weights, **self.values, **scale}


@dataclass(frozen=True)
class Source:
    """What a format read: runs, and an account of what it could not use."""

    format: str
    files: tuple[str, ...]
    rows: int
    domains: tuple[str, ...]
    targets: tuple[str, ...]
    runs: tuple[Run, ...]
    scale: str = ""
    findings: tuple[Finding, ...] = ()


def read_weights(row: Row, columns: Mapping[str, str]) -> dict[str, float]:
    """Shares by domain, from columns that are given with the domain that each stands for."""
    weights = {}
    for column, domain in columns.items():
        weight = row.number(column)
        if weight is None:
            raise ImportRefusedError(f"{row.place}: the weight {column!r} is empty: write 0 if none is meant")
        weights[domain] = weight
    return weights


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
