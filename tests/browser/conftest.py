"""A populated service and a headless Chromium that watches what pages do."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from service.keys.sessions import create_link
from tests.support.databases import fresh_database
from tests.support.populated import populate
from tests.support.servers import Service, running

CHROMIUM = os.environ.get("MIXWRIGHT_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",  # tests may run as root, where Chromium's sandbox does not work
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Watched:
    """A page, with everything it complained about and everybody it talked to."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Open a page and wait until its figures are drawn."""
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer is not None
        self.drawn()

    def drawn(self) -> None:
        """Wait until the figures of the page are drawn: what is left before would count as failed."""
        self.page.wait_for_load_state("load")
        expect(self.page.locator(".figure:not(:has(.main-svg))")).to_have_count(0, timeout=30_000)

    def check(self) -> None:
        """Nothing was complained about, and nobody else was talked to."""
        assert self.complaints == []
        assert self.hosts <= {urlsplit(self.url).netloc}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is not there: install Chromium, or set MIXWRIGHT_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def populated(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, dict[str, str]]]:
    with (
        fresh_database(postgres_url) as database,
        running(database, tmp_path_factory.mktemp("data")) as service,
    ):
        yield service, populate(service)


def watched(browser: Browser, url: str, *, width: int, scheme: str = "light") -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    seen = Watched(context.new_page(), url)
    seen.page.on(
        "console", lambda m: seen.complaints.append(m.text) if m.type in {"error", "warning"} else None
    )
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on(
        "request", lambda r: seen.hosts.add(urlsplit(r.url).netloc) if r.url.startswith("http") else None
    )
    seen.page.on("requestfailed", lambda r: seen.complaints.append(f"failed: {r.url} {r.failure}"))
    return seen


def logged_in(browser: Browser, service: Service, *, width: int = 1280, scheme: str = "light") -> Watched:
    with service.database.session() as session:
        link = create_link(session)
    seen = watched(browser, service.url, width=width, scheme=scheme)
    # Whole, with its icon: what the next page interrupts would count as failed.
    seen.page.goto(f"{service.url}/login?link={link}", wait_until="networkidle")
    return seen
