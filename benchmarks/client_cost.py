"""What following a job costs a training loop's own thread: microseconds a step.

    python -m benchmarks.client_cost [--steps 20000] [--json]

Starts the service with its own PostgreSQL in a temporary folder, and a client whose threads poll and
report while the loop runs: 22 domains, 512 samples a step, ODM, a report and a new version every 10 steps.
Timed are the reading of the schedule (`stage`), the handing over of measurements (`record`, its reports
included), and, apart from these, the sampler. A step of training is a product of two matrices, during which
the other threads get their turn.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from mixclient.documents.jobs import JobIn
from mixclient.documents.shared import DomainBody
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.reports import DOMAINS
from benchmarks.served import served
from mixclient import MixtureClient, Sampler, ServiceClient
from mixwright.demo.service_process import Address

SAMPLES = 512
SCHEDULE, RECORD, BOTH, SAMPLER = "schedule", "record", "schedule and record", "sampler, all samples"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    chosen = parser.parse_args()
    with served() as service:
        found = measured(service.address, service.folder, chosen.steps)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measured(address: Address, folder: Path, steps: int) -> dict[str, Any]:
    """Costs of each step, and what the threads did meanwhile."""
    rows: list[DomainBody] = [{"name": domain, "tokens": tokens} for domain, tokens in DOMAINS.items()]
    job: JobIn = {
        "name": "cost",
        "policy": "odm",
        "domains": rows,
        "samples_per_step": SAMPLES,
        "lead_steps": 200,
    }
    with ServiceClient(address.url, address.key) as service:
        service.create_job(job)
    client = MixtureClient(address.url, address.key, job="cost", folder=folder / "client")
    client.start()
    clocks = np.empty((steps, 4))
    counts = [64 * SAMPLES // len(DOMAINS)] * len(DOMAINS)
    matrix, product = np.ones((2, 256, 256))
    for step in range(steps):
        sums = [(2 + d / 22 + 3 / (step + 1) ** 0.5) * count for d, count in enumerate(counts)]
        begun = time.perf_counter_ns()
        client.stage(step)
        read = time.perf_counter_ns()
        client.record(step, loss_sums=sums, token_counts=counts)
        recorded = time.perf_counter_ns()
        Sampler(client.schedule).step(step)
        clocks[step] = begun, read, recorded, time.perf_counter_ns()
        np.matmul(matrix, matrix, out=product)
    client.close()
    reading, recording, drawing = np.diff(clocks, axis=1).T / 1000
    timed = {SCHEDULE: reading, RECORD: recording, BOTH: reading + recording, SAMPLER: drawing}
    counted = client.counters()
    return {
        "steps": steps,
        "microseconds": {name: summary(costs) for name, costs in timed.items()},
        "sampler_microseconds_per_sample": float(drawing.mean() / SAMPLES),
        "reports_sent": counted["sent_reports"],
        "schedules_followed": counted["schedules"],
    }


def summary(costs: Any) -> dict[str, float]:
    """Mean, median and 99th percentile."""
    return {
        "mean": float(costs.mean()),
        "median": float(np.median(costs)),
        "p99": float(np.quantile(costs, 0.99)),
    }


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    table = Table("each step", "mean, µs", "median, µs", "99 %, µs")
    for name, costs in found["microseconds"].items():
        table.add_row(name, *(f"{costs[of]:.1f}" for of in ("mean", "median", "p99")))
    Console().print(table)
    print(
        f"sampler: {found['sampler_microseconds_per_sample']:.2f} µs a sample; meanwhile "
        f"{found['reports_sent']} reports were sent and {found['schedules_followed']} schedules followed"
    )


if __name__ == "__main__":
    main()
