"""A database whose disk is full: writes are refused, reads go on, nothing is corrupt, and it comes back."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from service import db, migrate
from service.db import Database
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.replaying import same_again
from tests.support.servers import running
from tests.support.small_disk import SmallDisk, small_disk

REPORTS = "/v1/jobs/run-7b/reports"


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    place = Path("/dev/shm") / tmp_path_factory.mktemp("disk").name
    place.mkdir(exist_ok=True)
    with small_disk(place) as started:
        yield started
    place.rmdir()


def test_case_38_a_full_disk_refuses_writes_corrupts_nothing_and_is_forgotten_once_there_is_room(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(db, "REFUSED_SECONDS", 1.0)
    database = Database(disk.url)
    migrate.upgrade(database.engine)
    with running(database, tmp_path, tasks_inside=False) as service:
        service.client.create_job(JOB)
        accepted = []

        def sent(step: int) -> bool:
            answer = service.call("POST", REPORTS, report(step))
            if answer.status_code == 200:
                accepted.append(step)
            else:
                problem_of(answer, 503, "try again")
            return answer.status_code == 200

        assert sent(9)
        known = service.call("GET", "/v1/jobs/run-7b/schedule")
        disk.tell("fill")
        steps = iter(range(19, 100_000, 10))
        with caplog.at_level(logging.ERROR, "service"):
            until(lambda: not sent(next(steps)))
        assert "disk of the database is full" in caplog.text
        refused = service.call("POST", "/v1/studies", study("large"))
        problem_of(refused, 503, "is full", code="database_full")
        assert int(refused.headers["Retry-After"]) > 0
        problem_of(service.call("GET", "/readyz"), 503, "look at its disk")
        assert service.client.studies() == []
        assert service.call("GET", "/v1/jobs/run-7b/schedule").status_code == 200

        # A log that cannot be continued ends the server, and a disk that stays full keeps it down.
        with suppress(psycopg.Error), psycopg.connect(disk.url, autocommit=True) as operator:
            operator.execute("SELECT pg_switch_wal()")
            operator.execute("CHECKPOINT")
        down = service.call("POST", "/v1/studies", study("down"))
        problem_of(down, 503, "try again")
        assert service.call("GET", "/livez").status_code == 200
        problem_of(service.call("GET", "/readyz"), 503)

        disk.tell("free")
        disk.tell("start")
        until(lambda: service.call("GET", "/readyz").status_code == 200)
        assert sent(next(steps))
        assert service.call("POST", "/v1/studies", study("large")).status_code == 201
        with database.session() as session:
            stored = set(session.scalars(text("SELECT step_to FROM reports")))
        assert stored == set(accepted), "acknowledged and stored are not the same"
        versions = same_again(service, "run-7b")
        assert f'"1-{versions[-1].version}"' != known.headers["ETag"]
    database.close()
    disk.tell("stop")
    checked = disk.tell("check")
    assert checked.startswith("0 "), checked
    assert "Bad checksums: 0" in checked


def study(name: str) -> dict[str, object]:
    """A study of several pages, for which there must be room."""
    domains = [{"name": f"{name}-{number}-{'x' * 150}", "tokens": 5} for number in range(1000)]
    return {"name": name, "domains": domains}
