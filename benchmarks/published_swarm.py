"""Rank correlation on RegMix's published test runs, of methods that were fitted to few 1M runs.

    python -m benchmarks.published_swarm --data DIR [--runs 64] [--subsets 5] [--prefer transfer] [--json]

DIR holds the published tables under their own names: `train_mixture_1m.csv`, `train_pile_loss_1m.csv`, and
for each test set `test_mixture_1m.csv` with `test_pile_loss_1m.csv` (60m and 1B alike). Every method is
fitted to the same random subsets of the training runs. A fit is given its subset and nothing else: test
sets are scored when it is done.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.tables import note, regmix_tests, regmix_train
from mixlaws.auto.auto import Auto
from mixlaws.errors import MixlawsError
from mixlaws.estimator import AnyEstimator, Predictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.swarm import Swarm
from mixlaws.validation import spearman

TEST_SETS = ("1m", "60m", "1B")
PUBLISHED_LEAF = 20  # the library's default, which the published recipe keeps
SMALLEST_SWARM = 2


def methods(prefer: Literal["accuracy", "transfer"]) -> dict[str, AnyEstimator]:
    """Methods by the name that they are reported under."""
    return {
        "auto": Auto(prefer=prefer),
        "gaussian_process": GaussianProcess(),
        "rough_gaussian_process": RoughGaussianProcess(),
        "exponential": ExponentialLaw(),
        "lightgbm": LightGbm(min_data_in_leaf=PUBLISHED_LEAF),
        "lightgbm_small_leaves": LightGbm(),
        "linear": Linear(),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, published=True)
    parser.add_argument("--runs", type=int, default=64, help="training runs of each subset")
    parser.add_argument("--subsets", type=int, default=5)
    parser.add_argument("--prefer", choices=("accuracy", "transfer"), default="accuracy", help="of auto")
    chosen = parser.parse_args()
    train = regmix_train(chosen.data)
    if not SMALLEST_SWARM <= chosen.runs <= len(train):
        parser.error(f"--runs is {chosen.runs}: use {SMALLEST_SWARM} to {len(train)}")
    if chosen.subsets < 1:
        parser.error(f"--subsets is {chosen.subsets}: use at least 1")
    tests = regmix_tests(chosen.data, train)
    results = []
    for name, estimator in methods(chosen.prefer).items():
        results += measure(name, estimator, train, tests, runs=chosen.runs, subsets=chosen.subsets)
    found = {
        "prefer": chosen.prefer,
        "results": results,
        "not_run": [name for name in TEST_SETS if name not in tests],
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measure(
    name: str, estimator: AnyEstimator, train: Swarm, tests: Mapping[str, Swarm], *, runs: int, subsets: int
) -> list[dict[str, Any]]:
    """A row for every test set."""
    ranks: dict[str, list[float]] = {test_set: [] for test_set in tests}
    seconds = []
    for subset in range(subsets):
        part = train.take(np.random.default_rng(subset).permutation(len(train))[:runs])
        started = time.perf_counter()
        try:
            predictor = estimator.fit(part, rng=np.random.default_rng(subset))
        except MixlawsError as error:
            note(f"{name}: {error}")
            return [
                {"method": name, "test_set": test_set, "runs": runs, "spearman": None, "left_out": str(error)}
                for test_set in tests
            ]
        seconds.append(time.perf_counter() - started)
        for test_set, held_out in tests.items():
            ranks[test_set].append(100 * mean_rank_correlation(predictor, held_out))
        note(f"{name}, subset {subset + 1} of {subsets}: {seconds[-1]:.1f} s")
    return [
        {
            "method": name,
            "test_set": test_set,
            "runs": runs,
            "subsets": subsets,
            "targets": len(tests[test_set].targets),
            "test_runs": len(tests[test_set]),
            "spearman": float(np.mean(found)),
            "spearman_deviation": float(np.std(found, ddof=1)) if subsets > 1 else None,
            "spearman_worst": min(found),
            "fit_seconds": float(np.median(seconds)),
        }
        for test_set, found in ranks.items()
    ]


def mean_rank_correlation(predictor: Predictor, held_out: Swarm) -> float:
    """Mean over targets; a constant prediction ranks nothing, and counts as 0."""
    predicted = predictor.predict(held_out.weights)
    ranks = [spearman(held_out.values[:, t], predicted[:, t]) for t in range(len(held_out.targets))]
    return float(np.mean([rank or 0.0 for rank in ranks]))


def show(found: dict[str, Any]) -> None:
    """The same as a table."""
    table = Table(
        "method", "test set", "runs", "rank x 100", "deviation", "worst", "fit, s",
        title=f"RegMix, rank correlation: mean of targets, then of subsets; auto prefers {found['prefer']}",
    )  # fmt: skip
    for row in sorted(found["results"], key=lambda row: (row["test_set"], -(row["spearman"] or 0.0))):
        head = (row["method"], row["test_set"], str(row["runs"]))
        if "left_out" in row:
            table.add_row(*head, "not fitted")
            continue
        spread = row["spearman_deviation"]
        table.add_row(
            *head,
            f"{row['spearman']:.2f}",
            "" if spread is None else f"{spread:.2f}",
            f"{row['spearman_worst']:.2f}",
            f"{row['fit_seconds']:.1f}",
        )
    if found["not_run"]:
        table.caption = f"not run, as the folder holds no such tables: {', '.join(found['not_run'])}"
    Console().print(table)


if __name__ == "__main__":
    main()
