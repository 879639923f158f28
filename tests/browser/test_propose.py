"""Mixtures moved by hand, and what becomes of a proposal: as people do it in a browser."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from mixclient import Schedule
from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_pages import shoot
from tests.support.populated import JOB, STUDY
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]


@pytest.fixture
def seen(chromium: Browser, populated: Populated) -> Iterator[Watched]:
    watching = logged_in(chromium, populated[0])
    yield watching
    watching.check()
    watching.page.context.close()


def explore(seen: Watched, paths: dict[str, str], fit: str = "fit") -> None:
    seen.open(f"{paths[fit]}/explore")


def settled(seen: Watched) -> None:
    expect(seen.page.locator("#predicted")).to_have_attribute("aria-busy", "false")


def domain(seen: Watched, at: int) -> tuple[Locator, Locator, Locator]:
    """Slider, number box and lock of a domain."""
    row = seen.page.locator("#shares .share").nth(at)
    return row.get_by_role("slider"), row.get_by_role("spinbutton"), row.get_by_role("checkbox")


def boxes(seen: Watched) -> list[float]:
    return [float(value) for value in seen.page.eval_on_selector_all(
        "#shares input[type=number]", "all => all.map(box => box.value)"
    )]  # fmt: skip


def prior_of(service: Service) -> dict[str, float]:
    prior: dict[str, float] = service.client.study(STUDY)["definition"]["prior"]
    return prior


def check_told(seen: Watched, service: Service, fit: str, mixture: dict[str, float]) -> None:
    """The page shows what the API predicts of a mixture, in its table, its facts and its figure."""
    body = {"mixtures": [mixture]}
    (said,) = service.client.call("POST", f"/v1/fits/{fit}/predict", body=body)["predictions"]
    facts = seen.page.locator("#predicted")
    expect(facts.locator("[data-told=objective]")).to_have_text(f"{said['objective']:.3f}")
    expect(facts.locator("[data-told=gain]")).to_have_text(f"{said['gain_over_prior']:+.3f}")
    rows = seen.page.locator("tr[data-target]")
    expect(rows).to_have_count(len(said["predicted"]))
    for row, (target, value) in zip(rows.all(), said["predicted"].items(), strict=True):
        expect(row.locator("td").first).to_have_text(target)
        expect(row.locator("[data-told=value]")).to_have_text(f"{value:.3f}")
        expect(row.locator("[data-told=width]")).to_have_text(f"{said['half_width_95'][target]:.3f}")
    drawn = seen.page.evaluate(
        "document.getElementById('changes').data.find(trace => trace.meta === 'moved').error_x.array"
    )
    assert drawn == pytest.approx(list(said["half_width_95"].values()))


def test_a_slider_that_is_dragged_shows_what_the_api_predicts(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    explore(seen, paths)
    fit = paths["fit"].rsplit("/", 1)[1]
    prior = prior_of(service)
    check_told(seen, service, fit, prior)
    slider, box, _ = domain(seen, 0)
    slider.focus()
    for _ in range(40):
        seen.page.keyboard.press("ArrowRight")
    settled(seen)
    first, *others = prior
    share = float(slider.input_value()) / 100
    assert share > prior[first] + 0.15, "forty steps of half a percent"
    rest = {name: prior[name] * (1 - share) / (1 - prior[first]) for name in others}
    assert boxes(seen) == pytest.approx([100 * s for s in (share, *rest.values())], abs=0.006)
    check_told(seen, service, fit, {first: share, **rest})
    shoot(seen, "explore-moved")
    box.fill("12.5")
    settled(seen)
    rest = {name: prior[name] * 0.875 / (1 - prior[first]) for name in others}
    check_told(seen, service, fit, {first: 0.125, **rest})
    seen.page.get_by_role("button", name="begin at uniform").click()
    settled(seen)
    check_told(seen, service, fit, dict.fromkeys(prior, 1 / len(prior)))


def test_a_locked_domain_keeps_its_share(seen: Watched, populated: Populated) -> None:
    _, paths = populated
    explore(seen, paths)
    before = boxes(seen)
    domain(seen, 1)[2].check()
    expect(domain(seen, 1)[0]).to_be_disabled()
    domain(seen, 0)[1].fill("100")
    settled(seen)
    after = boxes(seen)
    assert after[1] == before[1]
    assert after[0] == 100, "what is typed stays until the box is left"
    domain(seen, 0)[1].press("Tab")
    after = boxes(seen)
    assert after[0] == pytest.approx(100 - before[1], abs=0.02)
    assert after[2:] == [0.0] * (len(after) - 2)
    domain(seen, 0)[1].fill("0")
    settled(seen)
    given = boxes(seen)
    assert sum(given) == pytest.approx(100, abs=0.05)
    assert min(given[2:]) > 0, "what nobody has is given by the prior"


def test_far_from_all_runs_the_page_warns(seen: Watched, populated: Populated) -> None:
    _, paths = populated
    explore(seen, paths)
    warning = seen.page.get_by_text("is an extrapolation")
    seen.page.get_by_role("button", name="begin at uniform").click()
    expect(warning).to_be_hidden()
    domain(seen, 0)[1].fill("100")
    expect(warning).to_be_visible()
    seen.page.get_by_role("button", name="begin at uniform").click()
    expect(warning).to_be_hidden()


def test_an_answer_that_was_overtaken_is_not_shown(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    explore(seen, paths)
    asked: list[dict[str, float]] = []
    seen.page.on(
        "request",
        lambda r: asked.append(json.loads(r.post_data or "")["mixture"]) if r.method == "POST" else None,
    )
    slider, *_ = domain(seen, 2)
    slider.evaluate(
        "slider => { for (let at = 1; at <= 60; at += 1)"
        " { slider.value = at; slider.dispatchEvent(new Event('input')); } }"
    )
    settled(seen)
    assert 1 <= len(asked) <= 3, "what is moved at once is asked about once"
    check_told(seen, service, paths["fit"].rsplit("/", 1)[1], asked[-1])
    assert list(asked[-1].values())[2] == pytest.approx(0.6)


def test_another_objective_is_weighed_by_sliders_and_boxes_and_asked_for(
    seen: Watched, populated: Populated
) -> None:
    service, paths = populated
    explore(seen, paths)
    page, targets = seen.page, list(prior_of(service))
    facts = page.locator("#predicted")
    before = facts.locator("[data-told=objective]").inner_text()
    expect(facts.locator("[data-told=flatness]")).to_contain_text("%")
    page.get_by_text("Weigh targets otherwise").click()
    for target in targets[1:]:
        page.get_by_label(f"weight of {target}, slider").fill("0")
        expect(page.get_by_role("spinbutton", name=target, exact=True).last).to_have_value("0")
    settled(seen)
    only = page.locator("tr[data-target]").first.locator("[data-told=value]").inner_text()
    expect(facts.locator("[data-told=objective]")).to_have_text(only)
    prior = page.locator("tr[data-target]").first.locator("td").nth(4)
    expect(page.locator("[data-objective-of=prior] span")).to_have_text(prior.inner_text().split(" ±")[0])
    shoot(seen, "explore-objective")
    page.get_by_role("button", name="Ask for a proposal").click()
    page.wait_for_url("**/proposals/*")
    asked = service.client.proposal(page.url.rsplit("/", 1)[1])["configuration"]["objective"]
    assert asked.pop(targets[0]) > 0
    assert set(asked.values()) == {0}
    expect(page.get_by_role("heading", name="Mixtures, as shares")).to_be_visible(timeout=60_000)
    expect(
        page.get_by_text(f"For another objective than the study's, by coefficients: {targets[0]}")
    ).to_be_visible()
    explore(seen, paths)
    page.get_by_text("Weigh targets otherwise").click()
    page.get_by_label(f"weight of {targets[0]}, slider").fill("100")
    page.get_by_role("button", name="As in the study").click()
    settled(seen)
    expect(facts.locator("[data-told=objective]")).to_have_text(before)


def test_two_stages_are_asked_for_with_their_schedule(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    explore(seen, paths)
    page, targets = seen.page, list(prior_of(service))
    page.get_by_text("A second stage of the run").click()
    page.get_by_role("combobox", name="second stage").select_option("is best for chosen targets")
    page.get_by_label("share of the second stage, slider").fill("25")
    expect(page.get_by_label("its share of tokens")).to_have_value("25")
    page.get_by_role("group", name="It is best for the mean of").get_by_role(
        "checkbox", name=targets[2]
    ).check()
    page.get_by_label("steps of the run").fill("400")
    page.get_by_label("samples of a step").fill("32")
    page.get_by_role("button", name="Ask for a proposal").click()
    page.wait_for_url("**/proposals/*")
    expect(page.get_by_role("heading", name="Stages")).to_be_visible(timeout=60_000)
    asked = service.client.proposal(page.url.rsplit("/", 1)[1])
    assert asked["configuration"]["second_stage"]["objective"] == {targets[2]: 1}
    schedule = Schedule.parse(json.loads(downloaded(seen, "Download schedule JSON")))
    assert schedule.samples_per_step == 32
    assert [stage.effective_step for stage in schedule.stages] == [0, 300]


def test_a_method_without_intervals_is_explored_too(seen: Watched, populated: Populated) -> None:
    _, paths = populated
    explore(seen, paths, "linear-fit")
    expect(seen.page.get_by_text("does not tell how sure it is")).to_be_visible()
    before = seen.page.locator("#predicted [data-told=gain]").inner_text()
    seen.page.get_by_role("button", name="begin at uniform").click()
    settled(seen)
    assert seen.page.locator("#predicted [data-told=gain]").inner_text() != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_the_screen(chromium: Browser, populated: Populated, width: int, scheme: str) -> None:
    service, paths = populated
    seen = logged_in(chromium, service, width=width, scheme=scheme)
    explore(seen, paths)
    seen.page.get_by_text("Bounds and frozen domains").click()
    seen.page.evaluate("window.scrollTo(0, 0)")
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    shoot(seen, f"explore-{width}-{scheme}")
    assert overflow <= 0
    seen.check()


def proposal(service: Service, paths: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = service.client.proposal(paths["proposal"].rsplit("/", 1)[1])
    return found


def downloaded(seen: Watched, name: str) -> str:
    with seen.page.expect_download() as waiting:
        seen.page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_a_proposal_is_taken_along_as_a_schedule(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    seen.open(paths["proposal"])
    shoot(seen, "proposal-use")
    traded = seen.page.locator("table[data-name=trade-offs] tbody tr")
    for row, said in zip(traded.all(), proposal(service, paths)["proposals"], strict=True):
        expect(row.locator("td").nth(1)).to_have_text(f"{-said['gain_over_prior']:+.3f}")
    second = proposal(service, paths)["proposals"][1]["weights"]
    seen.page.get_by_role("combobox", name="mixture").select_option("proposal 2")
    seen.page.get_by_label("samples of a step").fill("512")
    schedule = Schedule.parse(json.loads(downloaded(seen, "Download schedule JSON")))
    assert schedule.samples_per_step == 512
    assert dict(zip(schedule.domains, schedule.stage_at(10**6).weights, strict=True)) == second
    head, shares = csv.reader(io.StringIO(downloaded(seen, "Download schedule CSV")))
    assert head == ["effective_step", *second]
    assert [float(cell) for cell in shares] == [0, *second.values()]


def test_without_the_samples_of_a_step_there_is_no_schedule(seen: Watched, populated: Populated) -> None:
    _, paths = populated
    seen.open(paths["proposal"])
    taken: list[object] = []
    seen.page.on("download", lambda download: taken.append(download))  # noqa: PLW0108 - takes no built-in
    seen.page.get_by_role("button", name="Download schedule JSON").click()
    missing = seen.page.eval_on_selector("input[name=samples]", "input => input.validity.valueMissing")
    assert missing
    assert taken == []


def test_proposals_are_queued_as_the_next_sweep(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    seen.open(paths["proposal"])
    proposed = proposal(service, paths)["proposals"]
    seen.page.get_by_label("seeds of each").fill("2")
    seen.page.get_by_role("button", name=f"Queue these {len(proposed)} as the next sweep").click()
    seen.page.wait_for_url(f"**/studies/{STUDY}")
    newest = service.client.call("GET", f"/v1/studies/{STUDY}/sweeps")["items"][0]["definition"]
    assert newest["purpose"] == "proxy"
    assert [row["weights"] for row in newest["mixtures"]] == [p["weights"] for p in proposed for _ in "ab"]
    assert [row["seed"] for row in newest["mixtures"]] == [0, 1] * len(proposed)
    expect(seen.page.get_by_role("cell", name="gaussian_process proposal 1, seed 1")).to_be_visible()


def test_a_proposal_becomes_the_schedule_of_a_job(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    seen.open(paths["proposal"])
    seen.page.get_by_label("samples of a step").fill("64")
    name = seen.page.get_by_label("name of the job")
    name.fill(JOB)
    seen.page.get_by_role("button", name="Make this the schedule of a job").click()
    expect(seen.page.get_by_role("alert").filter(has_text="exists with another")).to_be_visible()
    assert all("409" in told for told in seen.complaints), "a browser notes what was refused"
    seen.complaints.clear()
    name.fill("proposed")
    seen.page.get_by_role("button", name="Make this the schedule of a job").click()
    seen.page.wait_for_url("**/jobs/proposed")
    schedule = Schedule.parse(service.client.call("GET", "/v1/jobs/proposed/schedule"))
    best = proposal(service, paths)["proposals"][0]["weights"]
    followed = dict(zip(schedule.domains, schedule.stage_at(0).weights, strict=True))
    assert followed == pytest.approx(best)
    assert schedule.samples_per_step == 64
    assert service.client.job("proposed")["definition"]["study"] == STUDY


def test_a_proposal_is_asked_for_under_bounds(seen: Watched, populated: Populated) -> None:
    service, paths = populated
    explore(seen, paths)
    prior = prior_of(service)
    names = list(prior)
    seen.page.get_by_role("button", name="begin at uniform").click()
    page = seen.page
    page.get_by_text("Bounds and frozen domains").click()
    page.get_by_label(f"share of {names[0]}", exact=True).select_option("frozen as above")
    page.get_by_label(f"highest share of {names[1]}, slider").fill("12")
    page.get_by_label(f"lowest share of {names[2]}, percent").fill("30")
    page.get_by_label("how many").fill("2")
    page.get_by_role("spinbutton", name="kl").fill("0.01")
    page.get_by_label("distance from the prior").select_option("L1")
    page.get_by_label("largest distance, slider").fill("1.5")
    page.get_by_role("button", name="Ask for a proposal").click()
    page.wait_for_url("**/proposals/*")
    asked = service.client.proposal(page.url.rsplit("/", 1)[1])["configuration"]
    assert (asked["params"], asked["count"], asked["proposer"]) == ({"kl": 0.01}, 2, "convex")
    assert asked["max_distance"] == {"measure": "l1", "most": 1.5}
    # The page waits for the search by itself.
    expect(page.get_by_role("heading", name="Mixtures, as shares")).to_be_visible(timeout=60_000)
    for found in service.client.proposal(page.url.rsplit("/", 1)[1])["proposals"]:
        weights = found["weights"]
        assert weights[names[0]] == pytest.approx(1 / len(names), abs=1e-6)
        assert weights[names[1]] <= 0.12 + 1e-6
        assert weights[names[2]] >= 0.30 - 1e-6
        assert sum(abs(weights[name] - prior[name]) for name in names) <= 1.5 + 1e-6
    page.get_by_role("link", name="Explore around the best one").click()
    expect(page.get_by_role("button", name="begin at proposal")).to_be_visible()
    assert boxes(seen)[0] == pytest.approx(100 / len(names), abs=0.01)


def test_who_may_only_read_sees_nothing_to_press(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    key = service.client.call("POST", "/v1/keys", body={"name": "reader", "scopes": ["studies:read"]})
    seen = watched(chromium, service.url, width=1280)
    seen.page.goto(service.url + "/login", wait_until="networkidle")
    seen.page.fill("#key", key["key"])
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("button", name="Log out")).to_be_visible()
    seen.page.wait_for_load_state("networkidle")
    explore(seen, paths)
    expect(seen.page.get_by_role("slider").first).to_be_enabled()
    expect(seen.page.get_by_role("button", name="Ask for a proposal")).to_have_count(0)
    seen.open(paths["proposal"])
    expect(seen.page.get_by_role("button", name="Download schedule JSON")).to_be_visible()
    for name in ("as the next sweep", "schedule of a job"):
        expect(seen.page.get_by_role("button", name=name)).to_have_count(0)
    seen.page.context.close()
