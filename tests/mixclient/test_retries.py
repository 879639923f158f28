"""What is sent again, and what never: by the requests that a server saw."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from mixclient.version import VERSION

from mixclient import (
    ONCE,
    AsyncServiceClient,
    ConflictError,
    Retry,
    ServiceClient,
    ServiceError,
    ServiceUnreachableError,
)

AT_ONCE = Retry(tries=4, first_pause=0.001, longest_pause=1.0)
STUDY: dict[str, Any] = {"id": "1", "name": "s"}


def problem(status: int, **headers: str) -> httpx.Response:
    document = {
        "code": "not_known_to_this_client",
        "detail": "it is so",
        "request_id": "r-1",
        "errors": [{"loc": ["body"], "msg": "no"}],
    }
    return httpx.Response(status, json=document, headers=headers)


class Server:
    """Answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(server: Server, retry: Retry = AT_ONCE) -> ServiceClient:
    made = ServiceClient("http://service", "key", retry=retry)
    made._http = httpx.Client(
        base_url="http://service", transport=httpx.MockTransport(server), headers=made._http.headers
    )
    return made


CUT = httpx.ReadError("cut")


@pytest.mark.parametrize(
    "passing", [CUT, httpx.ConnectError("refused"), *map(problem, (429, 502, 503, 504))], ids=repr
)
def test_a_creation_is_sent_again_under_one_key_until_it_is_answered(
    passing: httpx.Response | Exception,
) -> None:
    server = Server(passing, passing, httpx.Response(201, json=STUDY))
    assert client(server).create_study({"name": "s"}) == STUDY
    assert len(server.seen) == 3
    assert len({request.headers["Idempotency-Key"] for request in server.seen}) == 1
    assert {request.content for request in server.seen} == {b'{"name": "s"}'}
    client(server).create_study({"name": "s"})
    assert server.seen[3].headers["Idempotency-Key"] != server.seen[0].headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 422, 500])
def test_a_refusal_is_told_at_once(status: int) -> None:
    server = Server(problem(status))
    with pytest.raises(ServiceError) as refused:
        client(server).study("s")
    assert len(server.seen) == 1
    assert refused.value.status == status
    assert (refused.value.code, refused.value.detail) == ("not_known_to_this_client", "it is so")
    assert refused.value.request_id == "r-1"
    assert refused.value.errors == [{"loc": ["body"], "msg": "no"}]
    assert isinstance(refused.value, ConflictError) == (status == 409)


@pytest.mark.parametrize(
    "unsafe",
    [
        lambda one: one.call("POST", "/v1/studies", body={}),
        lambda one: one.rename_project("1", "other"),
        lambda one: one.put_notes("1", {"notes": ""}, if_match='"1"'),
    ],
)
def test_what_may_be_done_twice_by_sending_it_twice_is_sent_once(
    unsafe: Callable[[ServiceClient], Any],
) -> None:
    server = Server(CUT)
    with pytest.raises(ServiceUnreachableError):
        unsafe(client(server))
    assert len(server.seen) == 1


def test_tries_end() -> None:
    server = Server(CUT)
    with pytest.raises(ServiceUnreachableError, match="GET http://service/v1/studies/s: ReadError cut"):
        client(server).study("s")
    assert len(server.seen) == AT_ONCE.tries
    patient = Server(problem(503, **{"Retry-After": "3600"}))
    with pytest.raises(ServiceError):
        client(patient).study("s")
    assert len(patient.seen) == 1
    with pytest.raises(ServiceUnreachableError):
        client(server, ONCE).study("s")
    assert len(server.seen) == AT_ONCE.tries + 1


def test_the_service_decides_how_long_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("mixclient.service.connection.time.sleep", pauses.append)
    server = Server(problem(429, **{"Retry-After": "1"}), CUT, CUT, httpx.Response(200, json=STUDY))
    client(server, Retry(tries=4, first_pause=0.2, longest_pause=2.0)).study("s")
    asked, *own = pauses
    assert asked == 1.0
    assert 0.2 <= own[0] <= 0.4 <= own[1] <= 0.8


def test_the_same_holds_where_it_is_awaited() -> None:
    server = Server(CUT, problem(503), httpx.Response(201, json=STUDY), problem(404))

    async def create() -> None:
        async with AsyncServiceClient("http://service", "key", retry=AT_ONCE) as made:
            made._http = httpx.AsyncClient(
                base_url="http://service", transport=httpx.MockTransport(server), headers=made._http.headers
            )
            assert await made.create_study({"name": "s"}) == STUDY
            with pytest.raises(ServiceError, match="it is so"):
                await made.study("s")
            await made._http.aclose()

    asyncio.run(create())
    assert len(server.seen) == 4
    assert len({request.headers["Idempotency-Key"] for request in server.seen[:3]}) == 1
    assert {request.headers["User-Agent"] for request in server.seen} == {f"mixclient/{VERSION}"}
