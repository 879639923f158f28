"""What was sent before the end is answered, wherever the event loop happens to be with it."""

import asyncio
import socket
from pathlib import Path

import pytest

from service.app import create_app
from service.db import Database
from service.server import Server, bind
from service.settings import Settings

REQUEST = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("turns", range(7))
def test_a_request_is_answered_however_few_turns_before_the_end_it_was_sent(
    database: Database, tmp_path: Path, turns: int
) -> None:
    server = Server(create_app(Settings(data_folder=tmp_path, tasks_inside=False), database))

    async def end_after_some_turns(listening: socket.socket) -> bytes:
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells by a flag alone
            await asyncio.sleep(0.01)
        with socket.create_connection(listening.getsockname(), timeout=5) as caller:
            caller.sendall(REQUEST)
            for _ in range(turns):
                await asyncio.sleep(0)
            server.stop()
            await server.shutdown([listening])
            await serving
            return caller.recv(1000)

    with bind("127.0.0.1", 0) as listening:
        answer = asyncio.run(end_after_some_turns(listening))
    assert answer.startswith(b"HTTP/1.1 200"), answer
