"""How long the pages of the dashboard take with much in them, in headless Chromium.

    python -m benchmarks.dashboard [--rounds 7] [--cold-rounds 3] [--reports 30] [--json]

Starts the service with its own PostgreSQL, fills it by SQL with a study of 10,000 runs over 30 domains, which
is fitted once, and a job of 100,000 reports, and opens each page in three ways: cold is the first page that
a fresh process of the service answers, with an empty cache of the browser; first has an empty cache alone;
again has neither. Seconds are the browser's own, from asking for the page: until something is painted, until
the page's load event, and until all of its figures are drawn. Bytes are of all bodies, the drawing library
apart.

Then reports are sent to a job while its page is open: seconds from the answer to a report until the page,
which is not loaded again, shows its step. Once each brings a new version of the schedule, and once none does.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np
import psycopg
from playwright.sync_api import Browser, BrowserContext, StorageState, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.long_job import fill
from benchmarks.served import Served, served
from benchmarks.stored import Store
from tests.browser.conftest import ARGUMENTS, CHROMIUM

DOMAINS = [f"domain-{number}" for number in range(30)]
RUNS, REPORTS = 10_000, 100_000
LONG, QUIET = "copy-0", "quiet"  # jobs: of a policy that moves weights, and of one that never does
GOALS = {"loaded_seconds": 1.0, "bytes": 1_500_000, "live_seconds": 1.0}
_PATIENCE = 120_000  # milliseconds

# Kept from the first moment of a page: when its last figure was drawn.
_WATCH = """
const selector = ".figure:not(:has(.main-svg))";
const waiting = () => document.readyState === "loading" || document.querySelector(selector);
const look = () => { if (!waiting()) { window.drawnAt ??= performance.now(); observer.disconnect(); } };
const observer = new MutationObserver(look);
observer.observe(document, { childList: true, subtree: true });
document.addEventListener("DOMContentLoaded", look);
"""
_MEASURED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const all = [page, ...performance.getEntriesByType("resource")];
  const sum = (entries) => entries.reduce((total, entry) => total + entry.decodedBodySize, 0);
  const library = all.filter((entry) => entry.name.includes("plotly.min.js"));
  return {
    painted_seconds: performance.getEntriesByName("first-contentful-paint")[0].startTime / 1000,
    loaded_seconds: page.loadEventEnd / 1000,
    drawn_seconds: Math.max(window.drawnAt, page.domContentLoadedEventStart) / 1000,
    bytes: sum(all) - sum(library),
    library_bytes: sum(library),
  };
}"""
_AWAIT_STEP = """step => {
  const cell = document.querySelector("[data-counter=reported_step]");
  window.seen = new Promise((resolve) => {
    const look = () => { if (cell.textContent.trim() === step) resolve(Date.now() / 1000); };
    new MutationObserver(look).observe(cell, { childList: true, characterData: true, subtree: true });
    look();
  });
}"""


def main() -> None:
    """Fill, measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="visits of each page to a warm service")
    parser.add_argument("--cold-rounds", type=int, default=3, help="visits of each page to a fresh process")
    parser.add_argument("--reports", type=int, default=30, help="reports that are waited for on the page")
    chosen = parser.parse_args()
    with served() as service, service.database() as database, sync_playwright() as playwright:
        paths = filled(service, database)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        session = logged_in(browser, service)
        began = os.getloadavg()
        pages = visits(browser, service, session, paths, chosen.rounds, chosen.cold_rounds)
        live = {job: seen(browser, service, session, job, chosen.reports) for job in (LONG, QUIET)}
        browser.close()
    found = {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": {"before": began, "after": os.getloadavg()},
        "runs": RUNS,
        "reports": REPORTS,
        "domains": len(DOMAINS),
        "goals": GOALS,
        "pages": pages,
        "live_seconds": {"with a new version": live[LONG], "without": live[QUIET]},
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def filled(service: Served, database: str) -> dict[str, str]:
    """A study, a fit and jobs with much in them; the addresses of their pages."""
    with psycopg.connect(database, autocommit=True) as connection, http(service) as asked:
        Store(connection, asked, RUNS, DOMAINS).fill(1, 1)
        fill(connection, LONG, REPORTS, len(DOMAINS))
        sent(asked, "/v1/jobs", {
            "name": QUIET, "policy": "static", "samples_per_step": 256, "lead_steps": 20,
            "domains": [{"name": name, "tokens": 10**12} for name in DOMAINS],
        })  # fmt: skip
        sweep = asked.get("/v1/studies/study-0/sweeps").json()["items"][0]["id"]
        fit = sent(asked, "/v1/studies/study-0/fits", {"method": "linear"})
        while fit["state"] in {"queued", "running"}:
            fit = asked.get(f"/v1/fits/{fit['id']}", headers={"Prefer": "wait=20"}).json()
    if fit["state"] != "done":
        raise RuntimeError(f"the fit failed: {fit['error']}")
    return {
        "home": "/",
        "study": "/studies/study-0",
        "sweep": f"/studies/study-0/sweeps/{sweep}",
        "fit": f"/fits/{fit['id']}",
        "job": f"/jobs/{LONG}",
    }


def http(service: Served) -> httpx.Client:
    """A client with the key of the installation."""
    headers = {"Authorization": f"Bearer {service.address.key}"}
    return httpx.Client(base_url=service.address.url, headers=headers, trust_env=False, timeout=60)


def sent(asked: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request that must succeed."""
    answer = asked.post(path, json=body)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def logged_in(browser: Browser, service: Served) -> StorageState:
    """The cookie of somebody who is logged in."""
    context = browser.new_context()
    context.new_page().goto(service.address.login, wait_until="networkidle")
    session = context.storage_state()
    context.close()
    return session


