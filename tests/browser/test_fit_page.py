"""The page of a fit: a verdict, all methods of the same runs, where it errs, and what it says of domains."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from mixlaws.simulation import Simulation
from tests.browser.conftest import logged_in
from tests.browser.test_pages import shoot
from tests.support.populated import settled
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]
MANY = 30
LARGEST_PAGE = 1_500_000  # bytes, without the drawing library


@pytest.fixture(scope="module")
def many(populated: Populated) -> str:
    """The path of a fit of 30 domains, as many targets, and 900 runs with long names."""
    service, _ = populated
    simulation = Simulation.create(domains=MANY, rng=np.random.default_rng(0))
    named = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(named.names, named.tokens, strict=True)]
    service.client.create_study({"name": "many", "domains": rows})
    swarm = simulation.swarm(count=900, noise=0.02, rng=np.random.default_rng(1))
    runs = [
        {"name": f"sweep of the spring, run {at}", "weights": dict(zip(named.names, weights, strict=True)),
         "losses": dict(zip(named.names, values, strict=True))}
        for at, (weights, values) in enumerate(
            zip(swarm.weights.tolist(), swarm.values.tolist(), strict=True)
        )
    ]  # fmt: skip
    service.client.call("POST", "/v1/studies/many/runs", body={"runs": runs, "source": "elsewhere"})
    fit = settled(service.client.fit, service.client.create_fit("many", {"method": "linear"})["id"])
    assert fit["state"] == "done", fit
    return f"/fits/{fit['id']}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_fit_is_judged_in_a_sentence_and_beside_the_others(
    chromium: Browser, populated: Populated, width: int, scheme: str
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=width, scheme=scheme)
    seen.open(paths["fit"])
    expect(seen.page.locator(".verdict")).to_contain_text(
        re.compile(r"is a (good|fair|weak) guide: it ranks 27 runs that it did not see at 0\.\d+ \(")
    )
    rows = seen.page.locator("table[data-name=fits] tbody tr")
    methods = [text.split()[0] for text in rows.locator("td:first-child").all_inner_texts()]
    assert sorted(methods) == ["exponential", "gaussian_process", "linear"]
    errors = [float(text) for text in rows.locator("td:nth-child(4)").all_inner_texts()]
    assert errors == sorted(errors)
    own = seen.page.locator("tr[aria-current]")
    expect(own).to_contain_text("gaussian_process (this one)")
    low, high = map(float, own.locator("td").nth(4).inner_text().split(" to "))
    assert low < float(own.locator("td").nth(3).inner_text()) < high
    for name in ("residuals", "calibration", "effects", "response-6"):
        expect(seen.page.locator(f"#{name} .main-svg").first).to_be_visible()
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    shoot(seen, f"fit-{width}-{scheme}")
    seen.check()


def test_the_table_of_fits_leads_to_the_others(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["fit"])
    seen.page.locator("table[data-name=fits]").get_by_role("link", name="exponential").click()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text("exponential")
    # A law says how well its form describes the runs it saw; a fit without deviations has no calibration.
    expect(seen.page.locator(".facts")).to_contain_text("R² in sample")
    expect(seen.page.locator("#calibration")).to_have_count(0)
    expect(seen.page.get_by_text("told no deviation of runs")).to_be_visible()
    seen.check()


def test_the_numbers_of_a_response_are_those_that_the_api_predicts(
    chromium: Browser, populated: Populated
) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["linear-fit"])
    with seen.page.expect_download() as waiting:
        label = "save the data of the figure response-1 as CSV"
        seen.page.get_by_role("button", name=label, exact=True).click()
    told = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    line = [(float(row["x"]), float(row["y"])) for row in told if row["trace"] == "trace 1"]
    domain = seen.page.locator("#response-1").get_attribute("aria-label")
    assert domain is not None
    domain = domain.removeprefix("objective along the share of ")
    fit_id = paths["linear-fit"].removeprefix("/fits/")
    study = service.client.fit(fit_id)["study"]
    runs = [
        run for run in service.client.call("GET", f"/v1/studies/{study}/runs?limit=100")["items"]
        if run["purpose"] == "proxy" and run["state"] == "completed"
    ]  # fmt: skip
    mean = {name: float(np.mean([run["weights"][name] for run in runs])) for name in runs[0]["weights"]}
    share, objective = line[len(line) // 2]
    others = 1 - mean[domain]
    mixture = {name: weight * (1 - share) / others for name, weight in mean.items()} | {domain: share}
    answer = service.client.call("POST", f"/v1/fits/{fit_id}/predict", body={"mixtures": [mixture]})
    assert objective == pytest.approx(answer["predictions"][0]["objective"], abs=2e-5)


@pytest.mark.parametrize("width", [1280, 390])
def test_of_many_domains_some_are_drawn_and_a_form_chooses_others(
    chromium: Browser, populated: Populated, many: str, width: int
) -> None:
    service, _ = populated
    seen = logged_in(chromium, service, width=width)
    answer = seen.page.request.get(service.url + many)
    assert len(answer.body()) < LARGEST_PAGE
    seen.open(many)
    expect(seen.page.get_by_text(f"8 of {MANY} domains are drawn")).to_be_visible()
    assert seen.page.locator(".smalls .figure").count() == 8
    shoot(seen, f"fit-many-{width}")
    seen.page.get_by_text("Choose domains").click()
    form = seen.page.locator("form").filter(has_text="Choose domains")
    for box in form.get_by_role("checkbox").all():
        box.uncheck()
    for name in ("domain-3", "domain-21"):
        form.get_by_label(name, exact=True).check()
    form.get_by_role("button").click()
    expect(seen.page.get_by_text(f"2 of {MANY} domains are drawn")).to_be_visible()
    drawn = seen.page.locator(".smalls .figure").evaluate_all("all => all.map(a => a.ariaLabel)")
    assert drawn == [f"objective along the share of {name}" for name in ("domain-3", "domain-21")]
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    seen.check()
