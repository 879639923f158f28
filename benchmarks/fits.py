"""Held-out quality and time of every law and regressor, at several numbers of proxy runs.

    python -m benchmarks.fits [FOLDER] [--json]

FOLDER holds `data/regmix`, the published 1M runs of RegMix; by default the folder that
MIXWRIGHT_REFERENCE_DATA names. Every method is fitted to the same random subsets of the 512 training runs
and scored on the 256 published test runs, which no fit sees.
"""

import json
import os
import time
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.registry import ESTIMATORS
from mixlaws.swarm import Swarm
from mixlaws.validation import spearman
from tests.reference_data import regmix

SIZES = (32, 64, 128)
SUBSETS = 5


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("MIXWRIGHT_REFERENCE_DATA"))
    chosen = parser.parse_args()
    if chosen.folder is None:
        raise SystemExit("left out: name the folder of published data, or set MIXWRIGHT_REFERENCE_DATA")
    train, held_out = (regmix(Path(chosen.folder), part) for part in ("train", "test"))
    rows = [measure(name, size, train, held_out) for name in ESTIMATORS for size in SIZES]
    if chosen.json:
        print(json.dumps(rows, indent=1))
    else:
        show(rows)


def measure(name: str, size: int, train: Swarm, held_out: Swarm) -> dict[str, object]:
    """Scores of one method over random subsets of one size."""
    ranks, errors, seconds = [], [], []
    for subset in range(SUBSETS):
        rng = np.random.default_rng(subset)
        part = train.take(rng.choice(len(train), size, replace=False))
        started = time.perf_counter()
        try:
            predictor = ESTIMATORS[name]().fit(part, rng=rng)
        except (InvalidInputError, SwarmTooSmallError) as error:
            return {"method": name, "runs": size, "left_out": str(error)}
        seconds.append(time.perf_counter() - started)
        predicted = predictor.predict(held_out.weights)
        by_target = [
            spearman(held_out.values[:, t], predicted[:, t]) or 0.0 for t in range(len(held_out.targets))
        ]
        ranks.append(median(by_target))
        errors.append(float(np.abs(predicted - held_out.values).mean()))
    return {
        "method": name,
        "runs": size,
        "subsets": SUBSETS,
        "spearman_median": median(ranks),
        "spearman_worst": min(ranks),
        "mae": median(errors),
        "mae_worst": max(errors),
        "fit_seconds": median(seconds),
    }


def show(rows: list[dict[str, object]]) -> None:
    """The same as a table."""
    table = Table(
        "method", "runs", "rank correlation", "worst", "error, nats", "worst", "fit, s",
        title=f"RegMix 1M: median over targets, then over {SUBSETS} subsets; scored on 256 runs not seen",
    )  # fmt: skip
    for row in rows:
        if "left_out" in row:
            table.add_row(str(row["method"]), str(row["runs"]), "too few runs")
            continue
        numbers = [row[name] for name in ("spearman_median", "spearman_worst", "mae", "mae_worst")]
        table.add_row(
            str(row["method"]), str(row["runs"]), *(f"{n:.3f}" for n in numbers), f"{row['fit_seconds']:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
