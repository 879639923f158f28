"""What works beside the requests, when it is told to end."""

import asyncio
import weakref

from service.observing.beside import Beside


class Connection:
    """Something that a part holds, and that somebody waits for until it is gone."""


def test_what_a_part_held_is_gone_once_it_was_ended() -> None:
    held: list[weakref.ref[Connection]] = []

    async def part() -> None:
        connection = Connection()
        held.append(weakref.ref(connection))
        await asyncio.Event().wait()

    beside = Beside({"a part": part})

    async def begun_and_ended() -> None:
        beside.start()
        await asyncio.sleep(0)
        assert held[0]() is not None
        await beside.stop()

    asyncio.run(begun_and_ended())
    assert held[0]() is None
    assert beside.names == ["a part"]
