"""Compare: what was ticked stands side by side, and the address keeps it."""

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import logged_in
from tests.browser.test_pages import shoot
from tests.support.populated import JOB, STUDY, run_job
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]
OTHER_STUDY, OTHER_JOB = "compared-study", "compared-job"


@pytest.fixture(scope="module")
def paired(populated: Populated) -> Service:
    """A second study and a second job beside those that are there."""
    service, _ = populated
    domains = service.client.study(STUDY)["definition"]["domains"]
    service.client.create_study({"name": OTHER_STUDY, "domains": domains})
    names = [domain["name"] for domain in domains]
    rng = np.random.default_rng(4)
    runs = [
        {
            "name": f"run {i}",
            "weights": dict(zip(names, map(float, rng.dirichlet(np.ones(len(names)))), strict=True)),
            "losses": dict.fromkeys(names, 3.0 - 0.25 * i),
        }
        for i in range(4)
    ]
    service.client.call("POST", f"/v1/studies/{OTHER_STUDY}/runs", body={"runs": runs})
    plain = [{"name": domain["name"], "tokens": domain["tokens"]} for domain in domains]
    run_job(service, OTHER_JOB, plain)
    return service


@pytest.mark.parametrize("width", [1280, 390])
def test_what_was_ticked_stands_side_by_side(chromium: Browser, paired: Service, width: int) -> None:
    seen = logged_in(chromium, paired, width=width)
    seen.open("/compare")
    for name in (STUDY, OTHER_STUDY, JOB, OTHER_JOB):
        seen.page.get_by_role("checkbox", name=name, exact=True).check()
    for method in ("linear", "exponential"):
        seen.page.get_by_role("checkbox", name=f"{method} of {STUDY}").check()
    seen.page.get_by_role("button", name="Compare").click()
    for drawn in ("best", "weights", "losses"):
        expect(seen.page.locator(f"#{drawn} .main-svg").first).to_be_visible()
    studies = seen.page.locator("table[data-name='compared studies'] tbody tr")
    expect(studies.filter(has_text=OTHER_STUDY).locator("td").nth(1)).to_have_text("2.2500")
    expect(studies.filter(has_text=OTHER_STUDY).locator("td").nth(2)).to_have_text("run 3")
    head = seen.page.locator("table[data-name='compared fits'] thead th")
    expect(head).to_have_count(3)
    linear = next(fit for fit in paired.client.fits(STUDY) if fit["method"] == "linear")
    at = next(i for i, text in enumerate(head.all_inner_texts()) if "linear" in text)
    told = seen.page.locator("table[data-name='compared fits'] tbody tr").filter(has_text="error, nats")
    expect(told.locator("th, td").nth(at)).to_have_text(f"{linear['objective_scores']['mae']:.3f}")
    for figure in ("weights", "losses"):
        legend = seen.page.locator(f"#{figure} .legendtext").all_text_contents()
        assert {JOB, OTHER_JOB} <= set(legend)
    ends = seen.page.evaluate(
        "document.getElementById('losses').mixwrightFigure.data.map(line => line.y[line.y.length - 1])"
    )
    assert len(ends) == 2
    assert all(2 < value < 5 for value in ends), "mean losses, nats per token"
    assert seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    shoot(seen, f"compare-{width}")
    seen.page.reload()
    expect(seen.page.get_by_role("checkbox", name=OTHER_STUDY, exact=True)).to_be_checked()
    seen.check()


def test_too_many_things_are_refused_in_words(chromium: Browser, paired: Service) -> None:
    seen = logged_in(chromium, paired)
    for number in range(7):
        paired.client.create_study({"name": f"many-{number}", "domains": [{"name": "web", "tokens": 9}]})
    answer = seen.page.goto(paired.url + "/compare?" + "&".join(f"study=many-{n}" for n in range(7)))
    assert answer is not None
    assert answer.status == 422
    expect(seen.page.get_by_role("alert")).to_contain_text("choose at most 6")
    answer = seen.page.goto(paired.url + "/compare?study=many-0&study=nothing")
    assert answer is not None
    assert answer.status == 404
