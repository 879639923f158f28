"""What live steering costs a trainer, and what one service carries.

    python -m benchmarks.reports [--trainers 8] [--seconds 10] [--json]

Starts the service with its own PostgreSQL in a temporary folder. First the training loop: the time that
`step` and `record` take in each step, with the service there, with it gone, and for a loop that only draws
from a fixed schedule. Then the service: that many trainers report as fast as they are answered.
"""

import json
import os
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from mixclient import MixtureClient, Sampler, Schedule, ServiceClient
from mixwright.demo.service_process import Address, ServiceProcess

DOMAINS = {f"domain-{index}": 1_000_000 for index in range(22)}
STEPS = 3000
BATCH = 256


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--trainers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MIXWRIGHT_DATA_FOLDER"] = str(Path(folder) / "data")
        service = ServiceProcess()
        try:
            address = service.start()
            found = {
                "loop": loops(address, Path(folder)),
                "service": load(address, chosen.trainers, chosen.seconds),
            }
        finally:
            service.stop()
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def loops(address: Address, folder: Path) -> list[dict[str, Any]]:
    """Microseconds of each step in three training loops."""
    with ServiceClient(address.url, address.key) as client:
        create_job(client, "loop")
    fixed = Sampler(Schedule.static(dict.fromkeys(DOMAINS, 1 / len(DOMAINS)), samples_per_step=BATCH))
    rows = [timed("a fixed schedule, nothing reported", fixed.step)]
    for name, url in (("following, service there", address.url), ("following, service gone", None)):
        follower = MixtureClient(
            url or "http://127.0.0.1:9", address.key, job="loop", folder=folder / name,
            fallback=dict.fromkeys(DOMAINS, 1 / len(DOMAINS)), samples_per_step=BATCH,
        )  # fmt: skip
        follower.start(timeout=0.1)
        counts = [64] * len(DOMAINS)

        def one(step: int, follower: MixtureClient = follower, counts: list[int] = counts) -> None:
            follower.step(step)
            follower.record(step, loss_sums=[200.0] * len(counts), token_counts=counts)

        rows.append(timed(name, one))
        follower.close(timeout=0.5)
    return rows


def timed(name: str, one: Any) -> dict[str, Any]:
    """Median, 99th percentile and longest time of a step."""
    taken = []
    for step in range(STEPS):
        started = time.perf_counter()
        one(step)
        taken.append(1e6 * (time.perf_counter() - started))
        time.sleep(0.001)  # a step of training, in which other threads get their turn
    return {
        "loop": name,
        "median_us": median(taken),
        "p99_us": float(np.quantile(taken, 0.99)),
        "longest_us": max(taken),
    }


def load(address: Address, trainers: int, seconds: float) -> dict[str, Any]:
    """Reports a second and their latency, with so many trainers at once."""
    taken: list[float] = []
    threads = [
        threading.Thread(target=report_on, args=(address, f"load-{n}", seconds, taken))
        for n in range(trainers)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "trainers": trainers,
        "reports": len(taken),
        "reports_per_second": len(taken) / (time.perf_counter() - started),
        "median_ms": 1e3 * median(taken),
        "p99_ms": 1e3 * float(np.quantile(taken, 0.99)),
    }


def report_on(address: Address, job: str, seconds: float, taken: list[float]) -> None:
    """Report one step after the other, and note how long each took."""
    with ServiceClient(address.url, address.key) as client:
        create_job(client, job)
        deadline, step = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            body = {
                "attempt": 1, "source": "rank0", "step_from": step, "step_to": step, "schedule_version": 1,
                "loss_sums": dict.fromkeys(DOMAINS, 200.0), "token_counts": dict.fromkeys(DOMAINS, 64),
            }  # fmt: skip
            started = time.perf_counter()
            client.call("POST", f"/v1/jobs/{job}/reports", body=body)
            taken.append(time.perf_counter() - started)
            step += 1


def create_job(client: ServiceClient, name: str) -> None:
    """A job over 22 domains that follows ODM."""
    rows = [{"name": domain, "tokens": tokens} for domain, tokens in DOMAINS.items()]
    client.create_job(
        {"name": name, "policy": "odm", "domains": rows, "samples_per_step": BATCH, "lead_steps": 20}
    )


def show(found: dict[str, Any]) -> None:
    """The findings as two tables."""
    table = Table("training loop", "median, µs", "99 %, µs", "longest, µs", title="Each step pays")
    for row in found["loop"]:
        table.add_row(row["loop"], *(f"{row[name]:.0f}" for name in ("median_us", "p99_us", "longest_us")))
    Console().print(table)
    carried = found["service"]
    print(
        f"{carried['trainers']} trainers at once: {carried['reports_per_second']:.0f} reports a second, "
        f"{carried['median_ms']:.0f} ms each at the median, {carried['p99_ms']:.0f} ms at 99 %"
    )


if __name__ == "__main__":
    main()
