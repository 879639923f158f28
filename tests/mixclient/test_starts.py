"""Starts and restarts against a real service: refused, away, or back only later."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mixclient.spool import Spool
from sqlalchemy import text

from mixclient import Schedule, StartRefusedError
from tests.support.proxy import Mode, proxied
from tests.support.servers import Service
from tests.support.trainers import DOMAINS, client, create, train, until

NOBODY = "http://127.0.0.1:9"
WEIGHTS = dict.fromkeys(DOMAINS, 1 / len(DOMAINS))


def followed(job: str = "run") -> Schedule:
    return Schedule.static(WEIGHTS, samples_per_step=8, job=job)


def reports(service: Service) -> dict[int, list[tuple[int, bool]]]:
    """Last steps of the reports that are stored, by attempt, and whether a restart took them back."""
    with service.database.session() as session:
        rows = session.execute(text("SELECT attempt, step_to, taken_back FROM reports ORDER BY 1, 2")).all()
    attempts = {attempt for attempt, *_ in rows}
    return {a: [(step, back) for attempt, step, back in rows if attempt == a] for a in attempts}


def spooled(folder: Path) -> int:
    """Reports in the file of a spool."""
    file = folder / "reports.jsonl"
    return file.read_text().count('"reports"') if file.exists() else 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "mx_0123456789ab_" + "x" * 43}, "401"),
        ({"scope": "studies:read"}, "403 missing_scope"),
        ({"job": "other"}, "404"),
        ({"state_token": "a1.s999"}, "422 .*names no state of this job"),
    ],
    ids=["key", "scope", "job", "token"],
)
def test_a_refused_start_is_an_error_though_a_schedule_is_stored(
    service: Service, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    create(service)
    key = service.new_key(change["scope"]) if "scope" in change else change.get("key", service.key)
    follower = client(service.url, key, tmp_path, job=change.get("job", "run"))
    with pytest.raises(StartRefusedError, match=said):
        follower.start(
            timeout=3600, from_step=0, state_token=change.get("state_token"), followed=followed(follower.job)
        )
    assert service.client.job("run")["attempt"] == 1
    assert not Spool(tmp_path / "reports.jsonl").owes_attempt, "what never trained owes no attempt"


@pytest.mark.parametrize("mode", [Mode.CUT, Mode.GARBAGE, Mode.TROUBLED, Mode.HANG])
def test_trouble_that_may_pass_lets_a_job_start_on_what_is_stored(
    service: Service, tmp_path: Path, mode: Mode
) -> None:
    with proxied(service.url) as proxy:
        proxy.set(mode)
        follower = client(proxy.url, service.key, tmp_path)
        follower.start(timeout=0.1, from_step=5, followed=followed())
        assert follower.schedule.stage_at(5).weights == tuple(WEIGHTS.values())
        follower.close(timeout=0.0)


def test_an_attempt_that_is_owed_is_opened_once_the_service_is_there_even_after_a_crash(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    first = client(service.url, service.key, tmp_path)
    first.start()
    train(first, range(50))
    until(lambda: service.client.job("run")["reported_step"] == 49)
    token, held = first.state_token, first.schedule
    first.close()

    crashed = client(NOBODY, service.key, tmp_path)
    crashed.start(timeout=0.1, from_step=50, state_token=token, followed=held)
    train(crashed, range(50, 80))
    until(lambda: spooled(tmp_path) >= 6)
    with proxied(service.url) as proxy:
        proxy.set(Mode.CUT)
        second = client(proxy.url, service.key, tmp_path)
        second.start(timeout=0.1, from_step=70, state_token=crashed.state_token, followed=crashed.schedule)
        train(second, range(70, 90))
        assert service.client.job("run")["attempt"] == 1
        proxy.set(Mode.PASS)
        until(lambda: second.schedule.attempt == 3)
        train(second, range(90, 130))
        until(lambda: service.client.job("run")["reported_step"] == 129)
        assert second.close(timeout=30)
    stored = reports(service)
    assert {step for step, back in stored[2] if not back} >= {54, 59, 64, 69}
    assert all(back for step, back in stored[2] if step >= 70), "trained anew by the last attempt"
    assert {74, 79, 84, 89, 129} <= {step for step, _ in stored[3]}
    assert not any(name.startswith("refused_") for name in second.counters())
    job = service.client.job("run")
    assert (job["attempt"], job["reports_late"]) == (3, 0)
    joined = [s for s in second.schedule.stages if s.effective_step > 89]
    assert joined
    assert joined[0].effective_step == 90 + 20, "as far ahead as any other change"
    assert second.state_token is not None
    assert second.state_token.startswith("a3.")


def test_a_token_that_is_refused_later_costs_the_token_and_not_the_attempt(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    with proxied(service.url) as proxy:
        proxy.set(Mode.CUT)
        follower = client(proxy.url, service.key, tmp_path)
        follower.start(timeout=0.1, from_step=0, state_token="a7.s7", followed=followed())
        train(follower, range(10))
        proxy.set(Mode.PASS)
        until(lambda: follower.schedule.attempt == 2)
        assert follower.close(timeout=30)
    assert follower.counters()["refused_state_tokens"] == 1
    assert service.client.job("run")["attempt"] == 2


def test_what_a_crashed_run_left_is_sent_before_the_attempt_of_its_restart(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    with proxied(service.url) as proxy:
        crashed = client(proxy.url, service.key, tmp_path)
        crashed.start()
        proxy.set(Mode.CUT)
        train(crashed, range(30))
        until(lambda: spooled(tmp_path) >= 6)
        restarted = client(service.url, service.key, tmp_path)
        restarted.start(from_step=20, followed=crashed.schedule)
        assert restarted.state_token is None, "a token of the run before is no token of this one"
        train(restarted, range(20, 40))
        assert restarted.close()
    assert {step for step, back in reports(service)[1] if not back} == {4, 9, 14, 19}
    assert {step for step, _ in reports(service)[2]} == {24, 29, 34, 39}


def test_no_call_waits_for_a_service_that_never_answers(service: Service, tmp_path: Path) -> None:
    with proxied(service.url) as proxy:
        proxy.set(Mode.HANG)
        follower = client(proxy.url, service.key, tmp_path)
        held = replace(followed(), attempt=1, version=1)
        held = replace(held, stages=(replace(held.stages[0], version=1),))
        follower.start(timeout=0.0, followed=held)
        done = threading.Event()

        def loop() -> None:
            for step in range(500):
                train(follower, range(step, step + 1))
                assert not follower.stage_ends(step)
                assert follower.state_token is None
                assert follower.stage(step).weights
            follower.close(timeout=0.0)
            done.set()

        threading.Thread(target=loop, daemon=True).start()
        assert done.wait(60)
        # A call that waits ends when its request does: none has ended, and so nobody has waited for one.
        assert not {"failed_polls", "failed_sends", "unchanged", "sent_reports"} & set(follower.counters())
    assert spooled(tmp_path) == 100, "what could not be sent waits on disk"


def test_the_folder_of_one_project_is_not_that_of_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    keys = [f"mx_{n:012x}_" + 43 * "s" for n in range(2)]
    for key in keys:
        follower = client(NOBODY, key, None, fallback=WEIGHTS, samples_per_step=8)
        follower.start(timeout=0.0)
        follower._spool.append({"kind": "reports", "body": {"key": key}})
        follower.close(timeout=0.0)
    files = list(tmp_path.rglob("reports.jsonl"))
    assert sorted(json.loads(file.read_text())["body"]["key"] for file in files) == keys
    assert not any("sss" in str(file) for file in files), "no secret is in a name"
    (left,) = (file.parent for file in files if keys[0] in file.read_text())
    assert f"give folder='{left}'" in caplog.text
