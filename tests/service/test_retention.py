"""Deletion at once for everybody and in parts for the database; reports that are kept for a time."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.models import Base
from service.retention import cleaning, repository
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service
from tests.support.trials import STUDY, claimed, let_leases_expire, result

PATH = f"/v1/jobs/{JOB['name']}"
REASON = {"reason": "the run is done"}


def deleted(service: Service, path: str, **parameters: Any) -> httpx.Response:
    return service.call("DELETE", path, params=parameters)


def rows(service: Service) -> dict[str, int]:
    """Number of rows of every table of studies and jobs."""
    apart = {
        "projects",
        "api_keys",
        "browser_sessions",
        "audit_entries",
        "installation_secrets",
        "kept_answers",
    }
    with service.database.session() as session:
        counts = {
            name: session.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608 - our own names
            for name in Base.metadata.tables
            if name not in apart
        }
    return {name: count for name, count in counts.items() if count}


def reported(service: Service, *steps: int) -> None:
    service.client.create_job(JOB)
    for step in steps:
        service.client.call("POST", f"{PATH}/reports", body=report(step))


def later(service: Service, days: int) -> None:
    with service.database.session() as session:
        session.execute(text("UPDATE jobs SET ended_at = ended_at - make_interval(days => :d)"), {"d": days})


def test_a_study_is_deleted_for_everybody_at_once_and_its_rows_go_in_parts(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(repository, "RUNS_AT_ONCE", 1)
    lease = claimed(service)
    service.client.put_result(lease["run"]["id"], result(lease))
    service.client.create_sweep(STUDY, {"design": "sobol", "count": 3})
    service.client.create_fit(STUDY, {"method": "linear"})
    path = f"/v1/studies/{STUDY}"
    for confirm in ({}, {"confirm": "other"}):
        problem_of(deleted(service, path, **confirm), 428, f"?confirm={STUDY}")
    assert deleted(service, path, confirm=STUDY).status_code == 204
    for gone in (path, f"/v1/runs/{lease['run']['id']}", f"/v1/sweeps/{lease['run']['sweep_id']}"):
        problem_of(service.call("GET", gone), 404)
    problem_of(deleted(service, path, confirm=STUDY), 404)
    assert service.client.studies() == []
    assert service.client.claim_run("worker") is None
    service.client.create_study({"name": STUDY, "domains": [{"name": "web", "tokens": 1}]})
    removed = cleaning.clean(service.database, keep_reports_days=None)
    assert removed == {"observations": 3, "proxy_runs": 4, "fits": 1, "sweeps": 2, "studies": 1}
    assert rows(service) == {"studies": 1}
    assert cleaning.clean(service.database, keep_reports_days=None) == {}


def test_a_study_whose_runs_are_in_training_is_deleted_by_force_alone(tenant: Service) -> None:
    lease = claimed(tenant)
    path = f"/v1/studies/{STUDY}"
    refused = problem_of(deleted(tenant, path, confirm=STUDY), 409, "in training", code="in_use")
    assert refused["leased"] == 1
    assert tenant.client.study(STUDY)["runs"] == {"running": 1}
    assert deleted(tenant, path, confirm=STUDY, force=True).status_code == 204
    answer = tenant.call("PUT", f"/v1/runs/{lease['run']['id']}/result", result(lease))
    problem_of(answer, 404)


def test_a_study_whose_workers_fell_silent_is_deleted(tenant: Service) -> None:
    claimed(tenant)
    let_leases_expire(tenant)
    assert deleted(tenant, f"/v1/studies/{STUDY}", confirm=STUDY).status_code == 204


def test_a_job_that_reports_is_deleted_by_force_alone_and_whoever_polls_hears_of_it(service: Service) -> None:
    reported(service, 9)
    held = service.call("GET", f"{PATH}/schedule").headers["ETag"]
    problem_of(deleted(service, PATH, confirm=JOB["name"]), 409, "end it", code="in_use")
    assert service.client.job(JOB["name"])["reports_accepted"] == 1
    assert deleted(service, PATH, confirm=JOB["name"], force=True).status_code == 204
    waiting = {"If-None-Match": held, "Prefer": "wait=25"}
    problem_of(service.call("GET", f"{PATH}/schedule", headers=waiting), 404)
    problem_of(service.call("POST", f"{PATH}/reports", report(19)), 404)
    assert cleaning.clean(service.database, keep_reports_days=None)["reports"] == 1
    assert rows(service) == {}
    reported(service, 9)
    assert service.client.job(JOB["name"])["reports_accepted"] == 1


def test_no_other_project_deletes_anything(tenant: Service) -> None:
    claimed(tenant)
    tenant.client.create_job(JOB)
    with tenant.http(tenant.new_key(project="other")) as http:
        for path, name in ((f"/v1/studies/{STUDY}", STUDY), (PATH, JOB["name"])):
            problem_of(http.delete(path, params={"confirm": name, "force": True}), 404)
        problem_of(http.post(f"{PATH}/end", json=REASON), 404)
    assert tenant.client.study(STUDY)["runs"] == {"running": 1}
    assert tenant.client.job(JOB["name"])["ended"] is None


def test_reports_of_a_job_that_ended_go_with_time_and_what_is_lost_is_told(service: Service) -> None:
    reported(service, 9, 19, 5)
    before = service.client.job(JOB["name"])
    versions = service.client.versions(JOB["name"])
    assert (before["reports_accepted"], before["reports_late"]) == (3, 1)
    assert cleaning.clean(service.database, keep_reports_days=0) == {}, "it goes on"
    service.client.call("POST", f"{PATH}/end", body=REASON)
    assert cleaning.clean(service.database, keep_reports_days=7) == {}
    later(service, 8)
    assert cleaning.clean(service.database, keep_reports_days=None) == {}
    removed = cleaning.clean(service.database, keep_reports_days=7)
    assert removed["reports"] == 3
    assert removed["job_snapshots"] >= 1
    job = service.client.job(JOB["name"])
    assert (job["reports_accepted"], job["reports_late"], job["reports_forgotten"]) == (3, 1, 3)
    assert service.client.versions(JOB["name"]) == versions
    problem_of(service.call("GET", f"{PATH}/log"), 409, "not whole", code="reports_forgotten")
    assert service.call("GET", f"{PATH}/audit").status_code == 200
    assert service.call("GET", f"/jobs/{JOB['name']}").status_code == 200
    assert cleaning.clean(service.database, keep_reports_days=7) == {}
