"""From runs to a table: medians and spreads over seeds, and differences from natural, paired by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

BASELINE = "natural"
SCORES = ("mean", "natural_weighted", "worst")
Row = Mapping[str, Any]


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each method, in the order of their first runs."""
    methods = dict.fromkeys(row["method"] for row in rows)
    return [_of(method, rows) for method in methods]


def _of(method: str, rows: Sequence[Row]) -> dict[str, Any]:
    own = {row["seed"]: row for row in rows if row["method"] == method}
    base = {row["seed"]: row for row in rows if row["method"] == BASELINE}
    runs = list(own.values())
    budget = float(np.mean([run["budget"] for run in runs]))
    found: dict[str, Any] = {
        "method": method,
        "seeds": sorted(own),
        "steps": float(np.median([run["steps"] for run in runs])),
        "flops_share": {
            what: float(np.mean([run["flops"].get(what, 0.0) for run in runs])) / budget
            for what in dict.fromkeys(what for run in runs for what in run["flops"])
        },
        "shares": _medians(runs, "shares"),
        "losses": _medians(runs, "losses"),
    }
    paired = sorted(own.keys() & base.keys())
    for score in SCORES:
        values = np.array([run[score] for run in runs])
        differences = np.array([own[seed][score] - base[seed][score] for seed in paired])
        found[score] = {
            "median": float(np.median(values)),
            "spread": float(values.std(ddof=1)) if len(values) > 1 else None,
            "difference": difference(differences),
        }
    return found


def difference(values: np.ndarray) -> dict[str, float | None] | None:
    """Mean of paired differences, and its 95 % interval by Student's t; None without a pair."""
    if not len(values):
        return None
    mean, error = float(values.mean()), float(stats.sem(values)) if len(values) > 1 else None
    if error is None:
        return {"mean": mean, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _medians(runs: Sequence[Row], what: str) -> dict[str, float]:
    return {name: float(np.median([run[what][name] for run in runs])) for name in runs[0][what]}


def show(found: Mapping[str, Any]) -> None:
    """The findings as two tables."""
    console = Console()
    scores = Table("method", "steps", *(score.replace("_", "-") for score in SCORES), "mean less natural's")
    for row in found["results"]:
        cells = [f"{row[score]['median']:.3f}{_spread(row[score]['spread'])}" for score in SCORES]
        scores.add_row(row["method"], f"{row['steps']:.0f}", *cells, _interval(row["mean"]["difference"]))
    console.print(scores)
    shares = Table("share of tokens", *found["domains"])
    for row in found["results"]:
        shares.add_row(row["method"], *(f"{row['shares'][name]:.2f}" for name in found["domains"]))
    console.print(shares)


def _spread(spread: float | None) -> str:
    return "" if spread is None else f" ± {spread:.3f}"


def _interval(found: Mapping[str, float | None] | None) -> str:
    if found is None:
        return ""
    mean, low, high = found["mean"], found["low"], found["high"]
    return f"{mean:+.3f}" if low is None else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
