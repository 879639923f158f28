"""The first page: what it looks at does not grow with what is stored, and it tells what needs attention."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import select, text

from benchmarks.stored import Store
from service.jobs import overview_repository, repository
from service.models import Job
from tests.service.test_query_plans import counted
from tests.support.servers import Service

STUDIES, RUNS, JOBS, LIVE = 20, 400, 3000, 150
SHOWN, LOOKED_AT = 12, 100  # studies and jobs on the page; studies that are looked at
DOMAINS = [{"name": "web", "tokens": 9_000_000}, {"name": "code", "tokens": 3_000}]


@pytest.fixture
def browser(tenant: Service) -> Iterator[httpx.Client]:
    with tenant.http(tenant.key, Accept="text/html") as http:
        yield http


def attention(http: httpx.Client) -> str:
    """What the page says needs attention, as plain text."""
    found = http.get("/").text
    part = re.search(r'id="attention">(.*?)</(?:section|p)>\s', found, re.DOTALL)
    assert part is not None
    return " ".join(
        re.sub(r"<[^>]+>", " ", found[part.start() : found.find("</section>", part.start())]).split()
    )


def running(http: httpx.Client) -> str:
    """What the page says is in training, as plain text; nothing where nothing is."""
    part = re.search(r'<section id="running">(.*?)</section>', http.get("/").text, re.DOTALL)
    return "" if part is None else " ".join(re.sub(r"<[^>]+>", " ", part[1]).split())


def report(step: int) -> dict[str, Any]:
    return {
        "attempt": 1,
        "source": "rank0",
        "step_from": step - 9,
        "step_to": step,
        "schedule_version": 1,
        "loss_sums": {"web": 900.0, "code": 500.0},
        "token_counts": {"web": 300, "code": 200},
    }


def test_the_first_pages_look_at_the_same_however_much_is_stored(service: Service) -> None:
    seen: dict[str, list[dict[str, float]]] = {"/": [], "/studies?limit=12": [], "/jobs?limit=12": []}
    with (
        psycopg.connect(service.database.conninfo, autocommit=True) as connection,
        service.http(service.key, Accept="text/html") as http,
    ):
        store = Store(connection, http, RUNS)
        for studies, jobs in ((STUDIES, 200), (2 * STUDIES, JOBS)):
            store.fill(studies, jobs)
            end = (
                "UPDATE jobs SET ended_at = now() WHERE id NOT IN (SELECT id FROM jobs ORDER BY id LIMIT %s)"
            )
            connection.execute(end, [LIVE])
            connection.execute("VACUUM (ANALYZE) jobs")
            for path, found in seen.items():
                found.append(most_rows(http, path))
    for path, (small, large) in seen.items():
        check_growth(path, small, large)


def most_rows(http: httpx.Client, path: str) -> dict[str, float]:
    """Rows of each table that the greediest query of a page looks at."""
    with counted() as plans:
        answer = http.get(path)
    assert answer.status_code == 200, answer.text
    assert plans.looked_at
    most: dict[str, float] = {}
    for _, found in plans.looked_at:
        for table, rows in found.items():
            most[table] = max(most.get(table, 0), rows)
    return most


def check_growth(path: str, small: dict[str, float], large: dict[str, float]) -> None:
    """A page looks at no more rows of a store twice as large."""
    for table, rows in large.items():
        # The newest so many studies are looked at for what is stale or failed.
        assert rows <= max(small.get(table, 0) * 1.1, 2 * LOOKED_AT, SHOWN * RUNS), (
            path,
            table,
            small,
            large,
        )


def test_a_stale_run_is_told_with_its_study(tenant: Service, browser: httpx.Client) -> None:
    tenant.client.create_study({"name": "s", "domains": DOMAINS})
    tenant.client.create_sweep("s", {"design": "sobol", "count": 2})
    lease = tenant.client.claim_run("lost", study="s")
    assert lease is not None
    assert "Nothing needs attention" in attention(browser)
    assert "1 of s" in running(browser)
    with tenant.database.session() as session:
        late = text("UPDATE proxy_runs SET lease_expires_at = now() - interval '1 minute' WHERE id = :id")
        session.execute(late, {"id": lease["run"]["id"]})
    told = attention(browser)
    assert "stale run s 1 run is in training without a sign of life" in told
    assert not running(browser), "what is stale runs no more"
    assert 'href="/studies/s"' in browser.get("/").text


def test_a_job_is_told_while_it_is_frozen_silent_or_runs_dry(tenant: Service, browser: httpx.Client) -> None:
    few = [
        {"name": "web", "tokens": 9_000, "max_epochs": 1},
        {"name": "code", "tokens": 3_000, "max_epochs": 1},
    ]
    job = {"name": "j", "policy": "static", "domains": few, "samples_per_step": 8}
    tenant.client.create_job(job)
    assert "Nothing needs attention" in attention(browser)
    tenant.client.call("POST", "/v1/jobs/j/reports", body=report(9))
    tenant.client.call("POST", "/v1/jobs/j/freeze", body={"reason": "loss <spike>"})
    told = attention(browser)
    assert "An operator holds the weights: frozen: loss &lt;spike&gt;" in told
    assert "silent" not in told
    dry = {row["name"]: row["dry_step"] for row in tenant.client.call("GET", "/v1/jobs/j/domains")}
    soon = {name for name, step in dry.items() if step is not None and step <= 9 + 1000}
    assert soon, "a domain of this job ends within the steps that are looked ahead"
    for name in soon:
        assert f"{name} at step {dry[name]}" in told
    with tenant.database.session() as session:
        late = "UPDATE jobs SET last_report_at = now() - interval '20 minutes' WHERE name = 'j'"
        session.execute(text(late))
    assert "silent trainer j Its trainer was last heard of at step 9" in attention(browser)
    tenant.client.call("POST", "/v1/jobs/j/release", body={"reason": "seen"})
    assert "frozen" not in attention(browser)
    tenant.client.call("POST", "/v1/jobs/j/end", body={"reason": "over"})
    assert "Nothing needs attention" in attention(browser), "an ended job is left alone"
    assert ">ended<" in browser.get("/jobs").text


def test_a_job_is_told_however_many_newer_ones_live(tenant: Service, browser: httpx.Client) -> None:
    for name in ("frozen", "lost", "newest"):
        tenant.client.create_job(
            {"name": name, "policy": "static", "domains": DOMAINS, "samples_per_step": 8}
        )
    tenant.client.call("POST", "/v1/jobs/frozen/freeze", body={"reason": "spike"})
    tenant.client.call("POST", "/v1/jobs/lost/reports", body=report(9))
    with tenant.database.session() as session:
        late = "UPDATE jobs SET last_report_at = now() - interval '2 days' WHERE name = 'lost'"
        session.execute(text(late))
        newer = """
            INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
              'id', uuidv7(), 'name', 'newer-' || n, 'last_report_at', now()))).*
            FROM jobs AS j, generate_series(1, :newer) AS n WHERE j.name = 'newest' AND j.ended_at IS NULL
        """
        session.execute(text(newer), {"newer": LOOKED_AT + 50})
    told = attention(browser)
    assert "frozen job frozen An operator holds the weights" in told
    assert "silent trainer lost" in told


def test_a_failed_fit_is_told_until_it_is_asked_for_again(tenant: Service, browser: httpx.Client) -> None:
    tenant.client.create_study({"name": "s", "domains": DOMAINS})
    runs = [{"name": "r", "weights": {"web": 0.5, "code": 0.5}, "losses": {"web": 2.0, "code": 3.0}}]
    tenant.client.call("POST", "/v1/studies/s/runs", body={"runs": runs})
    fit = tenant.client.create_fit("s", {"method": "linear"})
    with tenant.database.session() as session:
        fail = "UPDATE fits SET state = 'failed', error = 'too few runs', finished_at = now() WHERE id = :id"
        session.execute(text(fail), {"id": fit["id"]})
    assert "failed fit linear of s too few runs" in attention(browser)
    assert f'href="/fits/{fit["id"]}"' in browser.get("/").text
    tenant.client.create_fit("s", {"method": "linear"})
    assert "Nothing needs attention" in attention(browser)


def test_who_may_not_read_jobs_sees_studies_alone(tenant: Service) -> None:
    tenant.client.create_study({"name": "seen", "domains": DOMAINS})
    tenant.client.create_job(
        {"name": "hidden", "policy": "static", "domains": DOMAINS, "samples_per_step": 8}
    )
    with tenant.http(tenant.new_key("studies:read"), Accept="text/html") as http:
        page = http.get("/").text
        assert "seen" in page
        assert "hidden" not in page
        assert "/keys" not in page
        assert http.get("/compare").status_code == 200
        assert "hidden" not in http.get("/compare").text
        assert http.get("/compare?job=hidden").status_code == 403


def test_a_line_along_a_job_keeps_its_ends_and_reads_no_more_than_its_points(tenant: Service) -> None:
    body = {"name": "long", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8, "lead_steps": 2}
    tenant.client.create_job(body)
    for step in range(9, 400, 10):
        tenant.client.call("POST", "/v1/jobs/long/reports", body=report(step))
    with tenant.database.session() as session:
        job = session.scalars(select(Job).where(Job.name == "long", Job.ended_at.is_(None))).one()
        for points in (1, 2, 7, 1000):
            steps = [step for step, _, _ in overview_repository.losses_along(session, [job], points)[job.id]]
            assert len(steps) <= points
            assert steps == sorted(steps)
            assert steps[-1] == 399
            assert points == 1 or steps[0] == 9
            stages = overview_repository.stages_along(session, [job], points)[job.id]
            assert len(stages) <= points
            assert stages[-1].version == repository.last_active(session, [job.id])[job.id].version
        whole = repository.stages_from(session, job.id, 0)
        assert len(whole) > 7, "the policy moved the weights many times"
        every = overview_repository.stages_along(session, [job], 1000)[job.id]
        assert [stage.version for stage in every] == [stage.version for stage in whole]
        assert len(overview_repository.losses_along(session, [job], 1000)[job.id]) == 40


def test_whoever_is_not_logged_in_sees_nothing_of_who_was(tenant: Service, browser: httpx.Client) -> None:
    assert 'aria-label="main"' in browser.get("/").text
    with tenant.http(Accept="text/html") as nobody:
        page = nobody.get("/login").text
    assert 'aria-label="main"' not in page
    assert "Log out" not in page
