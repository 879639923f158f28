"""What is asked of a list and what is found: between endpoints and repositories."""

from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Wanted(Generic[P]):
    """A page of a list.

    Args:
        after: sorted columns of the row that it goes on after; None for the first page.
        limit: most rows.
        total: whether the rows of all pages are counted.
    """

    after: P | None = None
    limit: int = 1000
    total: bool = False


@dataclass(frozen=True)
class Found(Generic[R, P]):
    """A page of rows.

    Args:
        rows: in the order of the list.
        last: sorted columns of the last one, if there are more behind it.
        total: number of rows of all pages, if it was asked for.
    """

    rows: list[R]
    last: P | None
    total: int | None = None
