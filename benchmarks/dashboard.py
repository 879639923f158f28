"""How long the pages of the dashboard take with much in them, in headless Chromium.

    python -m benchmarks.dashboard [--rounds 7] [--json]

Starts the service with its own PostgreSQL, fills it by SQL with a study of 10,000 runs over 30 domains and a
job of 100,000 reports, logs in, and opens each page several times with an empty cache. Seconds are until the
page's load event and until its figures are drawn; bytes are those of all answers but the drawing library's.
Then a report is sent to the job while its page is open, until the page shows it.
"""

import json
import time
from statistics import median
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Browser, Page, Response, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.long_job import fill
from benchmarks.served import Served, served
from benchmarks.stored import Store
from tests.browser.conftest import ARGUMENTS, CHROMIUM

DOMAINS = [f"domain-{number}" for number in range(30)]
RUNS, REPORTS = 10_000, 100_000
PAGES = {"home": "/", "study": "/studies/study-0", "job": "/jobs/copy-0"}
DRAWN = "count => document.querySelectorAll('.figure .main-svg').length >= count"


def main() -> None:
    """Fill, measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with served() as service, service.database() as database, sync_playwright() as playwright:
        filled(service, database)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = measured(browser, service, chosen.rounds)
        browser.close()
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def filled(service: Served, database: str) -> None:
    """A study and a job with much in them."""
    with psycopg.connect(database, autocommit=True) as connection, http(service) as asked:
        Store(connection, asked, RUNS, DOMAINS).fill(1, 1)
        fill(connection, "copy-0", REPORTS, len(DOMAINS))


def http(service: Served) -> httpx.Client:
    """A client with the key of the installation."""
    headers = {"Authorization": f"Bearer {service.address.key}"}
    return httpx.Client(base_url=service.address.url, headers=headers, trust_env=False, timeout=60)


def measured(browser: Browser, service: Served, rounds: int) -> dict[str, Any]:
    """Each page, and how soon a report is seen."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(service.address.login, wait_until="networkidle")
    session = context.storage_state()
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in PAGES}
    for _ in range(rounds):
        for name, path in PAGES.items():
            fresh = browser.new_context(viewport={"width": 1280, "height": 900}, storage_state=session)
            rows[name].append(opened(fresh.new_page(), service.address.url + path))
            fresh.close()
    seconds = [seen(page, service, number) for number in range(rounds)]
    return {
        "runs": RUNS,
        "reports": REPORTS,
        "domains": len(DOMAINS),
        "pages": {
            name: {what: median(row[what] for row in told) for what in told[0]}
            | {"longest_seconds": max(row["seconds"] for row in told)}
            for name, told in rows.items()
        },
        "live_seconds": {"median": median(seconds), "longest": max(seconds)},
    }


def opened(page: Page, url: str) -> dict[str, float]:
    """Seconds and bytes of one visit."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it sets attributes of it
    began = time.perf_counter()
    page.goto(url, wait_until="load")
    loaded = time.perf_counter() - began
    page.wait_for_function(DRAWN, arg=page.locator(".figure").count())
    drawn = time.perf_counter() - began
    own = [answer for answer in answers if "plotly.min.js" not in answer.url and "/events" not in answer.url]
    return {"seconds": loaded, "drawn_seconds": drawn, "bytes": sum(len(answer.body()) for answer in own)}


def seen(page: Page, service: Served, number: int) -> float:
    """Seconds from sending a report to its step being on the open page."""
    page.goto(service.address.url + PAGES["job"], wait_until="load")
    page.wait_for_function("document.getElementById('connection').textContent === 'live'")
    step = 10 * (REPORTS + number) + 9
    body = {
        "attempt": 1, "source": "rank0", "step_from": step - 9, "step_to": step, "schedule_version": 1,
        "loss_sums": dict.fromkeys(DOMAINS, 200.0), "token_counts": dict.fromkeys(DOMAINS, 64),
    }  # fmt: skip
    began = time.perf_counter()
    with http(service) as asked:
        asked.post("/v1/jobs/copy-0/reports", json=body).raise_for_status()
    page.wait_for_function(
        "step => document.querySelector('[data-counter=reported_step]').textContent.trim() === step",
        arg=str(step),
    )
    return time.perf_counter() - began


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    table = Table("page", "seconds", "longest", "figures drawn", "KiB without the drawing library")
    for name, row in found["pages"].items():
        table.add_row(
            name, f"{row['seconds']:.2f}", f"{row['longest_seconds']:.2f}", f"{row['drawn_seconds']:.2f}",
            f"{row['bytes'] / 1024:.0f}",
        )  # fmt: skip
    Console().print(table)
    live = found["live_seconds"]
    print(f"a report is on the open page after {live['median']:.2f} s, at most {live['longest']:.2f} s")


if __name__ == "__main__":
    main()
