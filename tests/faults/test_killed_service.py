"""A service that is killed in the middle of a write: what was not answered is sent again, and counts once."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.fail_points import FailPointsError, check
from tests.service.reports import JOB, report
from tests.support.databases import empty_database
from tests.support.processes import served, spawned, upgrade
from tests.support.replaying import same_again
from tests.support.servers import Service

STUDY = {"name": "trial", "domains": [{"name": "web", "tokens": 5}]}
REPORTS = "/v1/jobs/run-7b/reports"


def count(service: Service, table: str) -> int:
    with service.database.session() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608


def killed_by(service: Service, folder: Path, fail_point: str, path: str, body: dict[str, Any]) -> None:
    """Send something to another process on the same database, which dies of it without an answer."""
    with served(service.database, folder, fail_point=fail_point) as (process, url):
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {service.key}"}) as http:
            assert http.get("/v1/jobs").status_code == 200
            with pytest.raises(httpx.TransportError):
                http.post(path, json=body)
        process.join(30)
        assert process.exitcode == -9


@pytest.mark.parametrize(
    ("fail_point", "stored"),
    [("inside_group_commit", False), ("before_group_commit", False), ("after_group_commit", True)],
)
def test_case_33_a_report_whose_service_was_killed_is_sent_again_and_counts_once(
    service: Service, tmp_path: Path, fail_point: str, stored: bool
) -> None:
    service.client.create_job(JOB)
    service.client.call("POST", REPORTS, body=report(9))
    killed_by(service, tmp_path, fail_point, REPORTS, report(19))
    assert count(service, "reports") == 1 + stored, "what was killed before its commit left something"
    job = service.client.job("run-7b")
    assert job["reported_step"] == (19 if stored else 9)
    answer = service.client.call("POST", REPORTS, body=report(19))
    assert (answer["accepted"], answer["duplicates"]) == ((0, 1) if stored else (1, 0))
    assert count(service, "reports") == 2
    assert answer["state_token"] == "a1.s2"
    same_again(service, "run-7b")


@pytest.mark.parametrize(("fail_point", "stored"), [("before_commit", False), ("after_commit", True)])
def test_case_33_a_request_whose_service_was_killed_is_sent_again_and_has_one_effect(
    service: Service, tmp_path: Path, fail_point: str, stored: bool
) -> None:
    killed_by(service, tmp_path, fail_point, "/v1/studies", STUDY)
    assert count(service, "studies") == stored
    assert service.call("POST", "/v1/studies", STUDY).status_code == (200 if stored else 201)
    assert count(service, "studies") == 1


def test_case_46_a_crash_in_the_middle_of_a_migration_leaves_the_old_schema_whole(postgres_url: str) -> None:
    url = empty_database(postgres_url)
    with ExitStack() as opened:
        process, _ = opened.enter_context(spawned(upgrade, url, fail_point="in_migration"))
        process.join(60)
        assert process.exitcode == -9
        # The session of a killed process may still roll back: the next start waits for its lock.
        _, told = opened.enter_context(spawned(upgrade, url))
        assert told.poll(60)
        made = told.recv()
    assert made[0] == "the database is brought to revision 0001", "something of the first start was left"
    assert len(made) > 1


def test_fail_points_are_refused_outside_tests_and_by_wrong_names(monkeypatch: pytest.MonkeyPatch) -> None:
    check()
    monkeypatch.setenv("MIXWRIGHT_FAIL_POINTS", "before_lunch:kill")
    with pytest.raises(FailPointsError, match=r"before_lunch:kill: write one of .*'before_commit'"):
        check()
    monkeypatch.setenv("MIXWRIGHT_FAIL_POINTS", "before_commit:kill")
    check()
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    with pytest.raises(FailPointsError, match="it is for tests, so unset it"):
        check()
