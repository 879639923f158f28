"""Whether intervals hold as many runs as they say, and probabilities of beating the prior come true.

    python -m benchmarks.calibration [--regmix DIR] [--mixing-laws DIR] [--json]

Intervals of `auto` at 80 and 95 %: on RegMix's runs that a fit of 64 did not see, and on the runs of 5mix.csv
left out of fits of the other mixtures, both for runs, noise and all. Probabilities: simulated studies with a
known truth, at mixtures between the prior and what is proposed; the Brier score of always answering the base
rate stands beside it. Without the folders of published runs only the simulated part is measured.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.tables import note, regmix_train, tidy_tables
from mixlaws.arrays import FloatArray
from mixlaws.auto.auto import Auto
from mixlaws.intervals import half_widths
from mixlaws.judging import judged
from mixlaws.proposers.explore import Explore
from mixlaws.proposers.simulate import scored
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

LEVELS = (0.80, 0.95)
SUBSETS, RUNS, PARTS, STUDIES = 5, 64, 5, 40


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--regmix", type=Path, help="folder with RegMix's tables")
    parser.add_argument("--mixing-laws", type=Path, help="folder with 5mix.csv")
    chosen = parser.parse_args()
    rows = []
    if chosen.regmix:
        train = regmix_train(chosen.regmix)
        splits = [np.random.default_rng(k).permutation(len(train)) for k in range(SUBSETS)]
        rows.append(coverage("RegMix 1M, 64 runs", train, [(order[:RUNS], order[RUNS:]) for order in splits]))
    if chosen.mixing_laws:
        for table in tidy_tables(chosen.mixing_laws):
            if table.file == "5mix.csv":
                folds = np.random.default_rng(0).permutation(len(table.swarm)) % PARTS
                pairs = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(PARTS)]
                rows.append(coverage(f"5mix {table.size}, {PARTS} parts", table.swarm, pairs))
    found = {"intervals": rows, "probabilities": probabilities()}
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def coverage(name: str, swarm: Swarm, splits: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Shares of held-out values inside the intervals; all targets and splits together."""
    inside: dict[float, list[npt.NDArray[np.bool_]]] = {level: [] for level in LEVELS}
    for k, (kept, left_out) in enumerate(splits):
        fitted = Auto().fit(swarm.take(kept), rng=np.random.default_rng(k))
        unseen = swarm.take(left_out)
        error = np.abs(fitted.predict(unseen.weights) - unseen.values)
        deviation = fitted.deviation(unseen.weights)
        for level, found in inside.items():
            found.append(error <= half_widths(fitted, deviation, level=level))
        note(f"{name}: {k + 1} of {len(splits)}")
    shares = {f"{level:.0%}": float(np.concatenate(found).mean()) for level, found in inside.items()}
    return {"data": name, "values": sum(part.size for part in inside[LEVELS[0]]), **shares}


def probabilities() -> dict[str, float]:
    """Brier scores over simulated studies."""
    told, true = [], []
    for seed in range(STUDIES):
        rng = np.random.default_rng(seed)
        simulation = Simulation.create(domains=5, rng=rng)
        swarm = simulation.swarm(count=16, noise=0.03, rng=rng)
        fitted = GaussianProcess().fit(swarm, rng=rng)
        problem = simulation.problem
        best = Explore(kept=100).propose(fitted, problem, count=1, rng=rng)[0].weights
        for share in (0.1, 0.4, 1.0, -0.1):
            mixture = _between(problem.prior, best, share)
            proposal = scored(mixture, fitted, problem, details={})
            verdict = judged(proposal, fitted, problem, sampled=swarm.weights, noise=0.03, rng=rng)
            told.append(verdict.details["probability_better"])
            both = simulation.truth.predict(np.stack([mixture, problem.prior]))
            true.append(float(np.diff(problem.objective(both))[0] > 0))
    answers, truth = np.array(told), np.array(true)
    base = truth.mean()
    return {
        "questions": len(truth),
        "base_rate": float(base),
        "brier": float(((answers - truth) ** 2).mean()),
        "brier_of_base_rate": float(base * (1 - base)),
    }


def _between(prior: FloatArray, best: FloatArray, share: float) -> FloatArray:
    """A step from the prior to the best; a negative share steps away, as far as weights allow."""
    moved = np.maximum(prior + share * (best - prior), 0.0)
    return np.asarray(moved / moved.sum())


def show(found: dict[str, Any]) -> None:
    """The same as a table."""
    table = Table(
        "held-out values of", "values", *(f"in {level:.0%}" for level in LEVELS), title="Intervals of auto"
    )
    for row in found["intervals"]:
        table.add_row(row["data"], str(row["values"]), *(f"{row[f'{level:.0%}']:.1%}" for level in LEVELS))
    console = Console()
    if found["intervals"]:
        console.print(table)
    scores = found["probabilities"]
    console.print(
        f"probability of beating the prior, {scores['questions']} questions: Brier score "
        f"{scores['brier']:.3f}, {scores['brier_of_base_rate']:.3f} if the answer is always "
        f"{scores['base_rate']:.2f}"
    )


if __name__ == "__main__":
    main()
