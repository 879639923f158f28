"""Lists page by page: whole, in order, and stable while they grow."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from service.ids import new_id
from service.listing import Wanted
from service.models import Project, Study
from service.studies import repository
from tests.service.reports import JOB, report
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000_000}, {"name": "code", "tokens": 3_000_000}]
STUDY = {"domains": DOMAINS}


def walked(service: Service, path: str, limit: int) -> list[dict[str, Any]]:
    """A list by the links of its pages, each of which has `limit` items but the last."""
    found: list[dict[str, Any]] = []
    address: str | None = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while address is not None:
        answer = service.call("GET", address)
        page = answer.json()
        found += page["items"]
        address = answer.links["next"]["url"] if "next" in answer.links else None
        assert (address is None) == (page["next"] is None)
        assert len(page["items"]) == limit or address is None
    return found


@pytest.fixture
def filled(tenant: Service) -> Service:
    """A project with some of everything that is listed."""
    for number in range(5):
        tenant.client.create_study({"name": f"study-{number}", **STUDY})
        tenant.client.create_job({**JOB, "name": f"job-{number}"})
        tenant.new_key("studies:read")
    for number in range(3):
        tenant.client.create_sweep("study-0", {"design": "sobol", "count": 2, "seed": number})
    steps = [report(step) for step in (9, 19, 29)]
    tenant.client.call("POST", "/v1/jobs/job-0/reports", body={"reports": steps})
    for kind in ("freeze", "release", "freeze", "release"):
        tenant.client.call("POST", f"/v1/jobs/job-0/{kind}", body={"reason": kind})
    return tenant


def test_a_list_is_the_same_in_pages_of_any_size(filled: Service) -> None:
    lists = {
        "/v1/studies": 5,
        "/v1/studies/study-0/sweeps": 3,
        "/v1/studies/study-0/runs": 6,
        "/v1/studies/study-0/runs?state=pending": 6,
        "/v1/studies/study-0/fits": 0,
        "/v1/studies/study-0/proposals": 0,
        "/v1/jobs": 5,
        "/v1/jobs/job-0/versions": None,
        "/v1/keys": 6,
    }
    for path, number in lists.items():
        counted = filled.call("GET", path, params={"total": True, **_query(path)}).json()
        whole = walked(filled, path, 1000)
        assert counted["total"] == len(whole), path
        assert number is None or len(whole) == number, path
        for limit in (1, 2, 4):
            assert walked(filled, path, limit) == whole, path
    assert filled.call("GET", "/v1/studies").json()["total"] is None


def _query(path: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in path.partition("?")[2].split("&") if pair)


def test_the_audit_trail_is_whole_wherever_its_pages_end(filled: Service) -> None:
    whole = walked(filled, "/v1/jobs/job-0/audit", 1000)
    assert sum(entry["kind"] == "freeze" for entry in whole) == 2
    assert len({entry["seq"] for entry in whole}) < len(whole), "events and versions share places"
    for limit in (1, 2, 3):
        assert walked(filled, "/v1/jobs/job-0/audit", limit) == whole


def test_the_log_is_whole_wherever_its_pages_end(filled: Service) -> None:
    whole = filled.client.call("GET", "/v1/jobs/job-0/log")
    assert whole["next"] is None
    entries: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = filled.client.call("GET", "/v1/jobs/job-0/log", parameters={"limit": 2, **cursor})
        entries += page["entries"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert entries == whole["entries"]
    assert len(entries) > 6


def test_the_client_reads_every_page(filled: Service) -> None:
    assert [study["name"] for study in filled.client.studies(limit=2)] == [
        f"study-{number}" for number in (4, 3, 2, 1, 0)
    ]
    runs = filled.client.runs("study-0", limit=1, state="pending")
    assert runs == filled.client.runs("study-0")


def _study(session: Session, project: Project) -> Study:
    study = Study(id=new_id(), project_id=project.id, name=str(uuid4()), definition={})
    session.add(study)
    session.flush()
    return study


@settings(max_examples=25)
@given(
    before=st.integers(0, 7),
    limit=st.integers(1, 4),
    inserted=st.lists(st.integers(0, 3), max_size=6),
)
def test_pages_walked_while_rows_are_added_hold_what_was_there_once(
    shared_service: Service, before: int, limit: int, inserted: list[int]
) -> None:
    with shared_service.database.session() as session:
        project = Project(name=str(uuid4()))
        session.add(project)
        session.flush()
        there = {_study(session, project).id for _ in range(before)}
        added = iter(inserted)
        seen = []
        after = None
        while True:
            found = repository.page(session, project.id, Wanted(after, limit))
            seen += [study.id for study in found.rows]
            if found.last is None:
                break
            after = found.last
            for _ in range(next(added, 0)):
                _study(session, project)
        assert len(set(seen)) == len(seen)
        assert there <= set(seen)
        session.rollback()
