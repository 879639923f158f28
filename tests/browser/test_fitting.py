"""A fit is asked for on the page of its study, and its progress is seen until it is done."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from mixlaws.simulation import Simulation
from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_accessibility import faults
from tests.browser.test_pages import shoot
from tests.support.populated import STUDY, finish_runs
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]


@pytest.fixture
def seen(chromium: Browser, populated: Populated) -> Iterator[Watched]:
    watching = logged_in(chromium, populated[0])
    yield watching
    watching.check()
    watching.page.context.close()


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ask for a fit").click()


def asked(service: Service, page: Page) -> dict[str, object]:
    """What the fit was asked with whose page is open."""
    page.wait_for_url("**/fits/*")
    fit: dict[str, object] = service.client.fit(page.url.rsplit("/", 1)[1])["configuration"]
    return fit


def test_a_fit_is_asked_for_and_followed_until_it_is_done(seen: Watched, populated: Populated) -> None:
    service, _ = populated
    page = seen.page
    seen.open(f"/studies/{STUDY}")
    expect(page.get_by_label("parts of the cross-validation")).to_be_hidden()
    page.get_by_role("combobox", name="method", exact=True).select_option("exponential")
    page.get_by_label("parts of the cross-validation").fill("")
    page.get_by_role("spinbutton", name="ridge").fill(".5")
    page.get_by_role("combobox", name="raw_residuals").select_option("yes")
    ask(page)
    configuration = asked(service, page)
    assert configuration["method"] == "exponential"
    assert configuration["params"] == {"ridge": 0.5, "raw_residuals": True}
    assert configuration["folds"] is None, "one mixture is left out at a time"
    # The page waits by itself.
    expect(page.get_by_role("link", name="Try mixtures by hand")).to_be_visible(timeout=60_000)
    seen.drawn()
    assert page.get_by_text("This page shows it once it is done").count() == 0


def test_auto_takes_an_objective_and_some_sweeps(seen: Watched, populated: Populated) -> None:
    service, _ = populated
    page = seen.page
    name = f"two-{uuid4().hex[:8]}"
    simulation = Simulation.create(domains=2, rng=np.random.default_rng(8))
    rows = zip(simulation.problem.domains.names, simulation.problem.domains.tokens, strict=True)
    service.client.create_study({"name": name, "domains": [{"name": n, "tokens": t} for n, t in rows]})
    sweeps = [
        service.client.create_sweep(name, {"design": "sobol", "count": 6, "seed": seed}) for seed in (1, 2)
    ]
    finish_runs(service, simulation, noise=0.01, seed=3, study=name)
    seen.open(f"/studies/{name}")
    page.get_by_text("Another objective than").click()
    first, second = simulation.problem.domains.names
    page.get_by_label(f"weight of {first}").fill("0")
    page.get_by_text("Runs of some sweeps only").click()
    page.get_by_role("checkbox").first.check()
    shoot(seen, "fitting-open-1280", page.locator("#fitting"))
    assert faults(seen) == []
    ask(page)
    configuration = asked(service, page)
    usual = service.client.study(name)["definition"]["objective"]
    assert configuration["params"] == {"objective": {first: 0, second: usual[second]}}
    assert configuration["sweep_ids"] == [sweeps[1]["id"]], "the newest comes first"
    service.client.cancel_fit(page.url.rsplit("/", 1)[1])
    expect(page.get_by_text("The fit was cancelled.")).to_be_visible(timeout=30_000)
    assert faults(seen) == []


def test_why_a_fit_is_refused_is_told_in_the_form(seen: Watched) -> None:
    page = seen.page
    seen.open(f"/studies/{STUDY}")
    page.get_by_role("combobox", name="method", exact=True).select_option("lightgbm")
    page.get_by_role("spinbutton", name="learning_rate").fill("-1")
    ask(page)
    expect(page.locator("#fitting").get_by_role("alert")).to_contain_text("learning_rate")
    assert all("422" in told for told in seen.complaints), "a browser notes what was refused"
    seen.complaints.clear()


def test_nobody_is_offered_a_fit_without_runs_or_without_the_right(
    chromium: Browser, populated: Populated, seen: Watched
) -> None:
    service, paths = populated
    name = f"empty-{uuid4().hex[:8]}"
    service.client.create_study({"name": name, "domains": [{"name": "web", "tokens": 9}]})
    seen.open(f"/studies/{name}")
    expect(seen.page.get_by_text("no run is completed yet")).to_be_visible()
    expect(seen.page.get_by_role("button", name="Ask for a fit")).to_have_count(0)
    reader = watched(chromium, service.url, width=1280)
    reader.page.goto(service.url + "/login", wait_until="networkidle")
    reader.page.fill("#key", service.new_key("studies:read"))
    reader.page.keyboard.press("Enter")
    expect(reader.page.get_by_role("button", name="Log out")).to_be_visible()
    reader.page.wait_for_load_state("networkidle")
    reader.open(paths["study"])
    expect(reader.page.get_by_role("button", name="Ask for a fit")).to_have_count(0)
    reader.check()
    reader.page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_form_fits_the_screen_for_every_method(
    chromium: Browser, populated: Populated, width: int, scheme: str
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=width, scheme=scheme)
    seen.open(paths["study"])
    form, method = seen.page.locator("#fitting"), seen.page.get_by_role("combobox", name="method", exact=True)
    for name in method.locator("option").all_text_contents():
        method.select_option(name)
        assert form.locator("fieldset:visible").count() <= 1
        overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, name
    method.select_option("gaussian_process")
    shoot(seen, f"fitting-{width}-{scheme}", form)
    assert faults(seen) == []
    seen.check()
    seen.page.context.close()
