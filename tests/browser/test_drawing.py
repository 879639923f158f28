"""A page can be read and used before the drawing library is there, and says where it does not come."""

import re
from importlib.metadata import version

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import logged_in
from tests.browser.test_saving import Populated, rows, saved

pytestmark = pytest.mark.browser

LIBRARY = re.compile(r"/static/plotly\.min\.js\?")
PLACE = "element => element.getBoundingClientRect().top + window.scrollY"


def test_a_page_does_not_wait_for_the_drawing_library(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    seen.page.route(LIBRARY, hold)
    with seen.page.expect_request(LIBRARY) as asked:
        seen.page.goto(service.url + paths["study"], wait_until="load")
    assert asked.value.url.endswith(version("plotly")), "browsers keep one version for a year, and no other"
    picture = seen.page.get_by_role("button", name="save the figure mixtures as PNG")
    expect(picture).to_be_disabled()
    place = seen.page.locator("#runs").evaluate(PLACE)
    assert rows(saved(seen, "save the data of the figure mixtures as CSV"))[0][0] == "trace"
    head = seen.page.locator("table[data-name=domains] th").first
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert len(held) == 1, "one library for all figures"
    held[0].continue_()
    seen.drawn()
    expect(picture).to_be_enabled()
    assert seen.page.locator("#runs").evaluate(PLACE) == place, "what is below the figures did not move"
    seen.check()


def test_figures_say_that_the_drawing_library_did_not_come(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.page.route(LIBRARY, lambda route: route.abort())
    seen.page.goto(service.url + paths["study"], wait_until="load")
    expect(seen.page.locator("#mixtures")).to_contain_text("did not load")
    assert rows(saved(seen, "save the data of the figure mixtures as CSV"))[0][0] == "trace"
