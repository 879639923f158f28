"""New code in the middle of a job: its state is read, or else computed again from the log."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from service import migrate
from service.db import Database
from tests.service.reports import JOB, report
from tests.support.databases import go_back
from tests.support.replaying import same_again
from tests.support.servers import Service, running
from tests.support.tasks import Measured, work_on

PATH = f"/v1/jobs/{JOB['name']}"


def send(service: Service, step: int) -> dict[str, Any]:
    answer: dict[str, Any] = service.client.call("POST", f"{PATH}/reports", body=report(step))
    return answer


def changed(service: Service, statement: str) -> None:
    with service.database.session() as session:
        session.execute(text(statement))


def state(service: Service) -> Any:
    with service.database.session() as session:
        return session.scalar(text("SELECT state FROM jobs"))


def test_a_state_of_another_schema_is_computed_again_from_the_log(service: Service) -> None:
    service.client.create_job(JOB)
    for step in range(9, 300, 10):
        send(service, step)
    before = state(service)
    changed(service, """UPDATE jobs SET state = '{"schema": 0}', build = 'older'""")
    changed(service, """UPDATE job_snapshots SET state = '{"schema": 0}', build = 'older'""")
    send(service, 299)  # again: a duplicate
    assert state(service) == before
    changed(service, """UPDATE jobs SET state = jsonb_set(state, '{policy,schema}', '99'), build = 'newer'""")
    send(service, 309)
    assert state(service)["policy"]["schema"] == before["policy"]["schema"]
    token = send(service, 319)["state_token"]
    opened = service.client.call("POST", f"{PATH}/attempts", body={"from_step": 320, "state_token": token})
    assert opened["number"] == 2
    same_again(service, JOB["name"])


BACK_TO_THE_SCHEMA_BEFORE = """
    ALTER TABLE schedule_stages ADD policy_state jsonb;
    UPDATE schedule_stages SET policy_state = (SELECT state -> 'policy' FROM jobs);
    ALTER TABLE schedule_stages ALTER policy_state SET NOT NULL;
    ALTER TABLE schedule_stages DROP build, DROP superseded, DROP published_from;
    ALTER TABLE attempts DROP definition;
    ALTER TABLE jobs DROP build;
    ALTER TABLE jobs RENAME state TO policy_state;
    UPDATE jobs SET policy_state = policy_state -> 'policy';
    DROP INDEX ix_reports_waiting;
    DROP TABLE expensive_steps, job_snapshots, job_events;
    UPDATE alembic_version SET version_num = '0002';
"""


def test_a_live_job_goes_on_through_the_migration_to_the_log(database: Database, service: Service) -> None:
    service.client.create_job(JOB)
    for step in range(9, 60, 10):
        send(service, step)
    before, versions = state(service), service.client.versions(JOB["name"])
    go_back(database.engine, "0003")
    changed(service, BACK_TO_THE_SCHEMA_BEFORE)
    assert migrate.upgrade(database.engine) == migrate.newest()
    send(service, 59)  # again: a duplicate
    assert state(service) == before
    after = service.client.versions(JOB["name"])
    assert [{**version, "build": ""} for version in versions] == after
    send(service, 69)
    same_again(service, JOB["name"])


def test_fits_know_after_the_migration_which_of_them_do_not_see_all_runs(
    database: Database, tmp_path: Path
) -> None:
    with running(database, tmp_path, tasks_inside=False) as service:
        Measured.simulated(8).stored(service)
        old = service.client.create_fit("trial", {"method": "linear", "folds": 3})
        work_on(service, "fit", old)
        Measured.simulated(2, seed=7).stored(service, name="later")
        new = service.client.create_fit("trial", {"method": "linear", "folds": 3})
        work_on(service, "fit", new)
        dropped = service.client.create_fit("trial", {"method": "linear", "folds": 4})
        assert service.client.cancel_fit(dropped["id"])["state"] == "cancelled"
        before = {fit["id"]: fit for fit in service.client.fits("trial")}
        assert [before[fit["id"]]["stale_inputs"] for fit in (old, new)] == [True, False]
        go_back(database.engine, "0003")
        assert migrate.upgrade(database.engine) == migrate.newest()
        after = {fit["id"]: fit for fit in service.client.fits("trial")}
        gone = after.pop(dropped["id"])
        assert (gone["state"], gone["error"]) == ("failed", "cancelled"), "the older schema knew no better"
        assert {fit_id: {**fit, "tries": 1} for fit_id, fit in before.items() if fit_id in after} == after
