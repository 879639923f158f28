"""Rank of large runs by fits to smaller ones, on the published runs of Data Mixing Laws.

    python -m benchmarks.transfer --data DIR [--file 5mix.csv] [--folds 5] [--json]

DIR as for `benchmarks.mixing_laws`; of the sizes of one table those with the most mixtures are taken. Every
method is fitted to each size, and `multi_scale` to all sizes up to it, without the mixtures of a fold, and
predicts these mixtures, which are then ranked by the overall loss at each larger size. `auto --prefer
transfer` sees one size, so that it keeps to laws. R² is that after the best increasing line: levels differ.

A second table says what a few large runs add: `multi_scale` on all runs of the smaller sizes and some of the
largest, against those alone, by the error of the large runs that were not fitted; means over draws.
"""

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.mixing_laws import objective_of
from benchmarks.tables import note, tidy_tables
from mixlaws.arrays import FloatArray
from mixlaws.auto.auto import Auto
from mixlaws.auto.members import MEMBERS
from mixlaws.errors import MixlawsError
from mixlaws.estimator import AnyEstimator
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.multi_scale import MultiScale
from mixlaws.swarm import Swarm, mixture_numbers
from mixlaws.validation import affine_calibrated_r2, spearman

FEW, DRAWS = (1, 2, 4, 8, 13), 8
TOGETHER = "multi_scale"


