"""What a fit costs as runs, domains and targets grow: seconds of one core, and memory at its peak.

    python -m benchmarks.fit_scale [--only full] [--json]

Every fit is a process of its own. From 1000 runs, 16 domains and 16 targets each size grows alone; last,
`auto` on 10,000 runs with 64 domains and 64 targets. What would take minutes is left out.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from mixlaws.auto.members import MEMBERS, Sizes
from mixlaws.domains import DomainSet
from mixlaws.registry import ESTIMATORS
from mixlaws.simulation import SaturatingTruth
from mixlaws.swarm import Swarm

BASE = Sizes(1000, 16, 16)
FULL = Sizes(10_000, 64, 64)
GROWN = {"n": (250, 4000, 10_000), "d": (4, 64), "t": (4, 64)}
METHODS = ("linear", "exponential", "gaussian_process", "lightgbm")
LONGEST_SECONDS = 60.0  # of a fit, as `auto` estimates it
MIB = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in KiB elsewhere


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--only", choices=("grown", "full"), help="one size at a time, or auto at the full size"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--one", nargs=4, metavar=("METHOD", "N", "D", "T"), help="one fit, in this process")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(fitted(chosen.one[0], Sizes(*map(int, chosen.one[1:])))))
        return
    grown = [BASE, *(BASE._replace(**{axis: size}) for axis, sizes in GROWN.items() for size in sizes)]
    wanted = [] if chosen.only == "full" else [(name, sizes) for name in METHODS for sizes in grown]
    wanted += [] if chosen.only == "grown" else [("auto", FULL)]
    rows = [measured(name, sizes) for name, sizes in wanted]
    print(json.dumps(rows, indent=1)) if chosen.json else show(rows)


def measured(name: str, sizes: Sizes) -> dict[str, object]:
    """Cost of one fit in a process of its own."""
    row: dict[str, object] = {"method": name, "runs": sizes.n, "domains": sizes.d, "targets": sizes.t}
    estimate = MEMBERS[name].cost(sizes._replace(folds=1)) if name in MEMBERS else 0.0
    if estimate > LONGEST_SECONDS:
        return row | {"left_out": f"about {estimate:.0f} s"}
    command = [sys.executable, "-m", "benchmarks.fit_scale", "--one", name, *map(str, sizes[:3])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    cost: dict[str, object] = json.loads(found.stdout)
    return row | cost


def fitted(name: str, sizes: Sizes) -> dict[str, object]:
    """Seconds of one core, and peak memory of this process."""
    import resource  # noqa: PLC0415 - POSIX systems alone have it

    swarm = simulated(sizes)
    started = time.process_time()
    predictor = ESTIMATORS[name]().fit(swarm, rng=np.random.default_rng(0))
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    found: dict[str, object] = {"core_seconds": seconds, "peak_mib": peak}
    if name == "auto":
        kept = ("member", "weight", "spearman", "seconds", "note")
        found["table"] = [{key: getattr(row, key) for key in kept} for row in predictor.table]
    return found


def simulated(sizes: Sizes) -> Swarm:
    """A swarm of saturating responses: a target is served by one domain, and a little by the others."""
    rng = np.random.default_rng(0)
    own = np.arange(sizes.d) == np.arange(sizes.t)[:, None] % sizes.d
    shape = (sizes.t, sizes.d)
    gain = np.where(own, rng.uniform(0.6, 1.6, shape), rng.uniform(0, 0.15, shape))
    rate = np.where(own, rng.uniform(6, 14, shape), rng.uniform(1, 4, shape))
    truth = SaturatingTruth(rng.uniform(2.5, 3.5, sizes.t), gain, rate)
    weights = rng.dirichlet(np.full(sizes.d, 0.5), size=sizes.n)
    # By parts: the truth of all at once has an entry for every run, target and domain.
    parts = np.array_split(weights, max(sizes.n // 500, 1))
    values = np.concatenate([truth.predict(part) for part in parts])
    names = tuple(f"domain-{j}" for j in range(sizes.d))
    return Swarm(
        DomainSet(names, (1,) * sizes.d),
        tuple(f"target-{t}" for t in range(sizes.t)),
        weights,
        values + 0.01 * rng.standard_normal(values.shape),
    )


def show(rows: list[dict[str, object]]) -> None:
    """The same as tables."""
    table = Table("method", "runs", "domains", "targets", "core, s", "memory, MiB", title="Cost of a fit")
    for row in rows:
        cost = [str(row["left_out"]), ""] if "left_out" in row else [
            f"{row['core_seconds']:.1f}", f"{row['peak_mib']:.0f}"
        ]  # fmt: skip
        table.add_row(*(str(row[key]) for key in ("method", "runs", "domains", "targets")), *cost)
    Console().print(table)
    for member in rows[-1].get("table", []):  # type: ignore[attr-defined]
        print(
            f"{member['member']}: weight {member['weight']:.2f}, {member['seconds']:.0f} s. {member['note']}"
        )


if __name__ == "__main__":
    main()
