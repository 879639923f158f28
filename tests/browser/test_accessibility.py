"""No page has a serious fault that axe-core can find, in either theme."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_pages import PAGES
from tests.support.populated import JOB, STUDY
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]
BAD = {"serious", "critical"}
OTHERS = (
    "/studies",
    "/jobs",
    "/keys",
    "/audit",
    f"/compare?study={STUDY}&job={JOB}",
    "/problems",
    "/studies/missing",
)


def faults(seen: Watched) -> list[str]:
    """Serious faults of the open page, with what they are of."""
    found: list[dict[str, Any]] = Axe().run(seen.page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:160]} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in BAD
        for node in fault["nodes"][:5]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, *OTHERS])
def test_a_page_has_no_serious_fault(chromium: Browser, populated: Populated, name: str, scheme: str) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=390 if scheme == "dark" else 1280, scheme=scheme)
    seen.open(paths.get(name, name))
    assert faults(seen) == []
    seen.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_way_in_has_no_serious_fault(chromium: Browser, populated: Populated, scheme: str) -> None:
    service, _ = populated
    seen = watched(chromium, service.url, width=390, scheme=scheme)
    seen.page.goto(service.url + "/login")
    assert faults(seen) == []
    seen.page.fill("#key", service.new_key("studies:read", "jobs:read", project="first-visit"))
    seen.page.keyboard.press("Enter")
    seen.page.get_by_role("heading", name="Nothing here yet").wait_for()
    assert faults(seen) == []


def test_a_fault_would_be_found(chromium: Browser, populated: Populated) -> None:
    service, _ = populated
    seen = logged_in(chromium, service)
    seen.page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input>')")
    assert any(fault.startswith("label (critical)") for fault in faults(seen))
