"""The notice board: one reads for all who wait, and what is announced during a read is not missed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from service.jobs.board import FRESH_SECONDS, Board
from service.jobs.committing import Committer
from service.jobs.notices import Entry
from service.jobs.schemas import ReportIn
from service.jobs.waiting import Waiter
from service.keys import repository as projects
from service.keys.service import DEFAULT_PROJECT
from tests.service.reports import JOB, report
from tests.support.servers import Service

NAME = JOB["name"]


class Watched(Board):
    """A board whose reads are counted, and can be held after their query."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.database)
        self.reads = 0
        self.held: Event | None = None

    def _load(self, project_id: UUID, name: str) -> Entry:
        self.reads += 1
        entry = super()._load(project_id, name)
        held, self.held = self.held, None
        if held is not None:
            assert held.wait(30)
        return entry


@pytest.fixture
def project(service: Service) -> UUID:
    service.client.create_job(JOB)
    with service.database.session() as session:
        owner = projects.project_named(session, DEFAULT_PROJECT)
        assert owner is not None
        return owner.id


def patient() -> Waiter:
    """Somebody who stays for half a minute."""
    return Waiter(asyncio.Event().wait, 30)  # type: ignore[arg-type]


@contextmanager
def holding(board: Watched) -> Iterator[None]:
    """The next read of a board goes on at the end of the block only."""
    held = board.held = Event()
    try:
        yield
    finally:
        held.set()


def listening(service: Service, play: Callable[[Watched], Awaitable[None]]) -> None:
    """Play something on a board that hears what is announced."""

    async def played() -> None:
        board = Watched(service)
        ear = asyncio.ensure_future(board.listen())
        await until(lambda: board._heard)
        try:
            await play(board)
        finally:
            ear.cancel()
            await asyncio.gather(ear, return_exceptions=True)  # a second cancel would leave its connection

    asyncio.run(played())


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def publish(service: Service, step: int) -> None:
    answer = await asyncio.to_thread(service.call, "POST", f"/v1/jobs/{NAME}/reports", report(step))
    assert answer.is_success, answer.text


def test_a_schedule_is_never_older_than_the_answer_to_a_report(service: Service, project: UUID) -> None:
    async def played() -> None:
        board = Watched(service)
        board._heard = True  # on a connection whose notifications are slow
        committer = Committer(service.database, board.published)
        running = asyncio.ensure_future(committer.run())
        try:
            for step in range(9, 50, 10):
                await board.get(project, NAME)
                answer = await committer.submit(project, NAME, [ReportIn.model_validate(report(step))])
                entry = await board.get(project, NAME)
                assert entry.etag == f'"1-{answer.version}"'
        finally:
            running.cancel()

    asyncio.run(played())


def test_of_those_who_wait_one_reads_for_all(service: Service, project: UUID) -> None:
    async def play(board: Watched) -> None:
        held = await board.get(project, NAME)
        waiting = [
            asyncio.ensure_future(board.changed(project, NAME, held.etag, patient())) for _ in range(200)
        ]
        await asyncio.sleep(0)
        board.reads = 0
        await publish(service, 9)
        heard = await asyncio.gather(*waiting)
        assert {entry.etag for entry in heard if entry is not None} == {'"1-2"'}
        assert board.reads <= 3, "each of them read for itself"

    listening(service, play)


def test_what_is_announced_while_it_is_read_is_heard_at_once(service: Service, project: UUID) -> None:
    async def play(board: Watched) -> None:
        old = await board.get(project, NAME)
        old.read_at -= FRESH_SECONDS
        with holding(board):
            waiting = asyncio.ensure_future(board.changed(project, NAME, old.etag, patient()))
            await until(lambda: board.reads == 2 and board.held is None)
            await publish(service, 9)
            await until(lambda: old.replaced)
        began = time.monotonic()
        heard = await waiting
        assert heard is not None
        assert heard.etag == '"1-2"'
        assert time.monotonic() - began < FRESH_SECONDS / 2, "it was read again only when it was old"

    listening(service, play)


def test_a_slow_read_does_not_bring_an_older_version_back(service: Service, project: UUID) -> None:
    async def play(board: Watched) -> None:
        old = await board.get(project, NAME)
        old.read_at -= FRESH_SECONDS
        with holding(board):
            slow = asyncio.ensure_future(board.get(project, NAME))
            await until(lambda: board.reads == 2 and board.held is None)
            await publish(service, 9)
            await until(lambda: old.replaced)
            other = asyncio.ensure_future(board.get(project, NAME))
            await asyncio.sleep(0.1)
        assert (await other).etag == '"1-2"'
        await slow
        assert (await board.get(project, NAME)).etag == '"1-2"'

    listening(service, play)


def test_a_read_that_fails_fails_for_all_who_wait_for_it(service: Service, project: UUID) -> None:
    async def play(board: Watched) -> None:
        asked = [asyncio.ensure_future(board.get(project, "no-such-job")) for _ in range(50)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(outcome).__name__ for outcome in outcomes} == {"NotFoundError"}
        assert board.reads <= 3

    listening(service, play)
