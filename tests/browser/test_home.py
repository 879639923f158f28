"""The first page: sparklines, what needs attention, and the way in for somebody new."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_pages import shoot
from tests.support.populated import JOB, STUDY
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]


@pytest.fixture
def troubled(populated: Populated) -> Iterator[Service]:
    """A run that nobody trains any more, and a job that somebody froze."""
    service, _ = populated
    sweep = service.client.create_sweep(STUDY, {"design": "sobol", "count": 1, "seed": 9})
    lease = service.client.claim_run("lost", study=STUDY)
    assert lease is not None
    with service.database.session() as session:
        late = text("UPDATE proxy_runs SET lease_expires_at = now() - interval '1 hour' WHERE id = :id")
        session.execute(late, {"id": lease["run"]["id"]})
    service.client.call("POST", f"/v1/jobs/{JOB}/freeze", body={"reason": "loss spike <b>here</b>"})
    yield service
    service.client.call("POST", f"/v1/jobs/{JOB}/release", body={"reason": "seen"})
    for run in (lease["run"]["id"],):
        service.client.call("POST", f"/v1/runs/{run}/cancel", body={"reason": "over"})
    service.client.call("POST", f"/v1/sweeps/{sweep['id']}/cancel", body={"reason": "over"})


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]
)
def test_the_first_page_shows_what_needs_attention_and_where(
    chromium: Browser, troubled: Service, width: int, scheme: str
) -> None:
    seen = logged_in(chromium, troubled, width=width, scheme=scheme)
    seen.open("/")
    listed = seen.page.locator("#attention li")
    frozen = listed.filter(has_text="frozen job")
    expect(frozen).to_contain_text("An operator holds the weights: frozen: loss spike <b>here</b>")
    expect(listed.filter(has_text="stale run")).to_contain_text("without a sign of life")
    expect(seen.page.locator("#running")).to_have_count(0)  # what is stale runs no more
    for row, name in (("studies", STUDY), ("live jobs", JOB)):
        line = seen.page.locator(f"table[data-name='{row}'] tr").filter(has_text=name).locator("svg.spark")
        box = line.bounding_box()
        assert box is not None
        assert box["width"] >= 60
        assert "from" in (line.get_attribute("aria-label") or "")
        drawn = line.locator("polyline").evaluate("line => getComputedStyle(line).stroke")
        assert drawn not in {"none", "rgb(0, 0, 0)"}, "the style sheet colours the line"
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    shoot(seen, f"home-troubled-{width}-{scheme}")
    frozen.get_by_role("link").click()
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text(JOB)
    seen.check()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_main_navigation_leads_everywhere_by_keyboard(
    chromium: Browser, populated: Populated, width: int
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=width)
    for name, heading in (
        ("Compare", "Compare"),
        ("Keys and audit", "Keys"),
        ("Studies and jobs", "Studies"),
    ):
        seen.open(paths["study"])
        link = seen.page.get_by_role("navigation", name="main").get_by_role("link", name=name)
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        link.focus()
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("heading", level=1)).to_contain_text(heading)
        here = seen.page.get_by_role("navigation", name="main").locator("[aria-current=page]")
        expect(here).to_have_text(name)
    seen.check()


@pytest.fixture
def newcomer(chromium: Browser, populated: Populated) -> Watched:
    """Somebody whose project is empty, and whose key may read studies and jobs."""
    service, _ = populated
    key = service.new_key("studies:read", "jobs:read", project="empty")
    seen = watched(chromium, service.url, width=390)
    seen.page.goto(service.url + "/login")
    seen.page.fill("#key", key)
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    seen.page.wait_for_load_state("load")  # with its scripts
    return seen


def test_a_first_visit_offers_commands_to_copy(newcomer: Watched) -> None:
    page = newcomer.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name, command in (
        ("import", "mixwright import my-swarm --study my-study --tokens tokens.json"),
        ("demo", "mixwright demo"),
    ):
        button = page.get_by_role("button", name=f"copy the command: {name}", exact=True)
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == command
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    shoot(newcomer, "home-first-390")
    newcomer.check()


def test_a_command_is_copied_where_the_browser_keeps_its_clipboard_to_itself(newcomer: Watched) -> None:
    page = newcomer.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="copy the command: demo", exact=True).click()
    assert page.evaluate("window.getSelection().toString()") == "mixwright demo"


def test_nobody_is_led_where_they_may_not_go(newcomer: Watched) -> None:
    places = newcomer.page.get_by_role("navigation", name="main")
    expect(places.get_by_role("link")).to_have_text(["Studies and jobs", "Compare"])


def test_the_lists_behind_the_first_page_go_on(chromium: Browser, populated: Populated) -> None:
    service, _ = populated
    for name in ("listed-a", "listed-b", "listed-c"):
        service.client.create_study({"name": name, "domains": [{"name": "web", "tokens": 9}]})
    seen = logged_in(chromium, service)
    seen.open("/studies?limit=2")
    names = seen.page.locator("table[data-name=studies] tbody td:first-child")
    expect(names).to_have_text(["listed-c", "listed-b"])
    seen.page.get_by_role("link", name="Older studies").click()
    expect(names.first).to_have_text("listed-a")
    seen.open("/jobs?limit=1")
    expect(seen.page.locator("table[data-name=jobs] tbody tr")).to_have_count(1)
    seen.check()
