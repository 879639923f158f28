"""What the demo found out, as data: the same that is printed, for scripts."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any


def by_method(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Target runs by method, in the order of their labels."""
    methods: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        methods.setdefault(run["label"].rsplit(", seed", 1)[0], []).append(run)
    return methods


def target_rows(runs: Sequence[Mapping[str, Any]], shares: dict[str, float]) -> list[dict[str, Any]]:
    """One row for each method: mean losses over its seeds, and its distance to natural and uniform.

    Args:
        runs: completed target runs.
        shares: natural share of every domain, the coefficients of the objective.
    """
    rows = {name: _row(name, members, shares) for name, members in by_method(runs).items()}
    for row in rows.values():
        for reference in ("natural", "uniform"):
            other = rows[reference]
            row[f"against_{reference}"] = {
                measure: row[measure] - other[measure]
                for measure in ("natural_weighted", "mean", "bits_per_byte")
            }
            row[f"gain_by_domain_over_{reference}"] = {
                domain: shares[domain] * (other["losses"][domain] - row["losses"][domain])
                for domain in shares
            }
    order = ["natural", "uniform", "proposal"]
    return sorted(rows.values(), key=lambda row: order.index(row["method"]) if row["method"] in order else 9)


def noise(runs: Sequence[Mapping[str, Any]], shares: dict[str, float]) -> dict[str, Any]:
    """Standard deviation between seeds of one mixture, pooled over mixtures.

    Live runs are left out: their seeds lead to other mixtures.
    """
    squares = {"natural_weighted": 0.0, "mean": 0.0, "bits_per_byte": 0.0}
    freedom = 0
    for members in by_method([run for run in runs if run["job"] is None]).values():
        measures = [_measures(run, shares) for run in members]
        for name in squares:
            centre = fmean(measure[name] for measure in measures)
            squares[name] += sum((measure[name] - centre) ** 2 for measure in measures)
        freedom += len(members) - 1
    deviations = {name: math.sqrt(square / freedom) if freedom else None for name, square in squares.items()}
    return {"degrees_of_freedom": freedom, "standard_deviation": deviations}


def difference_error(deviation: float | None, left: int, right: int) -> float | None:
    """Standard error of the difference of two means over so many seeds each."""
    return None if deviation is None else deviation * math.sqrt(1 / left + 1 / right)


def _row(name: str, members: Sequence[Mapping[str, Any]], shares: dict[str, float]) -> dict[str, Any]:
    domains = list(shares)
    measures = [_measures(run, shares) for run in members]
    return {
        "method": name,
        "seeds": len(members),
        "losses": {d: fmean(run["result"]["losses"][d] for run in members) for d in domains},
        "model_parameters": members[0]["result"]["model_parameters"],
        "tokens": members[0]["result"]["tokens"],
        **{key: fmean(measure[key] for measure in measures) for key in measures[0]},
    }


def _measures(run: Mapping[str, Any], shares: dict[str, float]) -> dict[str, float]:
    losses, bits = run["result"]["losses"], run["result"]["bits_per_byte"]
    return {
        "natural_weighted": sum(shares[domain] * losses[domain] for domain in shares),
        "mean": fmean(losses[domain] for domain in shares),
        "bits_per_byte": fmean(bits[domain] for domain in shares),
    }
