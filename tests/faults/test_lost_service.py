"""A service that is away, for minutes or for hours: training goes on, and what was measured is told later."""

import threading
from pathlib import Path

import httpx
import pytest

from tests.support.proxy import Mode, proxied
from tests.support.scripted import client as scripted
from tests.support.scripted import schedule, stored
from tests.support.scripted import train as train_two
from tests.support.servers import Service
from tests.support.trainers import client, create, train, until


@pytest.mark.parametrize("mode", [Mode.CUT, Mode.HANG, Mode.GARBAGE])
def test_case_28_an_outage_stops_nothing_and_loses_nothing(
    tenant: Service, tmp_path: Path, mode: Mode
) -> None:
    create(tenant)
    with proxied(tenant.url) as proxy:
        follower = client(proxy.url, tenant.key, tmp_path)
        follower.start()
        train(follower, range(100))
        proxy.set(mode)
        held, done = follower.schedule, threading.Event()

        def loop() -> None:
            train(follower, range(100, 200))
            done.set()

        threading.Thread(target=loop, daemon=True).start()
        # A loop that waited for one answer of a hanging service would take half a minute for it.
        assert done.wait(10), "the training loop was held up"
        before = tenant.client.job("run")["reports_accepted"]
        assert before <= 20 + 5
        assert follower.schedule.version == held.version, "the last schedule that it knows"
        proxy.set(Mode.PASS)
        train(follower, range(200, 300))
        until(lambda: tenant.client.job("run")["reported_step"] == 299, seconds=60)
        follower.close(timeout=30)
    job = tenant.client.job("run")
    assert job["reports_accepted"] >= 60
    assert job["reports_late"] == 0
    assert follower.gauges()["spooled_reports"] == 0


def test_case_28_lost_answers_lead_to_duplicates_and_never_to_a_second_effect(
    tenant: Service, tmp_path: Path
) -> None:
    create(tenant)
    with proxied(tenant.url) as proxy:
        follower = client(proxy.url, tenant.key, tmp_path)
        follower.start()
        train(follower, range(50))
        until(lambda: tenant.client.job("run")["reported_step"] == 49)
        proxy.set(Mode.LOSE_ANSWERS)
        train(follower, range(50, 100))
        # The same reports are sent again and again, since no answer ever arrives.
        until(lambda: tenant.client.job("run")["reports_duplicate"] > 0)
        proxy.set(Mode.PASS)
        train(follower, range(100, 150))
        assert follower.close(timeout=30)
    job = tenant.client.job("run")
    assert job["reported_step"] == 149
    assert job["reports_accepted"] == 30 + len(
        {v["applied_at_step"] for v in tenant.client.versions("run") if (v["applied_at_step"] or 0) % 5}
    )


def test_case_28_after_hours_the_oldest_reports_are_counted_and_all_others_are_sent_once_in_order(
    tmp_path: Path,
) -> None:
    away, told = [False], list[int]()

    def get(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if away[0] else schedule(request)

    def post(request: httpx.Request) -> httpx.Response:
        if away[0]:
            raise httpx.ConnectError("refused")
        if request.url.path.endswith("reports"):
            told.extend(
                body["step_to"] for body in httpx.Response(200, content=request.content).json()["reports"]
            )
        return stored(request)

    follower = scripted(tmp_path, get=get, post=post, report_every=1, spool_limit=300)
    follower.start()
    train_two(follower, range(10))
    until(lambda: len(told) == 10)
    away[0] = True
    until(lambda: follower.gauges()["rung"] == 1)
    held = follower.schedule
    train_two(follower, range(10, 5_000))
    assert follower.schedule == held
    until(lambda: follower.counters()["recorded_reports"] == 5_000)
    until(lambda: follower.gauges()["spooled_reports"] == 300)
    assert (tmp_path / "reports.jsonl").read_text().count("\n") <= 300 + 512
    assert len(told) == 10
    away[0] = False
    assert follower.close(timeout=30)
    assert told == [*range(10), *range(4_700, 5_000)]
    counted = follower.counters()
    assert counted["dropped_from_spool"] == 5_000 - len(told)
    assert "dropped_queue_full" not in counted
