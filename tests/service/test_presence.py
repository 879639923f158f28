"""Last use of keys and sessions, and how what a revoked key holds open comes to its end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import text

from service import presence
from service.jobs import board
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.support.servers import Service

JOB = {
    "name": "followed",
    "policy": "static",
    "domains": [{"name": "web", "tokens": 9}, {"name": "code", "tokens": 3}],
    "samples_per_step": 8,
}
PATH = "/v1/jobs/followed/schedule"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """Seconds pass faster, from before the service starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "WATCH_SECONDS", 0.02)
        patch.setattr(presence, "NOTE_SECONDS", 0.05)
        patch.setattr(board, "FRESH_SECONDS", 0.05)
        yield


def made(service: Service, *scopes: str) -> tuple[str, str]:
    body = {"name": "follower", "scopes": list(scopes)}
    key = service.client.call("POST", "/v1/keys", body=body)
    return key["id"], key["key"]


def revoke(service: Service, key_id: str) -> None:
    service.client.call("DELETE", f"/v1/keys/{key_id}")


def expire(service: Service, key_id: str) -> None:
    """As time does, which tells no process."""
    with service.database.session() as session:
        session.execute(text("UPDATE api_keys SET expires_at = now() WHERE id = :id"), {"id": key_id})


@contextmanager
def read_on(http: httpx.Client, path: str) -> Iterator[threading.Thread]:
    """A stream that is read to its end by somebody else; the block begins with its first bytes."""
    first = threading.Event()

    def read() -> None:
        with http.stream("GET", path) as answer:
            assert answer.status_code == 200
            for _ in answer.iter_raw():
                first.set()

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    assert first.wait(10)
    yield reading


@pytest.mark.parametrize("end", [revoke, expire])
def test_an_open_stream_ends_with_its_key_and_no_other_does(
    tenant: Service, end: Callable[[Service, str], None]
) -> None:
    tenant.client.create_job(JOB)
    (ended_id, ended), (kept_id, kept) = made(tenant, "jobs:follow"), made(tenant, "jobs:follow")
    with (
        tenant.http(ended) as one,
        tenant.http(kept) as other,
        read_on(one, f"{PATH}/events") as ending,
        read_on(other, f"{PATH}/events") as going_on,
    ):
        assert ending.is_alive()
        end(tenant, ended_id)
        ending.join(10)
        assert not ending.is_alive()
        assert going_on.is_alive()
        revoke(tenant, kept_id)
        going_on.join(10)
        assert not going_on.is_alive()


@pytest.mark.parametrize("end", [revoke, expire])
def test_a_long_poll_ends_with_its_key_and_says_why(
    tenant: Service, end: Callable[[Service, str], None]
) -> None:
    tenant.client.create_job(JOB)
    key_id, key = made(tenant, "jobs:follow")
    answers: list[httpx.Response] = []
    with tenant.http(key) as http:
        etag = http.get(PATH).headers["etag"]
        headers = {"If-None-Match": etag, "Prefer": "wait=50"}
        waiting = threading.Thread(target=lambda: answers.append(http.get(PATH, headers=headers)))
        waiting.start()
        time.sleep(0.1)
        assert waiting.is_alive()
        end(tenant, key_id)
        waiting.join(10)
        problem_of(answers[0], 401, "revoked or expired while you waited", code="unauthorised")


def test_the_stream_of_a_page_ends_with_the_logout(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    with tenant.http(**OWN) as http:
        http.post("/login", data={"key": tenant.key})
        with read_on(http, "/jobs/followed/events") as ending:
            assert ending.is_alive()
            with tenant.http(**OWN, Cookie=f"mixwright_session={http.cookies['mixwright_session']}") as tab:
                assert tab.post("/logout").status_code == 303
            ending.join(10)
            assert not ending.is_alive()


def last_use(service: Service, key_id: str) -> str | None:
    """What the list of keys shows."""
    rows = service.client.keys()
    found: str | None = next(row["last_used_at"] for row in rows if row["id"] == key_id)
    return found


def test_a_last_use_is_noted_beside_the_requests_and_shown(tenant: Service) -> None:
    used_id, used = made(tenant, "studies:read")
    unused_id, _ = made(tenant, "studies:read")
    with tenant.http(used) as http:
        assert http.get("/v1/studies").status_code == 200
    until(lambda: last_use(tenant, used_id) is not None)
    assert last_use(tenant, unused_id) is None


def test_a_key_that_somebody_changes_is_noted_later_and_nobody_waits(tenant: Service) -> None:
    used_id, used = made(tenant, "studies:read")
    with tenant.database.session() as session:
        session.execute(text("SELECT 1 FROM api_keys WHERE id = :id FOR UPDATE"), {"id": used_id})
        with tenant.http(used) as http:
            assert http.get("/v1/studies").status_code == 200
        other_id, other = made(tenant, "studies:read")
        with tenant.http(other) as http:
            http.get("/v1/studies")
        until(lambda: last_use(tenant, other_id) is not None)
        assert last_use(tenant, used_id) is None
