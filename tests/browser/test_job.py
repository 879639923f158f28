"""The page of a live job: orders are given there, and what it shows is right without a reload."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_pages import shoot
from tests.service.embedded_postgres.actors import until
from tests.support.databases import fresh_database
from tests.support.populated import report
from tests.support.servers import Service, running

pytestmark = pytest.mark.browser

DOMAINS = [{"name": "web", "tokens": 60_000}, {"name": "code", "tokens": 30_000, "max_epochs": 2}]
DOMAINS += [{"name": 'law & "order" <b>', "tokens": 10_000}]
NAMES = [str(domain["name"]) for domain in DOMAINS]
JOB = "steered"


@pytest.fixture(scope="module")
def service(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with (
        fresh_database(postgres_url) as database,
        running(database, tmp_path_factory.mktemp("data")) as service,
    ):
        play(service, JOB, 8)
        yield service


def play(service: Service, name: str, reports: int, *, policy: str = "odm") -> None:
    """A job with so many reports of ten steps."""
    body = {"name": name, "policy": policy, "domains": DOMAINS, "samples_per_step": 8, "lead_steps": 20}
    service.client.create_job(body)
    rng = np.random.default_rng(1)
    for step in range(9, 10 * reports, 10):
        report(service, name, step, rng)


def opened(
    chromium: Browser, service: Service, name: str = JOB, *, looks: bool = True, **look: str | int
) -> Watched:
    """The page of a job, followed; it may be kept from looking now and then by itself."""
    seen = logged_in(chromium, service, **look)  # type: ignore[arg-type]
    if not looks:
        seen.page.add_init_script("window.setInterval = () => 0")
    seen.open(f"/jobs/{name}")
    expect(seen.page.locator("#connection")).to_have_text("live")
    return seen


def last_drawn(seen: Watched) -> int:
    """Last step in the figure of the losses."""
    return int(seen.page.locator("#losses").evaluate("element => element.data[0].x.at(-1)"))


def dialog(seen: Watched, button: str) -> Locator:
    seen.page.get_by_role("button", name=button, exact=True).click()
    return seen.page.get_by_role("dialog")


def newest_event(seen: Watched) -> Locator:
    return seen.page.locator("[data-part=audit] tbody tr").first.locator("td")


def test_a_freeze_is_checked_confirmed_and_seen_without_a_reload(chromium: Browser, service: Service) -> None:
    seen = opened(chromium, service)
    reloads: list[str] = []
    seen.page.on("framenavigated", lambda frame: reloads.append(frame.url))
    held = service.client.job(JOB)
    asking = dialog(seen, "Freeze…")
    asking.get_by_role("button", name="Check").click()
    expect(asking).to_be_visible()  # no order without a reason
    assert service.client.job(JOB) == held
    asking.get_by_label("reason").fill("the eval of <law> fell")
    asking.get_by_role("button", name="Check").click()
    expect(asking.get_by_role("status")).to_contain_text("Nothing is changed yet")
    assert service.client.job(JOB)["hold"] is None, "a check changes nothing"
    shoot(seen, "job-freeze-dialog")
    asking.get_by_role("button", name="Freeze now").click()
    expect(asking).to_have_count(0)
    expect(seen.page.locator("[data-part=hold]")).to_contain_text("frozen: the eval of <law> fell")
    expect(newest_event(seen).nth(2)).to_have_text("freeze")
    expect(newest_event(seen).nth(3)).to_have_text("the eval of <law> fell")
    expect(seen.page.locator("[data-part=policy]")).to_contain_text("is not followed")
    expect(seen.page.locator("#ordered")).to_contain_text("Frozen: from step")
    asking = dialog(seen, "Release…")
    asking.get_by_label("reason").fill("looked at it")
    asking.get_by_role("button", name="Check").click()
    asking.get_by_role("button", name="Release now").click()
    expect(seen.page.locator("[data-part=hold] [role=alert]")).to_have_count(0)
    expect(seen.page.get_by_role("button", name="Release…")).to_have_count(0)
    entries = service.client.call("GET", f"/v1/jobs/{JOB}/audit")["items"]
    reasons = {entry["kind"]: entry["reason"] for entry in entries if entry["kind"] != "version"}
    assert reasons["release"] == "looked at it"
    assert reloads == []
    seen.check()


def test_weights_are_pinned_as_they_were_typed_and_scaled_to_one(chromium: Browser, service: Service) -> None:
    seen = opened(chromium, service, width=390)
    asking = dialog(seen, "Pin weights…")
    in_force = service.client.call("GET", f"/v1/jobs/{JOB}/schedule")["stages"][0]["weights"]
    for name in NAMES:
        expect(asking.get_by_label(f"{name}, %", exact=True)).to_have_value(f"{100 * in_force[name]:.2f}")
    for name, share in zip(NAMES, ("100", "60", "40"), strict=True):
        asking.get_by_label(f"{name}, %", exact=True).fill(share)
    expect(asking).to_contain_text("Sum 200.00")
    asking.get_by_label("reason").fill("as the ablation said")
    asking.get_by_role("button", name="Check").click()
    expect(asking.get_by_role("status")).to_contain_text("web 50.0 %, code 30.0 %")
    shoot(seen, "job-pin-dialog-390")
    asking.get_by_role("button", name="Pin weights now").click()
    expect(asking).to_have_count(0)
    stages = service.client.call("GET", f"/v1/jobs/{JOB}/schedule")["stages"]
    weights = next(one["weights"] for one in stages if one["reason"] == "pinned: as the ablation said")
    assert [weights[name] for name in NAMES] == pytest.approx([0.5, 0.3, 0.2])
    expect(seen.page.locator("[data-part=hold]")).to_contain_text("pinned: as the ablation said")
    service.client.call("POST", f"/v1/jobs/{JOB}/release", body={"reason": "over"})
    seen.check()


def test_what_the_service_says_against_an_order_is_shown(chromium: Browser, service: Service) -> None:
    seen = opened(chromium, service)
    before = service.client.job(JOB)["version"]
    asking = dialog(seen, "Roll back…")
    asking.get_by_label("version").fill("99999")
    asking.get_by_label("reason").fill("back")
    asking.get_by_role("button", name="Check").click()
    expect(asking.get_by_role("alert")).to_contain_text("version 99999 of job 'steered' was never published")
    seen.page.keyboard.press("Escape")
    expect(asking).to_have_count(0)
    assert service.client.job(JOB)["version"] == before
    seen.complaints = [told for told in seen.complaints if "422" not in told and "400" not in told]
    seen.check()


def test_a_version_is_rolled_back_to_from_its_row(chromium: Browser, service: Service) -> None:
    seen = opened(chromium, service)
    last = seen.page.locator("[data-part=versions] [data-version]").last
    number = int(last.get_attribute("data-version") or 0)
    asking = dialog(seen, f"roll back to version {number}")
    expect(asking.get_by_label("version")).to_have_value(str(number))
    asking.get_by_label("reason").fill("it was better then")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")  # all of it works without a mouse
    expect(asking.get_by_role("button", name="Roll back now")).to_be_focused()
    seen.page.keyboard.press("Enter")
    expect(asking).to_have_count(0)
    expect(newest_event(seen).nth(2)).to_have_text(f"rollback {number}")
    assert service.client.job(JOB)["hold"]["reason"] == f"rolled back to version {number}: it was better then"
    first = seen.page.locator("[data-part=versions] tbody tr").first.locator("td")
    expect(first.nth(0)).to_have_text(str(service.client.job(JOB)["version"]))
    service.client.call("POST", f"/v1/jobs/{JOB}/release", body={"reason": "over"})
    seen.check()


def test_who_may_only_look_sees_no_order_and_gives_none(chromium: Browser, service: Service) -> None:
    seen = watched(chromium, service.url, width=1280)
    seen.page.goto(service.url + "/login")
    seen.page.fill("#key", service.new_key("jobs:read", "studies:read"))
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("heading", name="Studies and jobs")).to_be_visible()
    seen.open(f"/jobs/{JOB}")
    expect(seen.page.locator("#connection")).to_have_text("live")
    before = service.client.job(JOB)["version"]
    assert seen.page.locator("[data-order], dialog").count() == 0
    status = seen.page.evaluate(
        """path => fetch(path, {method: "POST", headers: {"Content-Type": "application/json"},
                               body: '{"reason": "I may not"}'}).then(answer => answer.status)""",
        f"/v1/jobs/{JOB}/freeze",
    )
    assert status == 403
    assert service.client.job(JOB)["version"] == before


def test_versions_tell_their_reasons_and_attempts_are_a_fork(chromium: Browser, service: Service) -> None:
    play(service, "forked", 8)
    order = {"reason": "a <b>bold</b> freeze"}
    service.client.call("POST", "/v1/jobs/forked/freeze", body=order)
    service.client.call("POST", "/v1/jobs/forked/attempts", body={"from_step": 40})
    seen = opened(chromium, service, "forked")
    drawn = seen.page.locator("#weights").evaluate("element => element.data")
    told = [text for trace in drawn if trace.get("name") == "versions" for text in trace["text"]]
    assert any("frozen: a &lt;b&gt;bold&lt;/b&gt; freeze" in text for text in told)
    lanes = {trace["name"]: trace["x"] for trace in drawn if trace.get("name", "").startswith("attempt")}
    assert lanes == {"attempt 1": [0, 0, 79], "attempt 2": [40, 40, 40]}
    expect(seen.page.locator("[data-part=attempts] tbody tr")).to_have_count(2)
    shoot(seen, "job-fork")
    seen.check()


def test_the_page_tells_of_the_trainer_and_of_the_policy(chromium: Browser, service: Service) -> None:
    play(service, "told", 3)
    seen = opened(chromium, service, "told")
    trainer = seen.page.locator("[data-part=trainer]")
    for told in ("last sign of life", "reports come", "lag in applying version", "planned ahead"):
        expect(trainer).to_contain_text(told)
    policy = seen.page.locator("[data-part=policy]")
    expect(policy).to_contain_text("odm has learnt from 30 steps and steers.")
    columns = ["domain", "running reward", "weight it asks for"]
    expect(policy.get_by_role("columnheader")).to_contain_text(columns)
    expect(policy.get_by_role("cell", name=NAMES[2])).to_be_visible()
    seen.check()


def test_a_report_that_brings_no_version_is_on_the_page_by_its_stream(
    chromium: Browser, service: Service
) -> None:
    play(service, "unmoved", 3, policy="static")
    seen = opened(chromium, service, "unmoved", looks=False)
    loads: list[str] = []
    seen.page.on("framenavigated", lambda frame: loads.append(frame.url))
    version = service.client.job("unmoved")["version"]
    for step in (39, 49, 59):
        report(service, "unmoved", step, np.random.default_rng(step))
        expect(seen.page.locator("[data-counter=reported_step]")).to_have_text(str(step))
    until(lambda: last_drawn(seen) == 59)
    expect(seen.page.locator("[data-counter=version]")).to_have_text(str(version))
    assert loads == []
    seen.check()


def test_a_page_whose_stream_was_cut_is_right_again(
    chromium: Browser, postgres_url: str, tmp_path: Path
) -> None:
    with fresh_database(postgres_url) as database:
        with running(database, tmp_path) as first:
            play(first, JOB, 3)
            seen = opened(chromium, first, looks=False)
            port = int(first.url.rsplit(":", 1)[1])
        badge = seen.page.locator("#connection")
        expect(badge).to_have_text("reconnecting")
        with running(database, tmp_path, port=port) as second:
            report(second, JOB, 39, np.random.default_rng(2))
            expect(badge).to_have_text("live", timeout=20_000)
            expect(seen.page.locator("[data-counter=reported_step]")).to_have_text("39")
            until(lambda: last_drawn(seen) == 39)
            report(second, JOB, 49, np.random.default_rng(3))  # the new stream brings it
            expect(seen.page.locator("[data-counter=reported_step]")).to_have_text("49")
            seen.page.context.close()


def test_a_stream_that_is_refused_is_asked_for_again(chromium: Browser, service: Service) -> None:
    play(service, "refused", 3)
    seen = logged_in(chromium, service)
    refused: list[str] = []

    def refuse(route):  # type: ignore[no-untyped-def]
        refused.append(route.request.url)
        route.fulfill(status=503, body="")  # which ends a stream of events for good

    seen.page.route("**/events", refuse, times=2)
    seen.open("/jobs/refused")
    expect(seen.page.locator("#connection")).to_have_text("live")
    report(service, "refused", 39, np.random.default_rng(2))
    expect(seen.page.locator("[data-counter=reported_step]")).to_have_text("39")
    assert len(refused) == 2
