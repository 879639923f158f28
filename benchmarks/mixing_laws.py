"""Error of the overall loss of a mixture that was left out, on the published runs of Data Mixing Laws.

    python -m benchmarks.mixing_laws --data DIR [--processes 2] [--json]

DIR holds tidy tables (`size`, `step`, `mixture_id`, `validation_domain`, `loss`, `weight_...`) and
`targets.json`, the weight of each validation domain in the overall loss; a table that lacks one of them is
scored by the plain mean. Every size of every table, at the last step that all of its mixtures share: each
mixture is predicted by fits to all the others. Averages are over sizes with at least 12 mixtures.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.tables import Tidy, note, tidy_tables
from mixlaws.arrays import FloatArray, IntArray
from mixlaws.auto.auto import Auto
from mixlaws.errors import MixlawsError
from mixlaws.estimator import AnyEstimator
from mixlaws.laws.additive import AdditiveLaw
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.transfer import TransferLaw
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.swarm import Swarm, mixture_numbers
from mixlaws.validation import score

MIXTURES_TO_AVERAGE = 12
DRAWS = 4000
OURS = "auto"
Errors = Mapping[str, FloatArray]  # signed errors of the overall loss by method


def methods(objective: Mapping[str, float]) -> dict[str, AnyEstimator]:
    """Methods by the name that they are reported under."""
    return {
        OURS: Auto(objective=dict(objective)),
        "gaussian_process": GaussianProcess(),
        "rough_gaussian_process": RoughGaussianProcess(),
        "additive": AdditiveLaw(),
        "transfer": TransferLaw(),
        "exponential": ExponentialLaw(),
        "exponential_unregularised": ExponentialLaw(ridge=0.0),
        "lightgbm": LightGbm(min_data_in_leaf=3),
        "linear": Linear(),
        "constant": Constant(),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with tables and targets.json")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", metavar="FILE:SIZE", help="one size of one table, such as 5mix.csv:70M")
    chosen = parser.parse_args()
    targets = json.loads((chosen.data / "targets.json").read_text(encoding="utf-8"))["targets"]
    shares = {name: float(target["weight"]) for name, target in targets.items()}
    tables = [t for t in tidy_tables(chosen.data) if chosen.only in {None, f"{t.file}:{t.size}"}]
    if not tables:
        parser.error(f"no such table in {chosen.data}")
    found = summary(tables, [objective_of(t.swarm, shares) for t in tables], chosen.processes)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def objective_of(swarm: Swarm, shares: Mapping[str, float]) -> dict[str, float]:
    """Weights of the targets in the overall loss."""
    whole = set(shares) <= set(swarm.targets)
    return dict(shares) if whole else dict.fromkeys(swarm.targets, 1.0)


def summary(
    tables: Sequence[Tidy], objectives: Sequence[Mapping[str, float]], processes: int
) -> dict[str, Any]:
    """Scores of every method on every table, their averages, and paired differences."""
    by_table = [
        left_out(table, objective, processes) for table, objective in zip(tables, objectives, strict=True)
    ]
    results = [
        row(table, objective, method, errors)
        for table, objective, found in zip(tables, objectives, by_table, strict=True)
        for method, errors in found.items()
    ]
    large = [
        (table, found)
        for table, found in zip(tables, by_table, strict=True)
        if distinct(table.swarm) >= MIXTURES_TO_AVERAGE
    ]
    kept = [r for r in results if r["averaged"]]
    everywhere = [name for name in methods({}) if large and all(name in found for _, found in large)]
    averages = [
        {
            "method": name,
            "mae": float(np.mean([r["mae"] for r in kept if r["method"] == name])),
            "r2": float(np.mean([r["r2"] for r in kept if r["method"] == name])),
            "tables": len(large),
        }
        for name in everywhere
    ]
    return {"results": results, "averages": averages, "paired": paired(large, everywhere)}


def left_out(table: Tidy, objective: Mapping[str, float], processes: int) -> Errors:
    """Errors of the methods that could be fitted without each of the mixtures."""
    groups = mixture_numbers(table.swarm.weights)
    coefficients = table.swarm.coefficients(objective)
    folds = range(distinct(table.swarm))
    errors: dict[str, FloatArray] = {}
    for name, estimator in methods(objective).items():
        parts = Parallel(n_jobs=processes)(
            delayed(overall_errors)(
                estimator, table.swarm, coefficients, np.flatnonzero(groups == fold), fold
            )
            for fold in folds
        )
        refused = [part for part in parts if isinstance(part, str)]
        if refused:
            note(f"{table.file} {table.size}: {name} left out: {refused[0]}")
            continue
        errors[name] = np.empty(len(table.swarm))
        for fold, part in zip(folds, parts, strict=True):
            errors[name][groups == fold] = part
        note(f"{table.file} {table.size}: {name} {np.abs(errors[name]).mean():.4f}")
    return errors


def overall_errors(
    estimator: AnyEstimator, swarm: Swarm, coefficients: FloatArray, held_out: IntArray, seed: int
) -> FloatArray | str:
    """Predicted less measured overall loss of held-out runs; or why the method cannot be fitted."""
    train = swarm.take(np.setdiff1d(np.arange(len(swarm)), held_out))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optimisers, once for each of thousands of fits
        try:
            predictor = estimator.fit(train, rng=np.random.default_rng(seed))
        except MixlawsError as error:
            return str(error)
    return np.asarray((predictor.predict(swarm.weights[held_out]) - swarm.values[held_out]) @ coefficients)


def distinct(swarm: Swarm) -> int:
    """Number of distinct mixtures."""
    return int(mixture_numbers(swarm.weights).max()) + 1


def row(table: Tidy, objective: Mapping[str, float], method: str, errors: FloatArray) -> dict[str, Any]:
    """Scores of one method on one table."""
    measured = table.swarm.values @ table.swarm.coefficients(objective)
    scores = score(measured, measured + errors)
    mixtures = distinct(table.swarm)
    return {
        "method": method,
        "file": table.file,
        "size": table.size,
        "step": table.step,
        "mixtures": mixtures,
        "averaged": mixtures >= MIXTURES_TO_AVERAGE,
        "mae": scores.mae,
        "r2": scores.r2,
    }


def paired(large: Sequence[tuple[Tidy, Errors]], everywhere: Sequence[str]) -> list[dict[str, Any]]:
    """Differences in absolute error, `auto` less the best single method in hindsight.

    For each table its own best method; over all tables both those and the one method that is best on
    average. Intervals resample mixtures; a mixture that several sizes of a file have is drawn for all of
    them together, as their errors go together.
    """
    singles = [name for name in everywhere if name != OURS]
    if OURS not in everywhere or not singles:
        return []
    mae = {name: [float(np.abs(found[name]).mean()) for _, found in large] for name in singles}
    own_best = [min(singles, key=lambda name: mae[name][k]) for k in range(len(large))]
    overall = min(singles, key=lambda name: np.mean(mae[name]))
    rows = [
        {"file": table.file, "size": table.size, "best": best, **interval([(table, gains(found, best))])}
        for (table, found), best in zip(large, own_best, strict=True)
    ]
    hardest = [(table, gains(found, best)) for (table, found), best in zip(large, own_best, strict=True)]
    one = [(table, gains(found, overall)) for table, found in large]
    rows.append({"file": "all", "size": "all", "best": "best of each table", **interval(hardest)})
    rows.append({"file": "all", "size": "all", "best": overall, **interval(one)})
    return rows


def gains(found: Errors, best: str) -> FloatArray:
    """(n,) absolute errors of `auto` less those of another method."""
    return np.asarray(np.abs(found[OURS]) - np.abs(found[best]))


def interval(differences: Sequence[tuple[Tidy, FloatArray]]) -> dict[str, float]:
    """Mean over tables of the mean difference, with its 95 % bootstrap interval over mixtures."""
    rng = np.random.default_rng(0)
    names = {
        file: sorted({name for table, _ in differences if table.file == file for name in table.names})
        for file in {table.file: None for table, _ in differences}
    }
    drawn = {file: rng.multinomial(len(known), np.full(len(known), 1 / len(known)), size=DRAWS)
             for file, known in names.items()}  # fmt: skip
    means = []
    for table, difference in differences:
        columns = [names[table.file].index(name) for name in table.names]
        counts = drawn[table.file][:, columns]
        means.append(counts @ difference / np.maximum(counts.sum(axis=1), 1))
    low, high = np.quantile(np.mean(means, axis=0), [0.025, 0.975])
    return {
        "difference": float(np.mean([difference.mean() for _, difference in differences])),
        "low": float(low),
        "high": float(high),
    }


def show(found: dict[str, Any]) -> None:
    """The same as tables."""
    table = Table("table", "size", "step", "mixtures", "method", "error, nats", "R2",
                  title="Overall loss of a mixture left out")  # fmt: skip
    for r in found["results"]:
        place = (r["file"], r["size"], str(r["step"]), str(r["mixtures"]))
        table.add_row(*place, r["method"], f"{r['mae']:.4f}", "" if r["r2"] is None else f"{r['r2']:.3f}")
    averages = Table("method", "error, nats", "R2", title="Averages over sizes with 12 mixtures or more")
    for r in sorted(found["averages"], key=lambda r: r["mae"]):
        averages.add_row(r["method"], f"{r['mae']:.4f}", f"{r['r2']:.3f}")
    differences = Table("table", "size", "best in hindsight", "auto less it, nats", "95 % interval",
                        title="Paired differences in absolute error")  # fmt: skip
    for r in found["paired"]:
        span = f"{r['low']:+.4f} to {r['high']:+.4f}"
        differences.add_row(r["file"], r["size"], r["best"], f"{r['difference']:+.4f}", span)
    for part in (table, averages, differences):
        Console().print(part)


if __name__ == "__main__":
    main()
