"""Mixtures moved by hand, and what becomes of a proposal: as people do it in a browser."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Watched, logged_in
from tests.browser.test_pages import shoot
from tests.support.populated import STUDY
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
