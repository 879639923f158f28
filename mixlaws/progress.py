"""How far a long computation is, told to whoever listens; where nobody does, it costs nothing.

Code that goes through parts says so with `through`, and need not know what it is a part of: the share that is
told is that of the whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Listener = Callable[[str, float], None]


@dataclass(frozen=True)
class _Span:
    """The part of the whole that is computed now."""

    tell: Listener
    stage: str = ""
    start: float = 0.0
    end: float = 1.0


_now: ContextVar[_Span | None] = ContextVar("progress", default=None)


@contextmanager
def listening(tell: Listener) -> Iterator[None]:
    """Hear of the progress of what is computed in this block, in this thread.

    Args:
        tell: called with the stage in words and the share that is done, 0 to 1; the share never falls.
    """
    before, reached = _now.get(), 0.0

    def hear(stage: str, share: float) -> None:
        nonlocal reached
        reached = max(reached, share)
        tell(stage, reached)

    _now.set(_Span(hear))
    try:
        yield
    finally:
        _now.set(before)


@contextmanager
def part(start: float, end: float, stage: str = "") -> Iterator[None]:
    """What is done in this block is a part of what is computed around it.

    Args:
        start: share of that which is done before.
        end: share that is done after.
        stage: what it is, in words; empty leaves the words as they are.
    """
    around = _now.get()
    if around is None:
        yield
        return
    width = around.end - around.start
    span = _Span(around.tell, stage or around.stage, around.start + start * width, around.start + end * width)
    span.tell(span.stage, span.start)
    _now.set(span)
    try:
        yield
    finally:
        _now.set(around)


def through(
    items: Iterable[T],
    *,
    stage: Callable[[T], str] = lambda _: "",
    costs: Sequence[float] | None = None,
    start: float = 0.0,
) -> Iterator[T]:
    """Go through items, each of them a part of what is computed around it.

    Args:
        items: what to go through.
        stage: words for an item; by default those of what is around.
        costs: what items cost against each other; by default the same.
        start: share of what is around that is done before them.
    """
    listed = list(items)
    spent = [1.0] * len(listed) if costs is None else [max(cost, 0.0) for cost in costs]
    unit = (1.0 - start) / (sum(spent) or 1.0)
    for item, cost in zip(listed, spent, strict=True):
        end = start + cost * unit
        with part(start, min(end, 1.0), stage(item)):
            yield item
        start = end
