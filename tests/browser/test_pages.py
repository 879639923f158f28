"""Every page, as a browser sees it: drawn, silent, and talking to nobody else."""

import os
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from service.keys.sessions import create_link
from tests.browser.conftest import Watched, logged_in, watched
from tests.support.populated import JOB, report
from tests.support.servers import Service

pytestmark = pytest.mark.browser

PAGES = ("home", "study", "sweep", "fit", "linear-fit", "explore", "proposal", "job")
Populated = tuple[Service, dict[str, str]]


def shoot(seen: Watched, name: str, part: Locator | None = None) -> None:
    """Keep a picture of a page, or of a part of it, for people who asked for pictures."""
    folder = os.environ.get("MIXWRIGHT_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        file = Path(folder) / f"{name}.png"
        part.screenshot(path=file) if part else seen.page.screenshot(path=file, full_page=True)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_without_complaint(
    chromium: Browser, populated: Populated, name: str, width: int
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=width)
    seen.open(paths[name])
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{name} is {overflow} pixels wider than the screen"
    shoot(seen, f"{name}-{width}")
    seen.check()


def test_pages_are_readable_in_the_dark(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, scheme="dark")
    for name in ("study", "job"):
        seen.open(paths[name])
        shoot(seen, f"{name}-dark")
        colour = seen.page.evaluate("getComputedStyle(document.querySelector('.figure .xtick text')).fill")
        assert colour == "rgb(230, 233, 238)", "figures take the text colour of the theme"
    seen.check()


def test_every_link_of_every_page_leads_somewhere(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    links: set[str] = set()
    for path in paths.values():
        seen.open(path)
        links |= set(
            seen.page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))")
        )
    assert len(links) >= len(paths)
    for link in links:
        answer = seen.page.request.get(service.url + link)
        assert answer.status == 200, link


def test_a_job_page_follows_its_job(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["job"])
    expect(seen.page.locator("#connection")).to_have_text("live")
    before = service.client.job(JOB)["reports_accepted"]
    report(service, JOB, 999, np.random.default_rng(7))
    expect(seen.page.locator("[data-counter=reports_accepted]")).to_have_text(str(before + 1))
    expect(seen.page.locator("[data-counter=reported_step]")).to_have_text("999")
    reason = "loss <b>rises</b> & nobody knows why"
    service.client.call("POST", f"/v1/jobs/{JOB}/freeze", body={"reason": reason})
    alert = seen.page.get_by_role("alert")
    expect(alert).to_contain_text(f"An operator holds the weights: frozen: {reason}")
    expect(alert).to_contain_text(f"mixwright job release {JOB}")
    newest = seen.page.locator("[data-part=audit] tbody tr").first.locator("td")
    expect(newest.nth(2)).to_have_text("freeze")
    expect(newest.nth(3)).to_have_text(reason)
    shoot(seen, "job-frozen")
    service.client.call("POST", f"/v1/jobs/{JOB}/release", body={"reason": "looked at it"})
    expect(alert).to_have_count(0)
    first = service.client.call("GET", f"/v1/jobs/{JOB}/domains")[0]["name"]
    order = {"domain": first, "reason": "seen enough"}
    service.client.call("POST", f"/v1/jobs/{JOB}/retire", body=order)
    retired = seen.page.locator("[data-part=domains] tbody tr").filter(has_text="retired").locator("td")
    expect(retired.nth(0)).to_have_text(first)
    expect(retired.nth(1)).to_have_text("0.0 %")
    shoot(seen, "job-retired")
    service.client.call("POST", f"/v1/jobs/{JOB}/readmit", body=order)
    seen.check()


def test_without_a_login_there_is_only_the_login_page(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = watched(chromium, service.url, width=1280)
    for path in paths.values():
        seen.page.goto(service.url + path)
        assert seen.page.url == service.url + "/login"
    seen.page.fill("#key", "mx_0123456789ab_" + "x" * 43)
    seen.page.click("text=Log in >> nth=-1")
    expect(seen.page.get_by_role("alert")).to_contain_text("not a valid key")
    seen.page.fill("#key", service.key)
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("heading", name="Studies and jobs")).to_be_visible()
    seen.page.get_by_role("button", name="Log out").click()
    seen.page.goto(service.url + "/")
    assert seen.page.url == service.url + "/login"
    shoot(seen, "login")


def test_a_link_logs_in_once(chromium: Browser, populated: Populated) -> None:
    service, _ = populated
    first = logged_in(chromium, service)
    expect(first.page.get_by_role("heading", name="Studies and jobs")).to_be_visible()
    second = watched(chromium, service.url, width=1280)

    with service.database.session() as session:
        link = create_link(session)
    for expected in ("Studies and jobs", "Log in"):
        second.page.context.clear_cookies()
        second.page.goto(f"{service.url}/login?link={link}")
        expect(second.page.get_by_role("heading", name=expected)).to_be_visible()


def test_what_is_not_there_is_a_page_too(chromium: Browser, populated: Populated) -> None:
    service, _ = populated
    seen = logged_in(chromium, service)
    seen.page.goto(service.url + "/studies/missing")
    expect(seen.page.get_by_role("alert")).to_contain_text("no study 'missing'")
    shoot(seen, "missing")
