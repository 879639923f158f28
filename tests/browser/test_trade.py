"""What the mixtures of a proposal trade, and the front that is asked for: as a browser sees them."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import logged_in
from tests.browser.test_pages import shoot
from tests.browser.test_propose import Populated, prior_of, proposal

pytestmark = pytest.mark.browser


def test_the_front_of_two_groups_of_targets_is_asked_for_and_drawn(
    chromium: Browser, populated: Populated
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["proposal"])
    page, targets = seen.page, list(prior_of(service))
    page.get_by_text("Choose what is traded").click()
    for side, wanted in (("Across", targets[:2]), ("Up", targets[2:3])):
        boxes = page.get_by_role("group", name=side, exact=True)
        for target in targets:
            boxes.get_by_role("checkbox", name=target, exact=True).set_checked(target in wanted)
    page.locator("#trade").get_by_role("button", name="Draw").click()
    expect(page.locator("#front")).to_contain_text(
        f"mean of {targets[0]}, {targets[1]},predicted nats per token"
    )
    expect(page.locator("#front")).to_contain_text(f"{targets[2]},predicted nats per token")
    page.get_by_role("button", name="Ask for the Pareto front").click()
    page.wait_for_url(lambda url: paths["proposal"] not in url)
    expect(page.locator("#front .main-svg").first).to_be_visible(timeout=60_000)
    asked = service.client.proposal(urlsplit(page.url).path.rsplit("/", 1)[1])
    assert [[c > 0 for c in row] for row in asked["configuration"]["params"]["objectives"]] == [
        [True, True, False, False, False, False], [False, False, True, False, False, False],
    ]  # fmt: skip
    drawn = {
        line["name"]: line for line in page.evaluate("document.getElementById('front').mixwrightFigure.data")
    }
    line = drawn["proposals that none beats"]
    assert len(line["x"]) >= 4
    assert line["x"] == sorted(line["x"])
    assert line["y"] == sorted(line["y"], reverse=True), "what is won across is given up upwards"
    assert line["error_y"]["visible"]
    assert not line["error_x"]["visible"], "of a mean no interval is known"
    assert {"prior", "uniform", "proposal"} <= drawn.keys()
    chosen = proposal(service, paths)["proposals"][0]
    assert drawn["proposal"]["y"] == pytest.approx([chosen["predicted"][targets[2]]])
    told = page.locator("table[data-name=targets] tbody tr").first.locator("td").nth(3)
    prior = asked["references"]["prior"]
    expect(told).to_have_text(
        f"{prior['predicted'][targets[0]]:.3f} ± {prior['half_width_95'][targets[0]]:.3f}"
    )
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        seen.open(urlsplit(page.url).path)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        shoot(seen, f"front-{width}")
    seen.check()
    seen.page.context.close()
