"""Seconds from 512 finished runs to a mixture: the published way, a law, and the method that tries all.

    OMP_NUM_THREADS=1 python -m benchmarks.decision_speed --data DIR [--repeats 3] [--json]

DIR holds RegMix's `train_mixture_1m.csv` and `train_pile_loss_1m.csv`. The published decision fits 1000
trees to each of 13 targets, scores 100,000 simulated mixtures and averages the best 128. Against it stand
the exponential law with the minimum under caps, and `auto` with its whole score table and the same
minimum. All run in turn in this process, and on one
thread with the setting above. The last number is the exponential law with the
settings of its published recipe, one fit for each target.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.tables import note, regmix_train
from mixlaws.auto.auto import Auto
from mixlaws.domains import DomainSet
from mixlaws.estimator import AnyEstimator
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import SimulateAndAverage
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.swarm import Swarm
from tests.reference_data import REGMIX_PRIOR

PUBLISHED_LEAF = 20  # the library's default, which the published recipe keeps
TOKENS = 1_000_000_000  # of all domains together, by the prior
FINAL_TOKENS = TOKENS // 2
EPOCHS = 4.0


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, published=True)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.repeats < 1:
        parser.error(f"--repeats is {chosen.repeats}: use at least 1")
    swarm = regmix_train(chosen.data)
    found = measure(swarm, chosen.repeats)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measure(swarm: Swarm, repeats: int) -> dict[str, Any]:
    """Medians of a few repeats, and what they compare to."""
    seconds: dict[str, list[float]] = {"reference": [], "law": [], "auto": [], "exponential": []}
    for repeat in range(repeats):
        seconds["reference"].append(timed(lambda: published(swarm)))
        seconds["law"].append(timed(lambda: exploited(swarm, ExponentialLaw())))
        seconds["auto"].append(timed(lambda: exploited(swarm, Auto())))
        seconds["exponential"].append(fit_of_one_target(swarm))
        note(
            f"repeat {repeat + 1} of {repeats}: "
            + ", ".join(f"{n} {s[-1]:.3f} s" for n, s in seconds.items())
        )
    reference, law, auto = (median(seconds[name]) for name in ("reference", "law", "auto"))
    return {
        "runs": len(swarm),
        "targets": len(swarm.targets),
        "repeats": repeats,
        "reference_seconds": reference,
        "law_seconds": law,
        "law_ratio": reference / law,
        "auto_seconds": auto,
        "auto_ratio": reference / auto,
        "exponential_ms_per_target": 1000 * median(seconds["exponential"]),
    }


def published(swarm: Swarm) -> None:
    """RegMix's decision, with its published numbers."""
    rng = np.random.default_rng(0)
    trees = LightGbm(rounds=1000, learning_rate=0.01, min_data_in_leaf=PUBLISHED_LEAF).fit(swarm, rng=rng)
    SimulateAndAverage(samples=100_000, top=128).propose(
        trees, problem(swarm, capped=False), count=1, rng=rng
    )


def exploited(swarm: Swarm, estimator: AnyEstimator) -> None:
    """A fit, and the minimum of what it predicts under caps; with deviations if it knows any."""
    rng = np.random.default_rng(0)
    ConvexProposer().propose(estimator.fit(swarm, rng=rng), problem(swarm, capped=True), count=1, rng=rng)


def fit_of_one_target(swarm: Swarm) -> float:
    """Mean seconds of a fit of the exponential law to one target, settings as published."""
    law = ExponentialLaw(ridge=0.0, huber_delta=0.05, raw_residuals=True)
    parts = [swarm.only([target]) for target in swarm.targets]
    return mean(timed(partial(law.fit, part, rng=np.random.default_rng(0))) for part in parts)


def problem(swarm: Swarm, *, capped: bool) -> MixtureProblem:
    """The published prior; capped, each domain may be read four times in a run of half of all tokens."""
    names = swarm.domains.names
    tokens = tuple(round(TOKENS * REGMIX_PRIOR[name]) for name in names)
    return MixtureProblem.create(
        DomainSet(names, tokens),
        final_tokens=FINAL_TOKENS if capped else None,
        max_epochs=dict.fromkeys(names, EPOCHS),
    )


def timed(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def show(found: dict[str, Any]) -> None:
    """The same as a table."""
    table = Table("decision", "seconds", "times faster", title=f"From {found['runs']} runs to a mixture")
    table.add_row("published: trees, simulate and average", f"{found['reference_seconds']:.2f}", "1")
    for name, text in (("law", "exponential law, minimum under caps"), ("auto", "auto, the same minimum")):
        table.add_row(text, f"{found[name + '_seconds']:.2f}", f"{found[name + '_ratio']:.1f}")
    table.caption = f"one fit of the exponential law: {found['exponential_ms_per_target']:.1f} ms a target"
    Console().print(table)


if __name__ == "__main__":
    main()
