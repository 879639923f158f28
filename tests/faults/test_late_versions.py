"""Versions that reach a trainer after their step: refused, told, and placed again further ahead."""

from pathlib import Path

from tests.support.servers import Service
from tests.support.trainers import client, create, until


def test_case_26_a_version_that_comes_too_late_is_refused_and_planned_anew(
    tenant: Service, tmp_path: Path
) -> None:
    create(tenant, lead_steps=0)
    follower = client(tenant.url, tenant.key, tmp_path)
    follower.start()
    drawn_before = [follower.step(step) for step in range(100)]
    follower.record(34, loss_sums=[99.0, 10.0, 10.0], token_counts=[10, 10, 10])
    until(lambda: tenant.client.job("run")["versions_too_late"] >= 1)
    assert [follower.step(step) for step in range(100)] == drawn_before, "what was drawn stays as it was"
    until(lambda: max(v["effective_step"] for v in tenant.client.versions("run")) > 99)
    until(lambda: follower.schedule.version == tenant.client.job("run")["version"])
    late, planned = (
        [v for v in tenant.client.versions("run") if v["too_late"] is late] for late in (True, False)
    )
    assert all(v["effective_step"] <= 99 and v["applied_at_step"] is None for v in late)
    again = planned[-1]
    assert again["weights"] == late[-1]["weights"]
    assert again["effective_step"] > 99
    assert again["applied_at_step"] is None
    assert follower.counters()["too_late"] == len(late)
    # From its new step on it is followed, and not a step earlier.
    first = again["effective_step"]
    followed = [follower.stage(step).version for step in range(first - 1, first + 1)]
    assert followed == [1, again["version"]]
    follower.close()
    (applied,) = (v for v in tenant.client.versions("run") if v["version"] == again["version"])
    assert applied["applied_at_step"] == first


def test_case_26_an_acknowledgement_that_is_sent_again_moves_nothing_twice(
    tenant: Service, tmp_path: Path
) -> None:
    create(tenant, lead_steps=0)
    follower = client(tenant.url, tenant.key, tmp_path)
    follower.start()
    for step in range(100):
        follower.step(step)
    follower.record(34, loss_sums=[99.0, 10.0, 10.0], token_counts=[10, 10, 10])
    until(lambda: tenant.client.job("run")["versions_too_late"] == 1)
    assert follower.close()
    before = tenant.client.versions("run")
    (late,) = (v for v in before if v["too_late"])
    ack = {"attempt": 1, "version": late["version"], "step": 99, "outcome": "too_late"}
    for _ in range(2):
        tenant.client.call("POST", "/v1/jobs/run/acks", body={"acks": [ack]})
    assert tenant.client.versions("run") == before
    assert tenant.client.job("run")["versions_too_late"] == 1
