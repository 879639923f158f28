"""Regret of choosing runs in batches, and rank correlation on the way, on RegMix's published runs.

    python -m benchmarks.active_sweep --data DIR [--seeds 10] [--target-seeds 10] [--json]

DIR holds `train_mixture_1m.csv` and `train_pile_loss_1m.csv`. A run costs nothing here: a method asks for
8 of the 512 at a time, is told their losses, and asks again, after the same 16 random runs as every other.
Regret is the loss of the best run asked for minus that of the best of all 512; rank correlation is that of
the method's predictions with the losses of all. It is measured for the mean of the targets, then for every
single target.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from benchmarks.arguments import arguments
from benchmarks.tables import note, regmix_train
from mixlaws.arrays import FloatArray
from mixlaws.proposers.explore import batch
from mixlaws.regressors.gaussian_process import RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.process import roots
from mixlaws.swarm import Swarm
from mixlaws.validation import spearman

START, BATCH, REPORTED = 16, 8, (24, 32, 48, 64)
DRAWS = 256
CLIMB_TOP = 64  # of the candidates of best prediction, from which a batch is drawn


@dataclass(frozen=True, eq=False)
class Round:
    """What a method knows when it is asked: the pool of mixtures, and the losses of those that were run."""

    pool: Swarm
    taken: list[int]
    rng: np.random.Generator

    @property
    def finished(self) -> Swarm:
        """The runs so far."""
        return self.pool.take(self.taken)

    @property
    def left(self) -> list[int]:
        """Runs that were not asked for."""
        return sorted(set(range(len(self.pool))) - set(self.taken))


# A method gives the next runs and (n,) predictions of the objective for the whole pool, or None.
Method = Callable[[Round], tuple[list[int], FloatArray | None]]


def explore(known: Round) -> tuple[list[int], FloatArray | None]:
    """Ours: the Gaussian process of every target, and a batch by joint draws of their mean."""
    fitted = RoughGaussianProcess().fit(known.finished, rng=known.rng)
    draws = fitted.sample(known.pool.weights, count=DRAWS, rng=known.rng).mean(axis=2)
    chosen = batch(draws, count=BATCH, taken=np.array(known.taken))
    return chosen, fitted.predict(known.pool.weights).mean(axis=1)


def random(known: Round) -> tuple[list[int], FloatArray | None]:
    """Any runs."""
    return known.rng.choice(known.left, BATCH, replace=False).tolist(), None


def regmix(known: Round) -> tuple[list[int], FloatArray | None]:
    """Random runs, which is RegMix's design, with LightGBM's predictions."""
    fitted = LightGbm().fit(_objective(known.finished), rng=known.rng)
    return random(known)[0], fitted.predict(known.pool.weights)[:, 0]


def climb(known: Round) -> tuple[list[int], FloatArray | None]:
    """As in CLIMB: a batch is drawn from those that LightGBM predicts to be best (sizes unverified)."""
    fitted = LightGbm().fit(_objective(known.finished), rng=known.rng)
    predicted = fitted.predict(known.pool.weights)[:, 0]
    best = sorted(known.left, key=lambda j: predicted[j])[:CLIMB_TOP]
    return known.rng.choice(best, BATCH, replace=False).tolist(), predicted


def plain_gp(known: Round) -> tuple[list[int], FloatArray | None]:
    """Lower confidence bound of scikit-learn's Gaussian process of the log objective, one length for all.

    The best of seventeen settings, picked with their regret in sight: it may be flattered, and is not weak.
    """
    runs = _objective(known.finished)
    kernel = ConstantKernel() * Matern(1.0, (1e-2, 1e2), nu=2.5) + WhiteKernel(1e-3)
    process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(roots(runs.weights, 4), np.log(runs.values[:, 0]))
    predicted, deviation = process.predict(roots(known.pool.weights, 4), return_std=True)
    bound = predicted - 2 * deviation
    return sorted(known.left, key=lambda j: float(bound[j]))[:BATCH], np.asarray(predicted)


METHODS: Mapping[str, Method] = {
    "explore": explore, "random": random, "regmix": regmix, "climb": climb, "plain_gp": plain_gp,
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, published=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--target-seeds", type=int, default=10, help="for single targets")
    parser.add_argument("--mean-only", action="store_true", help="leave the single targets out")
    chosen = parser.parse_args()
    pool = regmix_train(chosen.data)
    results = [row for name in METHODS for row in measure(name, pool, seeds=chosen.seeds)]
    per_target = [
        {**row, "target": target}
        for target in ([] if chosen.mean_only else pool.targets)
        for name in METHODS
        for row in measure(name, pool.only([target]), seeds=chosen.target_seeds)
    ]
    found = {
        "seeds": chosen.seeds,
        "target_seeds": chosen.target_seeds,
        "results": results,
        "per_target": per_target,
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measure(name: str, pool: Swarm, *, seeds: int) -> list[dict[str, Any]]:
    """A row for every number of runs; means over seeds."""
    walks = [_walk(METHODS[name], pool, seed) for seed in range(seeds)]
    note(f"{name}, {'mean loss' if len(pool.targets) > 1 else pool.targets[0]}: {seeds} seeds")
    rows = []
    for runs in REPORTED:
        regrets = [walk[runs][0] for walk in walks]
        ranks = [walk[runs][1] for walk in walks]
        rows.append(
            {
                "method": name,
                "runs": runs,
                "regret": mean(regrets),
                "regret_worst": max(regrets),
                "spearman": None if None in ranks else mean(rank or 0.0 for rank in ranks),
            }
        )
    return rows


def _walk(method: Method, pool: Swarm, seed: int) -> dict[int, tuple[float, float | None]]:
    """(regret, rank correlation) after each reported number of runs."""
    rng = np.random.default_rng(seed)
    taken = rng.permutation(len(pool))[:START].tolist()
    objective = pool.values.mean(axis=1)
    found = {}
    while True:
        following, predicted = method(Round(pool, taken, rng))
        if len(taken) in REPORTED:
            rank = None if predicted is None else spearman(objective, predicted)
            found[len(taken)] = (float(objective[taken].min() - objective.min()), rank)
        if len(taken) >= REPORTED[-1]:
            return found
        taken = taken + following


def _objective(runs: Swarm) -> Swarm:
    """The runs with the mean of their targets alone."""
    return replace(runs, targets=("mean",), values=runs.values.mean(axis=1, keepdims=True))


def show(found: dict[str, Any]) -> None:
    """The same as tables."""
    table = Table(
        "method", *(f"regret, {runs} runs" for runs in REPORTED), *(f"rank, {runs}" for runs in REPORTED),
        title=f"Mean loss of RegMix's runs, nats: means over {found['seeds']} seeds",
    )  # fmt: skip
    for name in METHODS:
        rows = [row for row in found["results"] if row["method"] == name]
        ranks = ["" if row["spearman"] is None else f"{row['spearman']:.3f}" for row in rows]
        table.add_row(name, *(f"{row['regret']:.4f}" for row in rows), *ranks)
    Console().print(table)
    if not found["per_target"]:
        return
    table = Table(
        "method", *(f"{runs} runs" for runs in REPORTED),
        title=f"Regret of single targets, nats ({found['target_seeds']} seeds): median, and the worst",
    )  # fmt: skip
    for name in METHODS:
        cells = []
        for runs in REPORTED:
            rows = [row for row in found["per_target"] if (row["method"], row["runs"]) == (name, runs)]
            worst = max(rows, key=lambda row: row["regret"])
            told = f"{median(row['regret'] for row in rows):.4f}, {worst['regret']:.4f}"
            cells.append(told + (f" ({worst['target']})" if worst["regret"] > 0 else ""))
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
