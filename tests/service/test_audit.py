"""The audit trail of a project: everything that people did, once, in pages."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.service.problems import problem_of
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
JOB = {"name": "pretrain", "policy": "static", "domains": DOMAINS, "samples_per_step": 8}


def trail(service: Service, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.client.call("GET", f"/v1/audit?{query}")["items"]
    return items


def eventful(service: Service) -> None:
    """Something of everything; twice what counts once."""
    client = service.client
    for _ in range(2):
        client.create_study({"name": "s", "domains": DOMAINS})
        client.create_job(JOB)
    client.call("POST", "/v1/jobs?dry_run=true", body={**JOB, "name": "only-tried"})
    client.call("POST", "/v1/jobs/pretrain/freeze", body={"reason": "loss spike"})
    client.call("POST", "/v1/jobs/pretrain/freeze", body={"reason": "tried", "dry_run": True})
    client.call("POST", "/v1/jobs/pretrain/attempts", body={"from_step": 0})
    key = client.call("POST", "/v1/keys", body={"name": "trainer", "scopes": ["jobs:follow"]})
    new = client.call("POST", f"/v1/keys/{key['id']}/rotate", body={"reason": "yearly"})
    for _ in range(2):
        client.call("DELETE", f"/v1/keys/{new['id']}?reason=leaked")
    with service.http(**{"Sec-Fetch-Site": "same-origin"}) as http:
        http.post("/login", data={"key": "mx_wrong"})
        http.post("/login", data={"key": service.key})
        http.post("/logout")


def test_the_trail_tells_who_did_what_and_why_and_everything_once(tenant: Service) -> None:
    eventful(tenant)
    told = trail(tenant)
    assert [(e["kind"], e["actor"], e["subject"], e["reason"]) for e in told] == [
        ("session.logout", "dashboard, key test", "dashboard, key test", ""),
        ("session.login", "key test", "key test", ""),
        ("key.revoked", "key test", "trainer", "leaked"),
        ("key.rotated", "key test", "trainer", "yearly"),
        ("key.created", "key test", "trainer", ""),
        ("job.attempt", "key test", "pretrain", ""),
        ("job.freeze", "key test", "pretrain", "loss spike"),
        ("job.created", "key test", "pretrain", ""),
        ("study.created", "key test", "s", ""),
    ]
    moments = [datetime.fromisoformat(entry["at"]) for entry in told]
    assert moments == sorted(moments, reverse=True)
    (own,) = [row["id"] for row in tenant.known_keys().values() if row["name"] == "test"]
    assert {entry["key_id"] for entry in told} == {own, None}
    assert {entry["kind"] for entry in told if entry["key_id"] is None} == {"job.attempt", "job.freeze"}
    assert "mx_" not in str(told)
    seen = tenant.client.job_audit("pretrain")
    assert {"freeze", "attempt"} <= {entry["kind"] for entry in seen}, "and the job's own trail has them too"


def test_the_trail_is_searched_by_kind_and_actor(tenant: Service) -> None:
    eventful(tenant)
    for query, kinds in (
        ("kind=key", ["key.revoked", "key.rotated", "key.created"]),
        ("kind=key.revoked", ["key.revoked"]),
        ("kind=job", ["job.attempt", "job.freeze", "job.created"]),
        ("kind=job.freeze", ["job.freeze"]),
        ("kind=ke", []),
        ("kind=%25", []),
        ("actor=dashboard, key test", ["session.logout"]),
        ("actor=nobody", []),
        ("limit=2", ["session.logout", "session.login"]),
    ):
        assert [entry["kind"] for entry in trail(tenant, query)] == kinds, query


def test_the_trail_is_searched_by_time(tenant: Service) -> None:
    eventful(tenant)
    told = trail(tenant)
    middle = quote(told[4]["at"])
    assert trail(tenant, f"since={middle}") == told[:5]
    assert trail(tenant, f"until={middle}") == told[5:]
    later = quote((datetime.fromisoformat(told[0]["at"]) + timedelta(seconds=1)).isoformat())
    assert trail(tenant, f"since={later}") == []


def test_pages_of_the_trail_hold_every_entry_once_whatever_comes_in(tenant: Service) -> None:
    eventful(tenant)
    for limit in (1, 2, 4):
        whole, pages = trail(tenant), []
        cursor = ""
        while True:
            page = tenant.client.call("GET", f"/v1/audit?limit={limit}{cursor}")
            pages += page["items"]
            tenant.client.call("POST", "/v1/jobs/pretrain/freeze", body={"reason": "newer"})
            tenant.client.call("POST", "/v1/keys", body={"name": "newer", "scopes": ["jobs:read"]})
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert pages == whole, limit


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "query.since"),
        ("since=2026-01-01T00:00:00", "query.since"),
        ("limit=0", "query.limit"),
        ("kind=%00", "query.kind"),
    ],
)
def test_what_cannot_be_looked_for_is_named(tenant: Service, query: str, field: str) -> None:
    problem_of(tenant.call("GET", f"/v1/audit?{query}"), 422, field)


@pytest.mark.parametrize("cursor", ["x", "", "9_9", f"999999999999999999_{'0' * 36}"])
def test_a_cursor_that_no_page_gave_out_is_refused(tenant: Service, cursor: str) -> None:
    problem_of(tenant.call("GET", f"/v1/audit?cursor={cursor}"), 400, "begin again", code="invalid_cursor")
