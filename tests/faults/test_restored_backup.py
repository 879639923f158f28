"""A backup restored to an earlier point while trainers went on: they are told, and steered again."""

from pathlib import Path
from typing import Any

import pytest

from service import backup as backups
from service.db import Database
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support import trainers
from tests.support.replaying import same_again
from tests.support.servers import Service, running

PATH = "/v1/jobs/run-7b"
SCHEDULE = f"{PATH}/schedule"


def silent(_: str) -> None:
    """Nobody listens."""


def send(service: Service, steps: range, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for step in steps:
        answer = service.client.call("POST", f"{PATH}/reports", body=report(step, **more))
    return answer


def restored_behind_its_back(database: Database, file: Path) -> None:
    """Restore as somebody does who knows nothing of Mixwright."""
    database.close()
    backups._replace(database, file, silent)


@pytest.fixture
def regressed(database: Database, tmp_path: Path) -> tuple[Path, str]:
    """A backup, and what a trainer knew that went on for a while after it, in an attempt of its own."""
    file = tmp_path / "backup"
    with running(database, tmp_path, tasks_inside=False) as service:
        service.client.create_job(JOB)
        send(service, range(9, 50, 10))
        backups.backup(database, file, report=silent)
        send(service, range(59, 100, 10))
        service.client.call("POST", f"{PATH}/attempts", body={"from_step": 90})
        send(service, range(99, 130, 10), attempt=2)
        etag = service.call("GET", SCHEDULE).headers["ETag"]
    assert etag.startswith('"2-')
    return file, etag


def test_case_47_a_trainer_that_knows_more_is_told_and_then_followed_up(
    database: Database, tmp_path: Path, regressed: tuple[Path, str]
) -> None:
    file, etag = regressed
    restored_behind_its_back(database, file)
    with running(database, tmp_path, tasks_inside=False) as service:
        before = service.client.job("run-7b")
        assert before["attempt"] == 1
        told = service.call("GET", SCHEDULE, headers={"If-None-Match": etag})
        problem_of(told, 409, etag, "Keep the schedule you have", code="version_regressed")
        note = service.client.job_audit(JOB["name"])
        restored = next(entry for entry in note if entry["kind"] == "restored")
        assert (
            f"A trainer follows version {etag[1:-1]}, known were 1-{before['version']}" in restored["reason"]
        )
        # The trainer's attempt is known again, and no number is one that it may know.
        newer = service.call("GET", SCHEDULE, headers={"If-None-Match": etag})
        assert (newer.status_code, newer.json()["attempt"]) == (200, 2)
        assert newer.json()["version"] > int(etag[3:-1]) + 1000
        problem_of(service.call("POST", f"{PATH}/reports", report(139)), 409, code="stale_attempt")
        assert send(service, range(139, 140), attempt=2, schedule_version=newer.json()["version"])["accepted"]
        opened = service.client.call("POST", f"{PATH}/attempts", body={"from_step": 130})
        assert opened["number"] > 1000, "the number of an attempt that may have been opened meanwhile"
        same_again(service, "run-7b")


def test_case_47_what_is_not_of_this_job_changes_nothing(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    for etag in ('"1-2000000000"', '"99999-1"', '"x-y"', "nonsense", '"1-999999999999999999999"'):
        answer = tenant.call("GET", SCHEDULE, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.headers["ETag"]) == (200, '"1-1"')
    for _ in range(3):  # one wild trainer uses up the numbers of one epoch, and no more
        tenant.call("GET", SCHEDULE, headers={"If-None-Match": '"1-900000"'})
        held = f'"1-{tenant.client.job(JOB["name"])["version"] + 10}"'
        problem_of(tenant.call("GET", f"{SCHEDULE}/events", headers={"Last-Event-ID": held}), 409)
    kinds = [entry["kind"] for entry in tenant.client.job_audit(JOB["name"])]
    assert kinds.count("restored") == 1


def test_case_47_a_state_token_of_the_lost_time_is_refused(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with running(database, tmp_path, tasks_inside=False) as service:
        service.client.create_job(JOB)
        known = send(service, range(9, 50, 10))["state_token"]
        backups.backup(database, file, report=silent)
        lost = send(service, range(59, 100, 10))["state_token"]
    assert backups.restore(database, file, force=True, report=silent) == 1
    with running(database, tmp_path, tasks_inside=False) as service:
        send(service, range(59, 130, 10))
        refused = service.call("POST", f"{PATH}/attempts", {"from_step": 120, "state_token": lost})
        problem_of(refused, 422, "names no state of this job that still counts")
        for token in (send(service, range(139, 140))["state_token"], known):
            body = {"from_step": 140, "state_token": token}
            assert service.call("POST", f"{PATH}/attempts", body).status_code == 201
        same_again(service, "run-7b")


def test_case_47_a_trainer_goes_on_through_a_restore_and_is_steered_again(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    with running(database, tmp_path, tasks_inside=False) as service:
        trainers.create(service)
        follower = trainers.client(service.url, service.key, tmp_path / "trainer")
        follower.start()
        trainers.train(follower, range(20), paced_by=service)
        backups.backup(database, file, report=silent)
        trainers.train(follower, range(20, 60), paced_by=service)
        port = int(service.url.rsplit(":", 1)[1])
    held = follower.schedule
    database.close()
    assert backups.restore(database, file, force=True, report=silent) == 1
    with running(database, tmp_path, tasks_inside=False, port=port) as service:
        known = service.client.versions("run")
        trainers.train(follower, range(60, 70))
        # What it follows is never older than what it had, and in the end of the new epoch.
        step = 70
        while follower.stage(step).version <= held.version:
            assert step < 2000
            assert follower.schedule.version >= held.version
            trainers.train(follower, range(step, step + 1))
            trainers.until(lambda: service.client.job("run")["version"] == follower.schedule.version)
            step += 1
        trainers.train(follower, range(step, step + 10))
        trainers.until(lambda: service.client.job("run")["reported_step"] >= step)
        trainers.train(follower, range(step + 10, step + 20), paced_by=service)
        assert follower.close()
        versions = [version.version for version in same_again(service, "run")]
        assert versions == sorted(set(versions))
        assert versions[len(known)] > held.version + 1000
    assert follower.counters()["refused_unknown_version"] > 0, "reports of weights that nobody knows"
