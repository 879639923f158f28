"""Case 52, the browser's half: names that would be markup or script are seen, and do nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, expect

from tests.browser.conftest import Watched, logged_in
from tests.support.populated import settled
from tests.support.servers import Service

pytestmark = pytest.mark.browser

NASTY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<a href='javascript:alert(3)'>x</a>",
    "<a href='http://evil.example/'><b>y</b></a> %{x}",
]
STUDY, JOB = "nasty", "nasty-job"


@pytest.fixture(scope="module")
def named(populated: tuple[Service, dict[str, str]]) -> Service:
    """A study and a job in which everything that may be called anything is called badly."""
    service, _ = populated
    client = service.client
    domains = [{"name": name, "tokens": 5} for name in NASTY]
    client.create_study({"name": STUDY, "domains": domains, "notes": NASTY[1]})
    runs = [
        {
            "name": NASTY[i % len(NASTY)] + f" {i}",
            "weights": {name: 0.7 if name == NASTY[i % 4] else 0.1 for name in NASTY},
            "losses": dict.fromkeys(NASTY, 2.5 + i / 10),
        }
        for i in range(4)
    ]
    client.call("POST", f"/v1/studies/{STUDY}/runs", body={"runs": runs, "source": NASTY[0]})
    client.create_sweep(STUDY, {"design": "sobol", "count": 1})
    lease = client.claim_run(NASTY[2], study=STUDY)
    assert lease is not None
    client.put_failure(lease["run"]["id"], lease["lease"], NASTY[1])
    client.create_job(
        {"name": JOB, "policy": "static", "domains": domains, "samples_per_step": 8, "study": STUDY}
    )
    report = {
        "attempt": 1,
        "source": "rank0",
        "step_from": 0,
        "step_to": 9,
        "schedule_version": 1,
        "loss_sums": dict.fromkeys(NASTY, 900.0),
        "token_counts": dict.fromkeys(NASTY, 300),
    }
    client.call("POST", f"/v1/jobs/{JOB}/reports", body=report)
    key = client.call("POST", "/v1/keys", body={"name": NASTY[0], "scopes": ["jobs:write"]})
    with service.http(key["key"]) as http:
        assert http.post(f"/v1/jobs/{JOB}/freeze", json={"reason": NASTY[1]}).status_code == 200
    return service


@pytest.fixture
def seen(chromium: Browser, named: Service) -> Iterator[Watched]:
    """A browser in which nothing asks, complains, or calls anybody else."""
    watching = logged_in(chromium, named)
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    watching.page.on("dialog", note)
    yield watching
    assert dialogs == []
    watching.check()
    made_of_names = "main img, main a[href^='javascript'], main a[href*='evil'], .figure a, .figure img"
    assert watching.page.locator(made_of_names).count() == 0
    watching.page.context.close()


def test_case_52_names_are_shown_and_never_run_on_the_page_of_a_study(seen: Watched) -> None:
    seen.open(f"/studies/{STUDY}")
    for name in NASTY:
        expect(seen.page.get_by_role("cell", name=name, exact=True).first).to_be_visible()
    for run in range(4):
        expect(seen.page.get_by_role("cell", name=f"{NASTY[run]} {run}").first).to_be_visible()
    expect(seen.page.get_by_text(NASTY[1], exact=False).first).to_be_visible()


def test_case_52_names_are_shown_and_never_run_on_the_page_of_a_job(seen: Watched, named: Service) -> None:
    seen.open(f"/jobs/{JOB}")
    expect(seen.page.locator("#connection")).to_have_text("live")
    expect(seen.page.get_by_role("alert")).to_contain_text(NASTY[1])
    named.client.call("POST", f"/v1/jobs/{JOB}/release", body={"reason": NASTY[2]})
    newest = seen.page.locator("[data-part=audit] tbody tr").first
    expect(newest.locator("td").nth(3)).to_have_text(NASTY[2])  # put there by the page's script
    for name in NASTY:
        expect(seen.page.locator("[data-part=domains]").get_by_role("cell", name=name)).to_be_visible()


def test_case_52_names_are_shown_and_never_run_on_the_page_of_a_fit(seen: Watched, named: Service) -> None:
    fit = settled(named.client.fit, named.client.create_fit(STUDY, {"method": "constant"})["id"])
    assert fit["state"] == "done", fit
    seen.open(f"/fits/{fit['id']}")
    for name in NASTY:
        expect(seen.page.get_by_role("cell", name=name, exact=True)).to_be_visible()
    drawn = seen.page.locator(".smalls .figure")
    labels = drawn.evaluate_all("all => all.map(one => one.ariaLabel)")
    assert sorted(labels) == sorted(f"objective along the share of {name}" for name in NASTY)
    assert NASTY[0] in (drawn.filter(has_text="onerror").locator(".xtitle").text_content() or "")


def test_case_52_what_a_figure_says_under_the_mouse_is_text(seen: Watched) -> None:
    seen.open(f"/jobs/{JOB}")
    drawn = seen.page.locator("#losses")
    drawn.scroll_into_view_if_needed()
    place = drawn.locator(".nsewdrag").first.bounding_box()
    assert place is not None
    label = drawn.locator(".hoverlayer")
    for share in (0.02, 0.25, 0.5, 0.75, 0.98):
        seen.page.mouse.move(place["x"] + share * place["width"], place["y"] + 0.5 * place["height"])
        seen.page.wait_for_timeout(60)
        if "<" in (label.text_content() or ""):
            break
    told = label.text_content() or ""
    assert any(name[:5] in told for name in NASTY), told
    assert label.locator("a").count() == 0
