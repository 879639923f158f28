"""Tasks whose computation is killed, hangs or raises: tried again, then parked with the reason."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from sqlalchemy import text

from service.compute.child import Children, ComputationError
from service.db import Database
from service.models import Fit, TaskState
from tests.service.embedded_postgres.actors import is_gone, until
from tests.support.databases import fresh_database
from tests.support.populated import settled
from tests.support.servers import Service, running
from tests.support.tasks import Here, Measured, queued, work_on

SLOW = {"method": "lightgbm", "params": {"rounds": 100_000}, "folds": 100}


@pytest.fixture(scope="module")
def works(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that gives a task one second and two tries."""
    limits: dict[str, Any] = {"task_seconds": 1, "task_tries": 2, "task_retry_seconds": 0.01}
    with (
        fresh_database(postgres_url) as database,
        running(database, tmp_path_factory.mktemp("works"), **limits) as started,
    ):
        yield started


def computations(other_than: set[int]) -> list[psutil.Process]:
    """Children of this process that compute something, but for some that did before."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if child.pid not in other_than and "service.compute.child" in child.cmdline():
                found.append(child)
    return found


def test_case_41_a_computation_that_is_killed_is_tried_again_and_then_parked_with_the_reason(
    works: Service,
) -> None:
    Measured.simulated(60).stored(works, "killed")
    fit = works.client.create_fit("killed", SLOW)
    seen: set[int] = set()
    for _ in range(2):
        until(lambda: bool(computations(seen)))
        (child,) = computations(seen)
        seen.add(child.pid)
        child.kill()
        assert works.call("GET", "/readyz").status_code == 200, "the API is alive"
    failed = settled(works.client.fit, fit["id"])
    assert (failed["state"], failed["error_code"], failed["tries"]) == ("failed", "killed", 2)
    assert "given up after 2 tries: killed from outside (signal 9)" in failed["error"]
    assert queued(works, fit["id"]) == 0, "it is parked"
    (listed,) = [task for task in works.client.tasks() if task["id"] == fit["id"]]
    assert (listed["state"], listed["error_code"], listed["subject"]) == ("failed", "killed", "killed")
    again = works.call("POST", "/v1/studies/killed/fits", SLOW)
    assert (again.status_code, again.json()["id"], again.json()["tries"]) == (202, fit["id"], 0)
    assert works.client.cancel_fit(fit["id"])["error"] is None


def test_case_41_a_computation_that_hangs_is_ended_at_its_deadline_every_time(works: Service) -> None:
    Measured.simulated(60).stored(works, "hanging")
    fit = works.client.create_fit("hanging", SLOW)
    failed = settled(works.client.fit, fit["id"])
    assert (failed["state"], failed["error_code"], failed["tries"]) == ("failed", "deadline", 2)
    assert "given up after 2 tries: not done within 1 seconds" in failed["error"]
    until(lambda: not computations(set()))


def test_case_41_a_failure_that_nobody_expected_ends_the_fit_and_it_can_be_asked_for_again(
    tenant: Service,
) -> None:
    class Broken(Children):
        def compute(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise ValueError("no JSON")

    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    failed = work_on(tenant, "fit", fit, Broken())
    assert (failed["state"], failed["error_code"]) == ("failed", "unexpected")
    assert "unexpected error" in failed["error"]
    assert "no JSON" not in failed["error"], "what nobody expected may hold anything"
    again = tenant.call("POST", "/v1/studies/trial/fits", {"method": "linear", "folds": 3})
    assert (again.status_code, again.json()["id"]) == (202, fit["id"])
    assert again.json()["error"] is None
    assert queued(tenant, fit["id"]) == 2, "the first was never taken; it finds the fit done"
    assert work_on(tenant, "fit", fit)["state"] == "done"
    assert work_on(tenant, "fit", fit)["tries"] == 1


def test_case_41_what_may_pass_waits_longer_before_each_further_try(tenant: Service) -> None:
    class Unlucky(Children):
        def compute(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise ComputationError("killed from outside", code="killed", passing=True)

    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    pauses = []
    for _ in range(3):
        waiting = work_on(tenant, "fit", fit, Unlucky(), task_tries=4, task_retry_seconds=100)
        assert (waiting["state"], waiting["error"]) == ("queued", "killed from outside")
        with tenant.database.session() as session:
            query = (
                "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs "
                "WHERE args ->> 'row_id' = :row ORDER BY id DESC LIMIT 1"
            )
            pauses.append(float(session.scalar(text(query), {"row": fit["id"]}) or 0))
    assert pauses == pytest.approx([100, 200, 400], abs=60)
    parked = work_on(tenant, "fit", fit, Unlucky(), task_tries=4)
    assert (parked["state"], parked["tries"]) == ("failed", 4)


def test_case_41_a_task_that_ends_its_workers_is_parked(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    _left_running(tenant.database, fit["id"], tries=2)
    parked = work_on(tenant, "fit", fit, task_tries=2)
    assert (parked["state"], parked["error_code"]) == ("failed", "worker_lost")
    assert "given up: 2 workers ended while they had it" in parked["error"]
    refused = tenant.call("POST", f"/v1/fits/{fit['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "task_ended")


def test_case_41_a_worker_that_was_taken_for_dead_changes_nothing_any_more(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    overtaken = Here(lambda: _left_running(tenant.database, fit["id"], tries=2))
    held = work_on(tenant, "fit", fit, overtaken)
    assert (held["state"], held["tries"], held["scores"]) == ("running", 2, None)
    done = work_on(tenant, "fit", fit)
    assert (done["state"], done["tries"]) == ("done", 3)


def _left_running(database: Database, fit_id: str, *, tries: int) -> None:
    """What a worker leaves that was killed, or that goes on elsewhere."""
    with database.session() as session:
        row = session.get_one(Fit, UUID(fit_id))
        row.state, row.lease, row.tries = TaskState.RUNNING, uuid4(), tries


def test_case_41_lack_of_memory_under_the_limit_is_told_apart_from_a_kill_and_not_tried_again(
    tenant: Service,
) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    failed = work_on(tenant, "fit", fit, Children(), task_memory_bytes=300 * 1024**2)
    assert (failed["state"], failed["error_code"], failed["tries"]) == ("failed", "out_of_memory", 1)
    assert "out of memory at its limit of 314572800 bytes" in failed["error"]
    assert not [child for child in computations(set()) if not is_gone(child)]
