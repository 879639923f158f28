"""Background work that is watched, waited for and cancelled, and what the queue tells of itself."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psutil
import pytest
from sqlalchemy import text

from mixclient import ConflictError, NotFoundError
from service.tasks import worker
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.support.databases import fresh_database
from tests.support.populated import settled
from tests.support.servers import Service, running
from tests.support.tasks import Measured, queued, work_on

STAGES = ("fitting lightgbm", "scoring on runs held out")
SLOW = {"method": "lightgbm", "params": {"rounds": 1000}, "folds": 100}


@pytest.fixture(scope="module")
def working(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with (
        fresh_database(postgres_url) as database,
        running(database, tmp_path_factory.mktemp("working")) as started,
    ):
        yield started


def waited(service: Service, path: str, seconds: int = 50) -> Any:
    answer = service.call("GET", path, headers={"Prefer": f"wait={seconds}"}, timeout=90)
    assert answer.status_code == 200
    return answer.json()


def computing() -> list[int]:
    """Processes that compute tasks."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found += [process.pid] if "compute.child" in " ".join(process.cmdline()) else []
    return found


def test_a_fit_tells_how_far_it_is_and_is_cancelled_with_its_computation(working: Service) -> None:
    Measured.simulated(200).stored(working, "slow")
    fit = working.client.create_fit("slow", SLOW)
    path = f"/v1/fits/{fit['id']}"
    with ThreadPoolExecutor(2) as pool:
        waiting: list[Future[Any]] = [pool.submit(waited, working, path) for _ in range(2)]
        until(lambda: 0 < working.client.fit(fit["id"])["progress"] < 1)
        (listed,) = working.client.tasks()
        assert (listed["id"], listed["kind"], listed["subject"]) == (fit["id"], "fit", "slow")
        assert (listed["state"], listed["href"], listed["tries"]) == ("running", path, 1)
        assert listed["stage"] in STAGES
        assert listed["age_seconds"] > 0
        page = working.call("GET", "/studies/slow").text
        assert any(stage in page for stage in STAGES)
        assert not any(future.done() for future in waiting)
        assert working.database.engine.pool.checkedout() == 0, "who waits holds no connection"  # type: ignore[attr-defined]
        cancelled = working.client.cancel_fit(fit["id"])
        assert (cancelled["state"], cancelled["error"], cancelled["scores"]) == ("cancelled", None, None)
        assert {future.result()["state"] for future in waiting} == {"cancelled"}, "who waits hears of it"
    until(lambda: not computing())
    assert working.client.cancel_fit(fit["id"])["finished_at"] == cancelled["finished_at"]
    assert working.client.tasks() == []
    with working.database.session() as session:
        until(lambda: session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0)


def test_whoever_waits_hears_at_once_of_an_end(working: Service) -> None:
    Measured.simulated(12).stored(working, "quick")
    fit = working.client.create_fit("quick", {"method": "linear", "folds": 3})
    assert (fit["stage"], fit["progress"], fit["tries"]) == ("", 0.0, 0)
    done = waited(working, f"/v1/fits/{fit['id']}")
    assert (done["state"], done["progress"], done["stage"]) == ("done", 1.0, "")
    proposal = working.client.create_proposal("quick", {"fit_id": fit["id"]})
    assert settled(working.client.proposal, proposal["id"])["state"] == "done"
    for cancel, row in ((working.client.cancel_fit, fit), (working.client.cancel_proposal, proposal)):
        with pytest.raises(ConflictError, match="it is done already") as refused:
            cancel(row["id"])
        assert refused.value.code == "task_ended"


def test_a_wait_ends_with_its_time_and_with_an_end_that_nobody_announced(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    started = time.monotonic()
    assert waited(tenant, f"/v1/fits/{fit['id']}", seconds=1)["state"] == "queued"
    assert time.monotonic() - started >= 1
    with tenant.http(tenant.key, Prefer="wait=25") as http:
        problem_of(http.get(f"/v1/fits/{UUID(int=0)}"), 404)


def test_what_waits_is_cancelled_before_it_begins_and_asked_for_again(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    body = {"method": "linear", "folds": 3}
    fit = tenant.client.create_fit("trial", body)
    assert tenant.client.cancel_fit(fit["id"])["state"] == "cancelled"
    assert work_on(tenant, "fit", fit)["state"] == "cancelled", "its task finds it and leaves it alone"
    again = tenant.call("POST", "/v1/studies/trial/fits", body)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (202, fit["id"], "queued")
    assert work_on(tenant, "fit", fit)["state"] == "done"
    proposal = tenant.client.create_proposal("trial", {"fit_id": fit["id"]})
    assert tenant.client.cancel_proposal(proposal["id"])["state"] == "cancelled"
    assert work_on(tenant, "proposal", proposal)["proposals"] == []


def test_work_of_another_project_is_neither_listed_nor_cancelled(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear"})
    with tenant.http(tenant.new_key(project="other")) as http:
        assert http.get("/v1/tasks").json()["items"] == []
        problem_of(http.post(f"/v1/fits/{fit['id']}/cancel"), 404)
        problem_of(http.post(f"/v1/proposals/{fit['id']}/cancel"), 404)
    with pytest.raises(NotFoundError):
        tenant.client.cancel_proposal(fit["id"])
    assert tenant.client.fit(fit["id"])["state"] == "queued"


def test_a_list_of_work_is_paged_newest_first_and_filtered_by_state(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fits = [tenant.client.create_fit("trial", {"method": "linear", "seed": seed})["id"] for seed in range(3)]
    first = tenant.client.call("GET", "/v1/tasks", parameters={"limit": 2})
    assert [task["id"] for task in first["items"]] == fits[:0:-1]
    rest = tenant.client.call("GET", "/v1/tasks", parameters={"limit": 2, "cursor": first["next"]})
    assert ([task["id"] for task in rest["items"]], rest["next"]) == (fits[:1], None)
    tenant.client.cancel_fit(fits[1])
    assert [task["id"] for task in tenant.client.tasks()] == [fits[2], fits[0]]
    only = tenant.client.call("GET", "/v1/tasks", parameters={"state": "cancelled"})
    assert [task["id"] for task in only["items"]] == [fits[1]]


def test_a_row_that_no_task_is_left_for_is_queued_again_once(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    worker._queue_lost(tenant.database)
    assert queued(tenant, fit["id"]) == 1, "it is not lost"
    with tenant.database.session() as session:
        row = {"row": fit["id"]}
        session.execute(text("DELETE FROM procrastinate_jobs WHERE args ->> 'row_id' = :row"), row)
        session.execute(text("UPDATE fits SET state = 'running', tries = 1 WHERE id::text = :row"), row)
    for _ in range(2):
        worker._queue_lost(tenant.database)
        assert queued(tenant, fit["id"]) == 1
    assert tenant.client.fit(fit["id"])["state"] == "queued"
    assert work_on(tenant, "fit", fit)["tries"] == 2