def visits(
    browser: Browser,
    service: Served,
    session: StorageState,
    paths: dict[str, str],
    rounds: int,
    cold_rounds: int,
) -> dict[str, Any]:
    """Every page, visited in all three ways."""

    def fresh() -> BrowserContext:
        return context_of(browser, session)

    found: dict[str, Any] = {}
    for name, path in paths.items():
        url = service.address.url + path
        ways = {"cold": several(cold_rounds, service.start_again, fresh, url)} if cold_rounds else {}
        ways["first"] = several(rounds, lambda: None, fresh, url)
        kept = fresh()
        visited(kept, url)
        ways["again"] = several(rounds, lambda: None, lambda kept=kept: kept, url)  # type: ignore[misc]
        kept.close()
        goals = {goal: all(ways[way][goal]["median"] <= GOALS[goal] for way in ways) for goal in _OF_PAGES}
        found[name] = {**ways, "reached": goals}
    return found


_OF_PAGES = ("loaded_seconds", "bytes")


def several(
    rounds: int, prepare: Callable[[], None], context: Callable[[], BrowserContext], url: str
) -> dict[str, Any]:
    """What some visits of a page measured."""
    rows = []
    for _ in range(rounds):
        prepare()
        rows.append(visited(context(), url))
    return {what: spread([row[what] for row in rows]) for what in rows[0]}


def context_of(browser: Browser, session: StorageState) -> BrowserContext:
    """A browser that was never here, but for its login."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, storage_state=session)
    context.add_init_script(_WATCH)
    return context


def visited(context: BrowserContext, url: str) -> dict[str, float]:
    """Seconds and bytes of one visit."""
    page = context.new_page()
    page.goto(url, wait_until="load", timeout=_PATIENCE)
    expect(page.locator(".figure:not(:has(.main-svg))")).to_have_count(0, timeout=_PATIENCE)
    measured: dict[str, float] = page.evaluate(_MEASURED)
    page.close()
    return measured


def seen(
    browser: Browser, service: Served, session: StorageState, job: str, reports: int
) -> dict[str, float]:
    """Seconds from the answer to a report until its step is on the open page."""
    page = context_of(browser, session).new_page()
    page.goto(f"{service.address.url}/jobs/{job}", wait_until="load", timeout=_PATIENCE)
    expect(page.locator("#connection")).to_have_text("live", timeout=_PATIENCE)
    seconds = []
    pauses = np.random.default_rng(1).uniform(0.3, 1.3, reports)  # whatever the page does meanwhile
    with http(service) as asked:
        for number, pause in enumerate(pauses):
            step = 10 * (REPORTS + number) + 9
            page.evaluate(_AWAIT_STEP, str(step))
            sent(asked, f"/v1/jobs/{job}/reports", {
                "attempt": 1, "source": "rank0", "schedule_version": 1,
                "step_from": step - 9, "step_to": step,
                "loss_sums": dict.fromkeys(DOMAINS, 200.0), "token_counts": dict.fromkeys(DOMAINS, 64),
            })  # fmt: skip
            answered = time.time()
            seconds.append(page.evaluate("window.seen") - answered)
            time.sleep(pause)
    page.context.close()
    return spread(seconds)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Values told in four numbers."""
    return {
        "median": float(np.median(values)),
        "p95": float(np.quantile(values, 0.95)),
        "least": min(values),
        "most": max(values),
    }


def show(found: dict[str, Any]) -> None:
    """The findings as a table: medians, and the longest in brackets."""
    table = Table("page", "visit", "painted, s", "loaded, s", "figures drawn, s", "KiB", "of the library")
    for name, ways in found["pages"].items():
        for way in ("cold", "first", "again"):
            if row := ways.get(way):
                seconds = [row[f"{what}_seconds"] for what in ("painted", "loaded", "drawn")]
                kib = [row[what]["median"] / 1024 for what in ("bytes", "library_bytes")]
                told = [f"{one['median']:.2f} ({one['most']:.2f})" for one in seconds]
                table.add_row(name, way, *told, *(f"{one:.0f}" for one in kib))
    Console().print(table)
    for what, row in found["live_seconds"].items():
        words = f"median {row['median']:.2f} s, p95 {row['p95']:.2f} s, at most {row['most']:.2f} s"
        print(f"a report {what} is on the open page after: {words}")
    print(f"{found['cores']} cores, load average {found['load_average']}")


if __name__ == "__main__":
    main()