def methods(objective: Mapping[str, float]) -> dict[str, AnyEstimator]:
    """Methods by the name that they are reported under; multi_scale alone sees several sizes."""
    ladder = {name: member.estimator for name, member in MEMBERS.items() if name != "constant"}
    stacks = {
        "auto": Auto(objective=dict(objective)),
        "auto --prefer transfer": Auto(objective=dict(objective), prefer="transfer"),
    }
    return {**ladder, **stacks}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with tables and targets.json")
    parser.add_argument("--file", default="5mix.csv")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    targets = json.loads((chosen.data / "targets.json").read_text(encoding="utf-8"))["targets"]
    shares = {name: float(target["weight"]) for name, target in targets.items()}
    sizes = sizes_of(chosen.data, chosen.file)
    if len(sizes) < 2:
        parser.error(f"{chosen.file} has no two sizes with runs of as many mixtures")
    objective = objective_of(next(iter(sizes.values())), shares)
    found = {
        "transfer": ranks(sizes, objective, folds=chosen.folds),
        "few_large_runs": few_large_runs(list(sizes.values()), objective),
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def sizes_of(folder: Path, file: str) -> dict[str, Swarm]:
    """Swarms by size, smallest first: those with the most runs."""
    tables = [table for table in tidy_tables(folder) if table.file == file]
    most = max((len(table.swarm) for table in tables), default=0)
    kept = [table for table in tables if len(table.swarm) == most]
    kept.sort(key=lambda table: float(np.max(table.swarm.model_parameters)))  # type: ignore[arg-type]
    return {table.size: table.swarm for table in kept}


def ranks(sizes: Mapping[str, Swarm], objective: Mapping[str, float], *, folds: int) -> list[dict[str, Any]]:
    """A row for every method and pair of sizes."""
    rows = []
    names = list(sizes)
    for at, small in enumerate(names[:-1]):
        for name, estimator in methods(objective).items():
            several = name == TOGETHER and at > 0
            if name == TOGETHER and not several:
                continue
            fitted = joined([sizes[own] for own in names[: at + 1]]) if several else sizes[small]
            predicted = left_out(estimator, fitted, sizes[small], folds)
            if isinstance(predicted, str):
                note(f"{small}: {name} left out: {predicted}")
                continue
            for large in names[at + 1 :]:
                measured = sizes[large].values @ sizes[large].coefficients(objective)
                told = matched(sizes[small], predicted, sizes[large]) @ sizes[large].coefficients(objective)
                rows.append(
                    {
                        "method": name,
                        "fitted": f"up to {small}" if several else small,
                        "ranked": large,
                        "spearman": spearman(measured, told),
                        "r2": affine_calibrated_r2(measured, told),
                    }
                )
            note(f"{small}: {name}")
    return rows


def left_out(estimator: AnyEstimator, fitted: Swarm, asked: Swarm, folds: int) -> FloatArray | str:
    """(n, t) predictions of mixtures by fits that did not see them at any size; or why there are none."""
    everything = np.concatenate([fitted.weights, asked.weights])
    numbers = mixture_numbers(everything)
    fold = np.random.default_rng(0).permutation(int(numbers.max()) + 1)[numbers] % folds
    predicted = np.empty_like(asked.values)
    for part in range(folds):
        kept = fitted.take(np.flatnonzero(fold[: len(fitted)] != part))
        rows = fold[len(fitted) :] == part
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of optimisers, once for each of many fits
            try:
                predictor = estimator.fit(kept, rng=np.random.default_rng(part))
            except MixlawsError as error:
                return str(error)
        predicted[rows] = predictor.predict(asked.weights[rows])
    return predicted


def matched(small: Swarm, predicted: FloatArray, large: Swarm) -> FloatArray:
    """(n, t) predictions in the order of the large runs, whose mixtures are those of the small ones."""
    distance = np.abs(large.weights[:, None, :] - small.weights).max(axis=2)
    if distance.min(axis=1).max() > 1e-9:
        raise SystemExit("the sizes of this table were not run on the same mixtures")
    return np.asarray(predicted[distance.argmin(axis=1)])


def few_large_runs(sizes: Sequence[Swarm], objective: Mapping[str, float]) -> list[dict[str, Any]]:
    """Errors of large runs that were not fitted, by number of those that were."""
    *small, large = sizes
    coefficients = large.coefficients(objective)
    rows = []
    for count in FEW:
        found: dict[str, list[tuple[float, float]]] = {}
        for draw in range(DRAWS):
            order = np.random.default_rng(draw).permutation(len(large))
            some, rest = large.take(order[:count]), large.take(order[count:])
            measured = rest.values @ coefficients
            fits: dict[str, tuple[AnyEstimator, Swarm]] = {
                "large alone": (GaussianProcess(), some),
                "smaller alone": (GaussianProcess(), small[-1]),
                "multi_scale, one smaller size": (MultiScale(), joined([small[-1], some])),
                "multi_scale, all smaller sizes": (MultiScale(), joined([*small, some])),
            }
            for name, (estimator, runs) in fits.items():
                if len({tuple(row) for row in runs.weights.tolist()}) < 4:
                    continue
                predictor = estimator.fit(runs, rng=np.random.default_rng(draw))
                told = predictor.predict(rest.weights) @ coefficients
                error = float(np.abs(told - measured).mean())
                found.setdefault(name, []).append((error, spearman(measured, told) or 0.0))
        note(f"{count} large runs")
        for name, scores in found.items():
            mae, rank = np.mean(scores, axis=0)
            rows.append({"large_runs": count, "method": name, "mae": float(mae), "spearman": float(rank)})
    return rows


def joined(parts: Sequence[Swarm]) -> Swarm:
    """The runs of several sizes as one swarm."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("weights", "values", "model_parameters", "tokens")
    }
    return replace(parts[0], seeds=None, **columns)


def show(found: dict[str, Any]) -> None:
    """The same as tables."""
    rows = found["transfer"]
    pairs = list(dict.fromkeys((row["fitted"].removeprefix("up to "), row["ranked"]) for row in rows))
    table = Table("method", *(f"{a} to {b}" for a, b in pairs), title="Rank correlation of left-out mixtures")
    for name in dict.fromkeys(row["method"] for row in rows):
        cells = []
        for a, b in pairs:
            own = [
                row for row in rows
                if (row["method"], row["fitted"].removeprefix("up to "), row["ranked"]) == (name, a, b)
            ]  # fmt: skip
            cells.append("" if not own or own[0]["spearman"] is None else f"{own[0]['spearman']:.3f}")
        table.add_row(name, *cells)
    few = Table("large runs", "method", "error, nats", "rank", title="Large runs that were not fitted")
    for row in found["few_large_runs"]:
        few.add_row(str(row["large_runs"]), row["method"], f"{row['mae']:.4f}", f"{row['spearman']:.3f}")
    for part in (table, few):
        Console().print(part)


if __name__ == "__main__":
    main()
