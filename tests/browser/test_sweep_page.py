"""The page of a sweep, and the runs of a study, as a browser sees them."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from mixlaws.simulation import Simulation
from tests.browser.conftest import Watched, logged_in
from tests.browser.test_pages import shoot
from tests.support.servers import Service

pytestmark = pytest.mark.browser

STUDY, RUNS = "swept", 60
STEPS = (100, 200, 400, 800)
Swept = tuple[Service, str]


@pytest.fixture(scope="module")
def swept(shared_service: Service) -> Swept:
    """A sweep in the middle of its training, with curves, a failure and a run that nobody hears of."""
    service = shared_service
    simulation = Simulation.create(domains=6, rng=np.random.default_rng(3))
    domains = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
    service.client.create_study({"name": STUDY, "domains": rows})
    natural = {"weights": domains.to_mapping(domains.natural), "label": "natural", "seed": 1}
    service.client.create_sweep(STUDY, {"mixtures": [natural]})
    made = service.client.create_sweep(STUDY, {"design": "sobol", "count": RUNS, "seed": 3})
    rng = np.random.default_rng(8)
    for place in range(RUNS - 2):
        lease = service.client.claim_run(f"worker-{place % 3}", study=STUDY)
        assert lease is not None
        run = lease["run"]["id"]
        if place == 4:
            service.client.put_failure(run, lease["lease"], "out of memory at step 12")
            continue
        final = simulation.truth.predict(domains.to_array(lease["run"]["weights"])[None, :])[0]
        curve = [final * (1 + 12 / step) + 0.01 * rng.standard_normal(len(domains)) for step in STEPS]
        seen = [
            {"step": step, "target": target, "value": float(value)}
            for step, values in zip(STEPS, curve, strict=True)
            for target, value in zip(domains.names, values, strict=True)
        ]
        body = {"lease": lease["lease"], "observations": seen}
        service.client.call("POST", f"/v1/runs/{run}/observations", body=body)
        result = {
            "lease": lease["lease"],
            "losses": domains.to_mapping(curve[-1]),
            "step": STEPS[-1],
            "tokens": 400_000,
            "model_parameters": 92_000,
            "seconds": 8.0,
        }
        service.client.put_result(run, result)
    running = service.client.claim_run("worker-1", study=STUDY)
    assert running is not None
    service.client.call(
        "PUT",
        f"/v1/runs/{running['run']['id']}/heartbeat",
        body={"lease": running["lease"], "progress": 0.4},
    )
    return service, f"/studies/{STUDY}/sweeps/{made['id']}"


@pytest.fixture(params=[(1280, "light"), (390, "light"), (1280, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def seen(request: pytest.FixtureRequest, chromium: Browser, swept: Swept) -> Iterator[tuple[Watched, str]]:
    width, scheme = request.param
    watching = logged_in(chromium, swept[0], width=width, scheme=scheme)
    yield watching, f"{width}-{scheme}"
    overflow = watching.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    watching.check()
    watching.page.context.close()


def test_a_sweep_is_seen_with_its_progress_and_what_failed(seen: tuple[Watched, str], swept: Swept) -> None:
    watching, name = seen
    watching.open(swept[1])
    expect(watching.page.locator("progress")).to_be_visible()
    expect(watching.page.get_by_text("in training at once")).to_be_visible()
    troubles = watching.page.locator("table[data-name=troubles]")
    expect(troubles.get_by_role("cell", name="out of memory at step 12")).to_be_visible()
    shoot(watching, f"sweep-{name}")


def test_runs_are_ticked_and_compared(seen: tuple[Watched, str], swept: Swept) -> None:
    watching, name = seen
    page = watching.page
    watching.open(f"{swept[1]}?state=completed")
    for place in (0, 1, 7):
        page.get_by_role("checkbox").nth(place).check()
    page.get_by_role("button", name="Compare what is ticked").click()
    expect(page.locator("#curves .scatterlayer .trace")).to_have_count(3)
    chosen = page.locator("table[data-name=chosen]")
    expect(chosen.get_by_role("row", name="share of").first).to_be_visible()
    expect(chosen.locator("thead th")).to_have_count(4)
    shoot(watching, f"sweep-compared-{name}")
    page.get_by_role("link", name="next", exact=True).click()
    expect(chosen.locator("thead th")).to_have_count(4)  # the choice is kept
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("button", name="Compare what is ticked").click()
    expect(chosen.locator("thead th")).to_have_count(5)


def test_mixtures_are_drawn_in_the_triangle_of_three_domains(seen: tuple[Watched, str], swept: Swept) -> None:
    watching, name = seen
    page = watching.page
    watching.open(swept[1])
    corners = [row["name"] for row in swept[0].client.study(STUDY)["definition"]["domains"]][3:]
    page.get_by_label("drawn as").select_option("triangle")
    for letter, corner in zip("abc", corners, strict=True):
        page.get_by_label(f"corner {letter}").select_option(corner)
    page.get_by_role("combobox", name="coloured by").select_option(corners[1])
    page.get_by_role("button", name="Draw").click()
    drawn = page.locator("#mixtures")
    expect(drawn.locator(".ternary")).to_have_count(1)
    for corner in corners:
        expect(drawn.get_by_text(f"{corner}, share")).to_be_visible()
    expect(drawn.get_by_text(f"{corners[1]}, nats per token")).to_be_visible()
    shoot(watching, f"sweep-triangle-{name}")
    page.get_by_label("corner a").select_option(corners[1])
    page.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("status")).to_contain_text("three different domains")


def test_mixtures_are_drawn_as_a_scatter_matrix(seen: tuple[Watched, str], swept: Swept) -> None:
    watching, name = seen
    page = watching.page
    names = [row["name"] for row in swept[0].client.study(STUDY)["definition"]["domains"]]
    watching.open(swept[1])
    shares = page.get_by_role("group", name="Shares of domains")
    page.get_by_label("drawn as").select_option("scatter matrix")
    page.get_by_role("button", name="Draw").click()
    page.get_by_text("Choose its axes").click()
    for at, checked in enumerate((False, True, True, True)):
        shares.get_by_role("checkbox", name=names[at], exact=True).set_checked(checked)
    page.get_by_role("group", name="Losses on targets").get_by_role("checkbox").nth(5).check()
    page.get_by_role("button", name="Draw").click()
    drawn = page.locator("#mixtures")
    expect(drawn.locator(".cartesianlayer .subplot")).to_have_count(10)
    for title in (f"{names[3]}share", f"{names[5]}nats per token", "objectivenats per token"):
        expect(drawn.get_by_text(title, exact=True).first).to_be_visible()
    expect(drawn.get_by_text("objective, nats per token")).to_be_visible()
    shoot(watching, f"sweep-matrix-{name}")
    page.get_by_role("link", name="finished").click()
    expect(drawn.locator(".cartesianlayer .subplot")).to_have_count(10)  # the choice is kept


def test_the_runs_of_a_study_are_sorted_and_paged(seen: tuple[Watched, str]) -> None:
    watching, name = seen
    page = watching.page
    watching.open(f"/studies/{STUDY}")
    shoot(watching, f"study-{name}")
    runs = page.locator("#runs")
    runs.get_by_role("link", name="finished").click()
    expect(runs.get_by_role("columnheader", name="finished")).to_have_attribute("aria-sort", "ascending")
    runs.get_by_role("link", name="next", exact=True).click()
    expect(runs.get_by_text("page 2 of 2")).to_be_visible()
    expect(runs.get_by_role("columnheader", name="finished")).to_have_attribute("aria-sort", "ascending")
    runs.get_by_label("state").select_option("failed")
    runs.get_by_role("button", name="Show").click()
    expect(runs.get_by_role("row")).to_have_count(2)
    runs.get_by_role("link", name="proxy").click()
    expect(page.get_by_role("heading", name="Sweep: sobol")).to_be_visible()


def test_runs_are_compared_without_a_script(chromium: Browser, swept: Swept) -> None:
    service, path = swept
    watching = logged_in(chromium, service)
    plain = chromium.new_context(
        java_script_enabled=False, storage_state=watching.page.context.storage_state()
    )
    page = plain.new_page()
    page.goto(f"{service.url}{path}?state=completed")
    page.get_by_role("checkbox").nth(2).check()
    page.get_by_role("button", name="Compare what is ticked").press("Enter")
    expect(page.locator("#chosen thead th")).to_have_count(2)
    plain.close()
