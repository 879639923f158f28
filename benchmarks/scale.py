"""What a full store costs those who ask: a million runs, twenty million observations, ten thousand live jobs.

    python -m benchmarks.scale [--asked 200] [--json]

Starts the service with its own PostgreSQL in a temporary folder, fills the store by SQL, first with one
study of 10,000 runs and 100 jobs, then with a hundred times as much, and asks at both sizes. One caller, one
request at a time; a swarm is the load of all runs of a study for a fit.
"""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.served import served
from benchmarks.stored import RUNS_OF_A_STUDY, TARGETS, Store
from mixwright.demo.service_process import Address

SIZES = {"10^4": (1, 100), "10^6": (100, 10_000)}  # studies, jobs
SWARMS = 5


def main() -> None:
    """Fill, measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--asked", type=int, default=200, help="requests of each kind")
    chosen = parser.parse_args()
    with served() as service, service.database() as database:
        found = measured(service.address, database, chosen.asked)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def measured(address: Address, database: str, asked: int) -> dict[str, Any]:
    """Milliseconds of each kind of request at each size, and how they grow."""
    sizes: dict[str, Any] = {}
    headers = {"Authorization": f"Bearer {address.key}"}
    with (
        psycopg.connect(database, autocommit=True) as connection,
        httpx.Client(base_url=address.url, headers=headers, trust_env=False, timeout=60) as http,
    ):
        store = Store(connection, http)
        for name, (studies, jobs) in SIZES.items():
            began = time.perf_counter()
            store.fill(studies, jobs)
            filled = time.perf_counter() - began
            rows = {what: summary(times) for what, times in questions(store, http, database, asked).items()}
            sizes[name] = {"filled_seconds": filled, "stored": store.counted(), "milliseconds": rows}
    small, large = (sizes[name]["milliseconds"] for name in SIZES)
    return {
        "targets": TARGETS,
        "runs_of_a_study": RUNS_OF_A_STUDY,
        "sizes": sizes,
        "growth": {what: large[what]["median"] / small[what]["median"] for what in large},
    }


def questions(store: Store, http: httpx.Client, database: str, asked: int) -> dict[str, list[float]]:
    """Milliseconds of every request."""
    rng = random.Random(7)  # noqa: S311 - which rows are asked for
    found: dict[str, list[float]] = {}

    def ask(what: str, times: int, request: Callable[[], None]) -> None:
        for number in range(times + 3):
            began = time.perf_counter()
            request()
            if number >= 3:  # the first ones meet cold caches
                found.setdefault(what, []).append(1e3 * (time.perf_counter() - began))

    def fetched(method: str, path: str, **kwargs: Any) -> Any:
        response = http.request(method, path, **kwargs)
        response.raise_for_status()
        return response.json() if response.content else None

    ask("list of studies", asked, lambda: fetched("GET", "/v1/studies"))
    ask("list of jobs", asked, lambda: fetched("GET", "/v1/jobs"))
    ask("first page of runs", asked, lambda: fetched("GET", f"/v1/studies/{store.a_study(rng)}/runs"))
    cursors = [store.cursor(rng) for _ in range(asked + 3)]
    ask("later page of runs", asked, lambda: fetched("GET", cursors.pop()))
    ask("claim", asked, lambda: fetched("POST", "/v1/runs/claim", json={"worker": f"w{rng.random()}"}))
    ask(
        "claim of a study",
        asked,
        lambda: fetched(
            "POST", "/v1/runs/claim", json={"worker": f"w{rng.random()}", "study": store.a_study(rng)}
        ),
    )
    ask("poll", asked, lambda: fetched("GET", f"/v1/jobs/{store.a_job(rng)}/schedule"))
    ask("report", asked, lambda: fetched("POST", f"/v1/jobs/{store.a_job(rng)}/reports", json=store.report()))
    with Store.loading(database) as loaded:
        ask("swarm", SWARMS, lambda: loaded(store.study_ids[rng.randrange(len(store.study_ids))]))
    return found


def summary(times: list[float]) -> dict[str, float]:
    """Median, 99th percentile and longest."""
    return {"median": float(np.median(times)), "p99": float(np.quantile(times, 0.99)), "longest": max(times)}


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    table = Table("milliseconds", *(f"{name}: median, 99 %" for name in found["sizes"]), "growth")
    for what, growth in found["growth"].items():
        rows = [size["milliseconds"][what] for size in found["sizes"].values()]
        table.add_row(what, *(f"{row['median']:.1f}, {row['p99']:.1f}" for row in rows), f"{growth:.2f}")
    Console().print(table)
    for name, size in found["sizes"].items():
        print(f"{name}: {size['stored']}, filled in {size['filled_seconds']:.0f} s")


if __name__ == "__main__":
    main()
