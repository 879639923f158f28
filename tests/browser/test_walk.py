"""The walk of a newcomer, every step by a click: runs, a fit, a proposal, the next sweep, a job."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched, watched
from tests.mixwright.offline.swarms import simulated
from tests.support.servers import Service

pytestmark = pytest.mark.browser

STUDY, JOB, STEP = "my-study", "my-job", 64


def told_command(page: Page, folder: Path, **environment: str) -> None:
    """Do what the first page tells a newcomer who has runs."""
    words = shlex.split(page.locator("#command-import").inner_text())
    assert words[0] == "mixwright"
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={"HOME": str(folder), "PYTHONPATH": ":".join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def enter(chromium: Browser, service: Service, key: str) -> Watched:
    """Log in with a key."""
    seen = watched(chromium, service.url, width=1280)
    seen.page.goto(service.url + "/login", wait_until="networkidle")
    seen.page.fill("#key", key)
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    seen.page.wait_for_load_state("networkidle")
    return seen


def ask_for_a_fit(seen: Watched) -> None:
    page = seen.page
    page.get_by_role("link", name=STUDY).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(STUDY)
    seen.drawn()
    page.get_by_role("combobox", name="method", exact=True).select_option("exponential")
    page.get_by_role("button", name="Ask for a fit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("exponential")
    expect(page.get_by_role("link", name="Try mixtures by hand")).to_be_visible(timeout=60_000)
    seen.drawn()


def ask_for_proposals(seen: Watched) -> None:
    page = seen.page
    page.get_by_role("link", name="Try mixtures by hand").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What exponential predicts")
    seen.drawn()
    slider = page.get_by_role("slider").first
    before = page.locator("[data-told=gain]").first.inner_text()
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[data-told=gain]").first).not_to_have_text(before)
    expect(page.locator("#predicted")).to_have_attribute("aria-busy", "false")
    page.get_by_label("how many").fill("2")
    page.get_by_role("button", name="Ask for a proposal").click()
    expect(page.get_by_role("heading", name="Mixtures, as shares")).to_be_visible(timeout=60_000)
    seen.drawn()


def shares(page: Page, table: str, row: int = 1) -> list[str]:
    """A column of shares of a table, as people read them."""
    return page.locator(f"{table} tbody td:nth-child({row + 1})").all_inner_texts()


def test_from_runs_to_a_job_by_clicks_alone(
    chromium: Browser, populated: tuple[Service, dict[str, str]], tmp_path: Path
) -> None:
    service, _ = populated
    key = service.new_key(project="walk")
    (tmp_path / "my-swarm").mkdir()
    simulated(tmp_path / "my-swarm" / "runs.csv")
    (tmp_path / "tokens.json").write_text(json.dumps({f"domain-{i}": 10**9 for i in range(3)}))
    seen = enter(chromium, service, key)
    page = seen.page
    told_command(page, tmp_path, MIXWRIGHT_URL=service.url, MIXWRIGHT_KEY=key)
    page.get_by_role("link", name="Mixwright", exact=True).click()
    ask_for_a_fit(seen)
    ask_for_proposals(seen)
    proposed = shares(page, "table[data-name=mixtures]")
    page.get_by_role("button", name="Queue these 2 as the next sweep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(STUDY)
    newest = page.locator("table[data-name=sweeps] tbody tr").first
    expect(newest).to_contain_text("given mixtures")
    expect(newest.locator("td").nth(5)).to_have_text("2")  # waiting
    seen.drawn()
    page.locator("table[data-name=proposals]").get_by_role("link", name="exponential").click()
    expect(page.get_by_role("heading", name="Use it")).to_be_visible()
    seen.drawn()
    page.get_by_label("samples of a step").fill(str(STEP))
    page.get_by_label("name of the job").fill(JOB)
    page.get_by_role("button", name="Make this the schedule of a job").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(JOB)
    expect(page.locator("#connection")).to_have_text("live")
    assert shares(page, "[data-part=domains]") == proposed
    seen.check()
    page.context.close()
