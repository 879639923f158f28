"""Runs as a table: a line for each, a column for each domain's weight and each target's loss."""

from collections.abc import Iterable, Iterator, Sequence

from service.exporters import csv_cells
from service.models import ProxyRun

_PLAIN = ("label", "client_id", "state", "seed")
_MEASURED = ("step", "tokens", "model_parameters")


def lines(runs: Iterable[ProxyRun], domains: Sequence[str], targets: Sequence[str]) -> Iterator[str]:
    """The lines of the table, the names of its columns first."""
    yield csv_cells.row(
        [
            "id",
            *_PLAIN,
            *(f"weight:{name}" for name in domains),
            *(f"loss:{name}" for name in targets),
            *_MEASURED,
            "tags",
            "notes",
        ]
    )
    for run in runs:
        result = run.result or {}
        losses = result.get("losses", {})
        yield csv_cells.row(
            [
                str(run.id),
                *(str(getattr(run, name) or "") if name != "seed" else run.seed for name in _PLAIN),
                *run.weights,
                *(losses.get(name) for name in targets),
                *(result.get(name) for name in _MEASURED),
                " ".join(run.tags),
                run.notes,
            ]
        )
