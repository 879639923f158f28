"""Text that means something to a database, wherever callers may put it: stored as it is, or refused."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.service.problems import problem_of
from tests.service.reports import report
from tests.support.servers import Service

HOSTILE = [
    "'; drop table studies; --",
    '%27; drop table "studies"; --',
    "name'); delete from jobs; --",
    "\\'; select pg_sleep(9); --",
    "definition->>'name'",
    "%s %(name)s :name $1",
    "\u02bc; drop table studies; --",
]
FINGERPRINT = """
    SELECT md5(string_agg(table_name || column_name || data_type, ',' ORDER BY table_name, column_name))
    FROM information_schema.columns WHERE table_schema = 'public'
"""


def of_schema(service: Service) -> tuple[str, int, int]:
    """What the tables are, and how many studies and jobs there are."""
    with service.database.session() as session:
        counts = [
            int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - names of ours
            for table in ("studies", "jobs")
        ]
        return str(session.scalar(text(FINGERPRINT))), counts[0], counts[1]


@pytest.fixture
def service(tenant: Service) -> Iterator[Service]:
    """A project with a study and a job, after which nothing is gone or made by the way."""
    domains = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
    job = {"name": "run-7b", "policy": "static", "domains": domains, "samples_per_step": 8}
    tenant.client.create_study({"name": "trial", "domains": domains})
    tenant.client.create_job(job)
    before = of_schema(tenant)
    yield tenant
    assert of_schema(tenant)[0] == before[0], "the tables are what they were"
    assert tenant.client.study("trial")["name"] == "trial"
    assert tenant.client.job("run-7b")["name"] == "run-7b"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_case_51_free_text_is_stored_as_it_is(service: Service, hostile: str) -> None:
    domains = [{"name": hostile, "tokens": 5}, {"name": "web", "tokens": 5}]
    study = {"name": "hostile", "domains": domains, "targets": [hostile], "notes": hostile}
    made = service.client.create_study(study)["definition"]
    assert service.client.study("hostile")["definition"] == made
    assert (made["domains"][0]["name"], made["targets"], made["notes"]) == (hostile, [hostile], hostile)
    mixture = {"weights": {hostile: 1.0, "web": 0.0}, "label": hostile}
    service.client.create_sweep("hostile", {"mixtures": [mixture], "train": {"corpus": hostile}})
    lease = service.client.claim_run(hostile, study="hostile", corpora=[hostile])
    assert lease is not None, "a corpus is found by its very name"
    assert (lease["run"]["label"], lease["run"]["worker"]) == (hostile, hostile)
    failed = service.client.put_failure(lease["run"]["id"], lease["lease"], hostile)
    assert failed["error"] == hostile
    job = {"name": "hostile", "policy": "static", "domains": domains, "samples_per_step": 8}
    service.client.create_job(job)
    body = report(9, loss_sums={hostile: 1.0, "web": 1.0}, token_counts={hostile: 1, "web": 1})
    service.client.call("POST", "/v1/jobs/hostile/reports", body=body)
    order = {"domain": hostile, "reason": hostile}
    service.client.call("POST", "/v1/jobs/hostile/retire", body=order)
    (retired,) = (e for e in service.client.job_audit("hostile") if e["kind"] == "retire")
    assert retired["reason"] == hostile
    key = service.client.call("POST", "/v1/keys", body={"name": hostile, "scopes": ["studies:read"]})
    keys = {row["id"]: row["name"] for row in service.client.keys.iterate()}
    assert keys[key["id"]] == hostile


@pytest.mark.parametrize("hostile", HOSTILE)
def test_case_51_names_ids_filters_and_cursors_are_refused(service: Service, hostile: str) -> None:
    before = of_schema(service)
    coded = quote(hostile, safe="")
    domains = [{"name": "web", "tokens": 5}]
    calls = {
        f"/v1/studies/{coded}": 404,
        f"/v1/studies/{coded}/runs": 404,
        f"/v1/jobs/{coded}": 404,
        f"/v1/jobs/{coded}/schedule": 404,
        f"/v1/fits/{coded}": 422,
        f"/v1/runs/{coded}": 422,
        f"/v1/studies/trial/runs?state={coded}": 422,
        f"/v1/studies/trial/runs?purpose={coded}": 422,
        f"/v1/studies/trial/runs?limit={coded}": 422,
        f"/v1/studies?total={coded}": 422,
        f"/v1/studies?cursor={coded}": 400,
        f"/v1/jobs/run-7b/audit?cursor={coded}": 400,
    }
    with service.http(service.key) as http:
        for path, status in calls.items():
            problem_of(http.get(path), status)
        # What nobody reads is no order either.
        assert http.get(f"/v1/studies?sort={coded}&order_by={coded}").status_code == 200
    bodies = {
        "/v1/studies": {"name": hostile, "domains": domains},
        "/v1/jobs": {"name": hostile, "policy": "static", "domains": domains, "samples_per_step": 8},
        "/v1/runs/claim": {"worker": "w", "study": hostile},
        "/v1/studies/trial/sweeps": {"design": hostile, "count": 1},
        "/v1/studies/trial/fits": {"method": hostile, "sweep_ids": [hostile]},
    }
    with service.http(service.key) as http:
        for path, body in bodies.items():
            problem_of(http.post(path, json=body), 422)
    # A header that names things is compared, and never read as anything else.
    if hostile.isascii() and " " not in hostile:
        headers = {"Idempotency-Key": hostile, "If-None-Match": hostile, "X-Request-Id": hostile}
        assert service.call("GET", "/v1/studies", headers=headers).status_code == 200
    assert of_schema(service) == before
