"""Idempotency-Key: a request is carried out once, whatever becomes of its answer."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select, text, update

from service.app import create_app
from service.models import ApiKey, Job, KeptAnswer, ProxyRun, Study
from service.models.base import Base
from service.settings import Settings
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.service.reports import JOB
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
SWEEP = {"design": "sobol", "count": 2}
PATH = "/v1/studies/trial/sweeps"


@pytest.fixture
def service(tenant: Service) -> Service:
    tenant.client.create_study({"name": "trial", "domains": DOMAINS})
    return tenant


def post(service: Service, path: str, body: Any, key: str, *, api_key: str | None = None) -> httpx.Response:
    with service.http(api_key or service.key) as http:
        return http.post(path, json=body, headers={"Idempotency-Key": key})


def stored(service: Service, model: type[Base], *where: Any) -> int:
    with service.database.session() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def sweeps(service: Service) -> int:
    return int(service.call("GET", f"{PATH}?total=true").json()["total"])


def test_case_58_the_same_request_again_is_answered_as_before(service: Service) -> None:
    first = post(service, PATH, SWEEP, "a")
    # Other spaces and another order of fields: JSON that means the same.
    with service.http(service.key) as http:
        again = http.post(
            PATH,
            content=b'{"count":2,   "design": "sobol"}',
            headers={"Idempotency-Key": "a", "Content-Type": "application/json"},
        )
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sweeps(service) == 1
    assert stored(service, ProxyRun, ProxyRun.sweep_id == UUID(first.json()["id"])) == 2
    assert post(service, PATH, SWEEP, "b").json()["id"] != first.json()["id"], "no two sweeps are one"


def test_case_58_a_key_with_another_body_or_address_is_refused(service: Service) -> None:
    first = post(service, PATH, SWEEP, "a")
    for path, body in (
        (PATH, {**SWEEP, "count": 3}),
        (f"{PATH}?colour=red", SWEEP),
        ("/v1/studies", {"name": "other", "domains": DOMAINS}),
    ):
        refused = post(service, path, body, "a")
        problem_of(refused, 422, "'a'", "a key of its own", code="idempotency_key_reused")
    assert sweeps(service) == 1
    assert stored(service, Study, Study.name == "other") == 0
    assert post(service, PATH, SWEEP, "a").content == first.content


def test_case_58_the_same_key_of_another_api_key_is_another(service: Service) -> None:
    neighbour = service.new_key()
    first, second = post(service, PATH, SWEEP, "a"), post(service, PATH, SWEEP, "a", api_key=neighbour)
    assert first.json()["id"] != second.json()["id"]
    assert sweeps(service) == 2
    foreign = service.new_key(project=f"{service.project}-foreign")
    problem_of(post(service, PATH, SWEEP, "a", api_key=foreign), 404)


def test_case_58_of_requests_at_once_one_is_carried_out(service: Service) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(service, PATH, SWEEP, "at-once"), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert sweeps(service) == 1


def test_case_58_an_answer_that_nobody_heard_is_given_again(service: Service) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    body = json.dumps(SWEEP).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {service.key}\r\n"
        f"Idempotency-Key: unheard\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
    until(lambda: sweeps(service) == 1)
    again = post(service, PATH, SWEEP, "unheard")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == service.client.items(PATH)[0]["id"]
    assert sweeps(service) == 1


def test_case_58_a_refusal_is_not_kept(service: Service) -> None:
    problem_of(post(service, "/v1/studies/later/sweeps", SWEEP, "a"), 404)
    problem_of(post(service, PATH, {"design": "sobol", "count": -1}, "a"), 422)
    service.client.create_study({"name": "later", "domains": DOMAINS})
    assert post(service, "/v1/studies/later/sweeps", SWEEP, "a").status_code == 201
    with service.http(service.key) as http:
        for kind, status in (("text/plain", 415), ("application/json", 400)):
            headers = {"Idempotency-Key": "a", "Content-Type": kind}
            path = "/v1/studies/later/sweeps"
            problem_of(http.post(path, content=b"[" * 9000, headers=headers), status)
    assert post(service, "/v1/studies/later/sweeps", SWEEP, "a").headers["Idempotent-Replayed"] == "true"


def test_case_58_a_dry_run_is_not_kept(service: Service) -> None:
    job = {**JOB, "name": "a-job"}
    tried = post(service, "/v1/jobs?dry_run=true", job, "a")
    assert tried.status_code == 200
    assert post(service, "/v1/jobs", job, "a").status_code == 201
    order = {"reason": "a thought", "dry_run": True}
    assert not post(service, "/v1/jobs/a-job/freeze", order, "b").json()["stored"]
    assert post(service, "/v1/jobs/a-job/freeze", {**order, "dry_run": False}, "b").json()["stored"]
    assert stored(service, Job, Job.name == "a-job") == 1


def test_case_58_an_order_is_given_once(service: Service) -> None:
    service.client.create_job(JOB)
    first, again = (post(service, "/v1/jobs/run-7b/freeze", {"reason": "look"}, "a") for _ in range(2))
    assert first.json() == again.json()
    kinds = [entry["kind"] for entry in service.client.items("/v1/jobs/run-7b/audit")]
    assert kinds.count("freeze") == 1


def test_case_58_the_secret_of_a_new_key_is_not_kept(service: Service) -> None:
    body = {"name": f"for {uuid4()}", "scopes": ["studies:read"]}
    first = post(service, "/v1/keys", body, "a").json()
    problem = problem_of(
        post(service, "/v1/keys", body, "a"), 409, "revoke", "another", code="secret_told_once"
    )
    assert problem["made"] == {name: value for name, value in first.items() if name != "key"}
    assert stored(service, ApiKey, ApiKey.name == body["name"]) == 1
    secret = first["key"].split("_", 2)[2].encode()
    with service.database.session() as session:
        bodies = session.scalars(select(KeptAnswer.body)).all()
    assert not any(secret in kept for kept in bodies)


def test_case_58_a_browser_session_has_keys_of_its_own(service: Service) -> None:
    with service.http() as browser:
        browser.post("/login", data={"key": service.key})
        headers = {"Idempotency-Key": "a", "Origin": service.url}
        first, again = (browser.post(PATH, json=SWEEP, headers=headers) for _ in range(2))
    assert first.content == again.content
    assert post(service, PATH, SWEEP, "a").json()["id"] != first.json()["id"]
    assert sweeps(service) == 2


def test_case_58_a_day_later_a_key_is_free_again_and_its_row_gone(service: Service) -> None:
    first = post(service, PATH, SWEEP, "a").json()
    for number in range(3):
        post(service, PATH, SWEEP, f"other-{number}")
    with service.database.session() as session:
        owner = session.scalars(
            select(KeptAnswer.owner_id).where(KeptAnswer.body.contains(first["id"].encode()))
        ).one()
        lifetime = func.extract("epoch", KeptAnswer.expires_at - KeptAnswer.created_at)
        left = session.scalars(select(lifetime).where(KeptAnswer.owner_id == owner)).all()
        assert {round(float(seconds) / 3600) for seconds in left} == {24}
        session.execute(update(KeptAnswer).where(KeptAnswer.owner_id == owner).values(expires_at=func.now()))
    second = post(service, PATH, SWEEP, "a")
    assert "Idempotent-Replayed" not in second.headers
    assert second.json()["id"] != first["id"]
    assert stored(service, KeptAnswer, KeptAnswer.owner_id == owner) == 1


def test_case_58_an_answer_that_cannot_be_stored_leaves_no_work_behind(service: Service) -> None:
    # As a process that dies before the commit: the work and its answer are there together, or not at all.
    name = f"breaks_{uuid4().hex}"
    with service.database.session() as session:
        session.execute(
            text(f"ALTER TABLE kept_answers ADD CONSTRAINT {name} CHECK (idempotency_key <> 'breaks')")
        )
    problem_of(post(service, PATH, SWEEP, "breaks"), 500, code="internal_error")
    assert sweeps(service) == 0
    with service.database.session() as session:
        session.execute(text(f"ALTER TABLE kept_answers DROP CONSTRAINT {name}"))
    assert post(service, PATH, SWEEP, "breaks").status_code == 201
    assert sweeps(service) == 1


def test_a_lookup_of_a_key_uses_the_index(service: Service) -> None:
    with service.database.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.scalars(
            text("EXPLAIN SELECT * FROM kept_answers WHERE owner_id = :id AND idempotency_key = 'a'"),
            {"id": uuid4()},
        ).all()
    assert "pk_kept_answers" in " ".join(plan)


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_key_that_cannot_be_used_is_refused(service: Service, key: str) -> None:
    problem_of(post(service, PATH, SWEEP, key), 422, "header.Idempotency-Key")
    assert sweeps(service) == 0


def test_every_write_takes_a_key_or_is_idempotent_by_itself(service: Service) -> None:
    by_itself = {
        "/v1/fits/{fit_id}/predict",  # changes nothing
        "/v1/jobs/{job}/reports",  # known by attempt, source and step
    }
    app = create_app(Settings(), service.database)
    posts = [
        route
        for route in iter_route_contexts(app.routes)
        if "POST" in (route.methods or ()) and (route.path or "").startswith("/v1/")
    ]
    without = {route.path for route in posts if not getattr(route.original_route, "repeatable", False)}
    assert without == by_itself
    assert len(posts) > 15
