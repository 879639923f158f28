"""Durable reports a second, against a bare loop that makes the same rows durable.

    python -m benchmarks.reports [--seconds 5] [--rounds 3] [--json]

Starts the service with its own PostgreSQL in a temporary folder; fsync is on, and a report is answered
once it is committed. 64 jobs of 22 domains follow ODM; reporters send one report a request, each over a
connection of its own, as fast as they are answered. The bare loop is psycopg in a process of its own on the
same server: it locks a job's row, inserts the same report and updates the state, a transaction each. Both
take turns; the figures are medians over the rounds.
"""

import asyncio
import itertools
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import psycopg
from mixclient.documents.shared import DomainBody
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.load import encoded, load
from benchmarks.served import served
from mixclient import ServiceClient
from mixwright.demo.service_process import Address

DOMAINS = {f"domain-{index}": 1_000_000 for index in range(22)}
JOBS = 64
REPORTERS = (1, 8, 32, 128)
IN_A_BATCH = 10
MOST_CONNECTIONS = 80  # of the bare loop: the server takes 100 in all


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policy", default="odm")
    chosen = parser.parse_args()
    with served() as service, service.database() as database:
        found = measured(service.address, service.pid, database, chosen)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measured(address: Address, pid: int, database: str, chosen: Any) -> dict[str, Any]:
    """Rates of the service and of the bare loop, in turns."""
    served: dict[str, list[dict[str, float]]] = {}
    bare: dict[str, list[float]] = {}
    prepare(database)
    for number in range(chosen.rounds):
        for reporters in REPORTERS:
            bare.setdefault(str(reporters), []).append(
                in_child(bare_rate, database, min(reporters, MOST_CONNECTIONS), chosen.seconds)
            )
            for batch in (1, IN_A_BATCH) if reporters == 32 else (1,):
                jobs = f"load-{number}-{reporters}-{batch}"
                create_jobs(address, jobs, chosen.policy, sources=max(1, reporters // JOBS))
                before = psutil.Process(pid).cpu_times()
                one = in_child(served_rate, address, jobs, reporters, batch, chosen.seconds)
                after = psutil.Process(pid).cpu_times()
                cpu = after.user + after.system - before.user - before.system
                one["cpu_us"] = 1e6 * cpu / one["reports"]
                served.setdefault(f"{reporters}" + (f"x{batch}" if batch > 1 else ""), []).append(one)
    tps = {name: median(one["rate"] for one in rows) for name, rows in served.items()}
    loop = {name: median(rates) for name, rates in bare.items()}
    return {
        "policy": chosen.policy,
        "bare_tps": loop["32"],
        "bare": loop,
        "tps": tps,
        "ratio_32": tps["32"] / loop["32"],
        "batch_ratio_32": tps[f"32x{IN_A_BATCH}"] / loop["32"],
        "p50_ms": {name: median(one["p50_ms"] for one in rows) for name, rows in served.items()},
        "p99_ms": {name: median(one["p99_ms"] for one in rows) for name, rows in served.items()},
        "p50_ms_1": median(one["p50_ms"] for one in served["1"]),
        "p99_ms_32": median(one["p99_ms"] for one in served["32"]),
        "cpu_us_per_report": {name: median(one["cpu_us"] for one in rows) for name, rows in served.items()},
        "rounds": {
            "served": {name: [one["rate"] for one in rows] for name, rows in served.items()},
            "bare": bare,
        },
    }


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, in a fresh process: the load must not share an interpreter with anything."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def served_rate(address: Address, jobs: str, reporters: int, batch: int, seconds: float) -> dict[str, float]:
    """Reports a second through the service, and their latency."""
    deadline = time.monotonic() + seconds
    headers = {"Host": urlsplit(address.url).netloc, "Authorization": f"Bearer {address.key}",
               "Content-Type": "application/json"}  # fmt: skip
    sources = [requests(headers, jobs, reporter, reporters, batch, deadline) for reporter in range(reporters)]
    answers = asyncio.run(load(address.url, [partial(next, one, None) for one in sources]))
    if set(answers.statuses) != {200}:
        raise RuntimeError(f"reports were refused: {answers.statuses}")
    count = len(answers.seconds) * batch
    milliseconds = 1e3 * np.array(answers.seconds)
    return {
        "reports": count,
        "rate": count / answers.elapsed,
        "p50_ms": float(np.median(milliseconds)),
        "p99_ms": float(np.quantile(milliseconds, 0.99)),
    }


def requests(
    headers: dict[str, str], jobs: str, reporter: int, reporters: int, batch: int, deadline: float
) -> Iterator[bytes]:
    """One report after the other, to the jobs of this reporter in turn."""
    mine = [number for number in range(JOBS) if number % min(reporters, JOBS) == reporter % JOBS]
    for step in itertools.count(0, batch):
        reports = [report(step + offset, f"rank{reporter // JOBS}") for offset in range(batch)]
        body = json.dumps(reports[0] if batch == 1 else {"reports": reports}).encode()
        for number in mine:
            if time.monotonic() >= deadline:
                return
            yield encoded("POST", f"/v1/jobs/{jobs}-{number}/reports", headers, body)


def report(step: int, source: str) -> dict[str, Any]:
    """What a trainer measured in a step."""
    return {
        "attempt": 1, "source": source, "step_from": step, "step_to": step, "schedule_version": 1,
        "loss_sums": {name: 200.0 + at + (step * 7 + at) % 13 for at, name in enumerate(DOMAINS)},
        "token_counts": dict.fromkeys(DOMAINS, 64),
    }  # fmt: skip


def create_jobs(address: Address, prefix: str, policy: str, *, sources: int) -> None:
    """Jobs that so many sources report of."""
    named = [f"rank{source}" for source in range(sources)]
    with ServiceClient(address.url, address.key) as client:
        for number in range(JOBS):
            create_job(client, f"{prefix}-{number}", policy=policy, sources=named)


def create_job(
    client: ServiceClient, name: str, *, policy: str = "odm", sources: Sequence[str] = ("rank0",)
) -> None:
    """A job over 22 domains."""
    rows: list[DomainBody] = [{"name": domain, "tokens": tokens} for domain, tokens in DOMAINS.items()]
    client.create_job(
        {
            "name": name, "policy": policy, "domains": rows, "samples_per_step": 256, "lead_steps": 20,
            "sources": list(sources),
        }
    )  # fmt: skip


def prepare(database: str) -> None:
    """Tables of the bare loop: those of the service, without what its other columns and keys cost."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare_jobs (id int PRIMARY KEY, seq bigint, state jsonb)")
        connection.execute(
            "CREATE TABLE bare_reports (job_id int, attempt int, source text, step_to bigint, "
            "step_from bigint, schedule_version int, loss_sums double precision[], token_counts bigint[], "
            "signals jsonb, "
            "applied_seq bigint, PRIMARY KEY (job_id, attempt, source, step_to))"
        )


def bare_rate(database: str, reporters: int, seconds: float) -> float:
    """Transactions a second of a loop that does nothing else."""
    state = json.dumps({"weights": [1 / 22] * 22, "estimates": [0.123456789] * 22, "step": 1})
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("TRUNCATE bare_jobs, bare_reports")
        rows = [(number, 0, state) for number in range(JOBS)]
        connection.cursor().executemany("INSERT INTO bare_jobs VALUES (%s, %s, %s)", rows)
    counts = [0] * reporters
    deadline = time.monotonic() + seconds

    def work(reporter: int) -> None:
        mine = [number for number in range(JOBS) if number % min(reporters, JOBS) == reporter % JOBS]
        losses, tokens = [200.0 + at for at in range(22)], [64] * 22
        with psycopg.connect(database) as connection:
            for step in itertools.count():
                for job in mine:
                    if time.monotonic() >= deadline:
                        return
                    with connection.transaction():
                        connection.execute("SELECT seq, state FROM bare_jobs WHERE id = %s FOR UPDATE", [job])
                        connection.execute(
                            "INSERT INTO bare_reports VALUES (%s, 1, %s, %s, %s, 1, %s, %s, '{}', %s)",
                            [job, f"rank{reporter}", step, step, losses, tokens, step],
                        )
                        connection.execute(
                            "UPDATE bare_jobs SET seq = seq + 1, state = %s WHERE id = %s", [state, job]
                        )
                    counts[reporter] += 1

    threads = [threading.Thread(target=work, args=(reporter,)) for reporter in range(reporters)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    table = Table("reporters", "bare", "reports/s", "median, ms", "99 %, ms", "CPU of the service, µs")
    for name, rate in found["tps"].items():
        table.add_row(
            name, f"{found['bare'].get(name, found['bare_tps']):.0f}", f"{rate:.0f}",
            f"{found['p50_ms'][name]:.1f}", f"{found['p99_ms'][name]:.1f}",
            f"{found['cpu_us_per_report'][name]:.0f}",
        )  # fmt: skip
    Console().print(table)
    print(f"of the bare loop at 32: {found['ratio_32']:.2f}, in batches of ten {found['batch_ratio_32']:.2f}")


if __name__ == "__main__":
    main()
