"""`MixtureClient` against a real service: it follows, it reports, and nothing reaches the training loop."""

from dataclasses import replace
from pathlib import Path

import pytest

from mixclient import Sampler, ScheduleError, ScheduleUnavailableError
from tests.support.proxy import Mode, proxied
from tests.support.servers import Service
from tests.support.trainers import DOMAINS, client, create, train, until


def test_weights_are_applied_at_their_step_and_every_report_arrives_once(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    follower = client(service.url, service.key, tmp_path)
    follower.start()
    drawn = train(follower, range(200), paced_by=service)
    assert follower.close()
    job, versions = service.client.job("run"), service.client.versions("run")
    applied = [v for v in versions if v["applied_at_step"] is not None]
    assert len(applied) > 10
    assert all(v["applied_at_step"] == v["effective_step"] for v in applied)
    starts = [v["applied_at_step"] for v in applied]
    for d, name in enumerate(DOMAINS):
        lengths = zip(starts, [*starts[1:], 200], applied, strict=True)
        intended = sum((end - start) * v["weights"][name] for start, end, v in lengths) / 200
        assert drawn[d] / 1600 == pytest.approx(intended, abs=0.01)
    assert job["reports_accepted"] == follower.counters()["sent_reports"] >= 40
    assert (job["reports_late"], job["reports_duplicate"]) == (0, 0)
    assert follower.state_token is not None


def test_a_report_never_spans_two_versions(service: Service, tmp_path: Path) -> None:
    create(service, lead_steps=7)
    follower = client(service.url, service.key, tmp_path)
    follower.start()
    train(follower, range(100), paced_by=service)
    follower.close()
    changes = {v["applied_at_step"] for v in service.client.versions("run") if v["applied_at_step"]}
    assert changes
    # Steps of a report are those of one version, so every change begins a report: one more for each.
    mid = {step for step in changes if step % 5}
    assert service.client.job("run")["reports_accepted"] == 20 + len(mid)


def test_reports_of_a_crashed_trainer_are_sent_by_its_successor(service: Service, tmp_path: Path) -> None:
    create(service)
    with proxied(service.url) as proxy:
        first = client(proxy.url, service.key, tmp_path)
        first.start()
        proxy.set(Mode.CUT)
        train(first, range(50))
        spool = tmp_path / "reports.jsonl"
        until(lambda: spool.exists() and spool.read_text().count('"reports"') >= 10)
        # The first one is never closed: its process is gone.
        second = client(service.url, service.key, tmp_path)
        second.start()
        until(lambda: service.client.job("run")["reported_step"] == 49)
        second.close()
    assert service.client.job("run")["reports_accepted"] == 10


def test_a_job_starts_on_its_stored_schedule_when_the_service_is_away(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    first = client(service.url, service.key, tmp_path)
    first.start()
    train(first, range(60), paced_by=service)
    first.close()
    held = first.schedule
    again = client("http://127.0.0.1:9", service.key, tmp_path)
    again.start(timeout=0.2)
    assert again.schedule == held
    assert train(again, range(60, 70))
    again.close(timeout=0.2)


def test_without_any_schedule_a_job_takes_its_fallback_or_says_why_not(tmp_path: Path) -> None:
    key = "mx_0123456789ab_" + "x" * 43
    with pytest.raises(ScheduleUnavailableError, match="Start the service, or give fallback weights"):
        client("http://127.0.0.1:9", key, tmp_path / "a").start(timeout=0.1)
    follower = client(
        "http://127.0.0.1:9", key, tmp_path / "b", fallback={"x": 0.75, "y": 0.25}, samples_per_step=4
    )
    follower.start(timeout=0.1)
    assert follower.schedule.stages[0].weights == (0.75, 0.25)
    follower.close(timeout=0.1)


def test_a_job_that_began_on_its_fallback_is_steered_once_the_service_is_there(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    weights = dict.fromkeys(DOMAINS, 1 / len(DOMAINS))
    with proxied(service.url) as proxy:
        proxy.set(Mode.CUT)
        follower = client(proxy.url, service.key, tmp_path, fallback=weights, samples_per_step=8)
        follower.start(timeout=0.1)
        train(follower, range(23))
        proxy.set(Mode.PASS)
        until(lambda: follower.schedule.attempt == 1)
        train(follower, range(23, 60))
        until(lambda: service.client.job("run")["reported_step"] >= 55)
        follower.close(timeout=30)
    first = service.client.versions("run")[0]
    assert (first["version"], first["applied_at_step"]) == (1, 43)


def test_a_wrong_key_is_told_before_training_and_not_waited_for(service: Service, tmp_path: Path) -> None:
    create(service)
    with pytest.raises(ScheduleUnavailableError, match="401"):
        client(service.url, "mx_0123456789ab_" + "x" * 43, tmp_path).start(timeout=3600)
    with pytest.raises(ScheduleUnavailableError, match="403 missing_scope"):
        client(service.url, service.new_key("studies:read"), tmp_path).start(timeout=3600)


def test_a_full_queue_drops_and_counts_and_never_waits(service: Service, tmp_path: Path) -> None:
    create(service)
    follower = client(service.url, service.key, tmp_path)
    follower.start()
    reporter = follower._reporter
    for number in range(30_000):
        reporter.put(
            {"kind": "acks", "body": {"attempt": 1, "version": 1, "step": number, "outcome": "applied"}}
        )
    counted = follower.counters()
    assert counted.get("dropped_queue_full", 0) >= 0
    follower.close(timeout=0.1)


def test_a_schedule_from_before_the_attempt_that_was_opened_is_asked_for_again(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    for turn in range(2, 12):
        follower = client(service.url, service.key, tmp_path / str(turn))
        follower.start(from_step=0)
        assert follower.schedule.attempt == turn
        follower.close()


def test_a_restart_keeps_the_past_that_was_drawn_though_versions_of_it_were_taken_back(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    first = client(service.url, service.key, tmp_path / "a")
    first.start()
    train(first, range(10), paced_by=service)
    token = first.state_token
    train(first, range(10, 60), paced_by=service)
    followed = first.schedule
    first.close()
    second = client(service.url, service.key, tmp_path / "b")
    second.start(from_step=60, state_token=token, followed=followed)
    past = Sampler(followed, seed=1)
    assert [Sampler(second.schedule, seed=1).step(s) for s in range(60)] == [past.step(s) for s in range(60)]
    planned = [v for v in service.client.versions("run") if not v["taken_back"] and v["effective_step"] <= 60]
    assert followed.stage_at(59).version > planned[-1]["version"], "a version that was drawn was taken back"
    assert second.schedule.stage_at(60).version == planned[-1]["version"]
    train(second, range(60, 90))
    assert [Sampler(second.schedule, seed=1).step(s) for s in range(60)] == [past.step(s) for s in range(60)]
    assert second.close()
    assert service.client.job("run")["reported_step"] == 89


def test_a_restart_goes_on_with_the_schedule_of_its_checkpoint_when_the_service_is_away(
    service: Service, tmp_path: Path
) -> None:
    create(service)
    first = client(service.url, service.key, tmp_path / "a")
    first.start()
    train(first, range(30), paced_by=service)
    followed = first.schedule
    first.close()
    elsewhere = client("http://127.0.0.1:9", service.key, tmp_path / "b")
    elsewhere.start(timeout=0.1, from_step=30, followed=followed)
    assert elsewhere.schedule == replace(followed, attempt=0), "of no attempt until one is open"
    elsewhere.close(timeout=0.1)
    with pytest.raises(ScheduleError, match="is of job 'other', not 'run'"):
        client(service.url, service.key, tmp_path / "c").start(followed=replace(followed, job="other"))
