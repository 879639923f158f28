"""What a service holds at the end of a history, in the words of the history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StoredReport:
    """A report as it is stored.

    Args:
        attempt: of its trainer.
        source: who reported.
        step: its last step.
        counts: tokens by domain, in the order of the domains.
        applied: whether the policy has seen it, and no restart took that back.
    """

    attempt: int
    source: str
    step: int
    counts: tuple[int, ...]
    applied: bool


@dataclass(frozen=True)
class StoredJob:
    """A job as it is stored.

    Args:
        reports: rows, in any order.
        accepted: reports that the job says it has accepted.
        consumed: tokens by domain that the job's state has counted.
        versions: number and weights of every version that was published, oldest first.
        replayed: weights of every version as the job's log gives them again.
        orders: reasons of the orders in its audit trail.
    """

    reports: Sequence[StoredReport] = ()
    accepted: int = 0
    consumed: tuple[int, ...] = ()
    versions: Sequence[tuple[int, tuple[float, ...]]] = ()
    replayed: Sequence[tuple[float, ...]] = ()
    orders: Sequence[str] = ()


@dataclass(frozen=True)
class Stored:
    """Everything that a history is compared with.

    Args:
        jobs: by name.
        results: the mark in the result of each completed run, by run.
        created: ids by name of what was created, as often as it is there.
    """

    jobs: Mapping[str, StoredJob] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    created: Mapping[str, Sequence[str]] = field(default_factory=dict)
