"""Losses of jobs as a process remembers them, so that a page reads only what was reported since.

What was applied at a place of the fold does not change but by a restart, which opens another attempt, by a
return to an older database, which begins another epoch, or by dropping old reports.
"""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray, IntArray
from service.jobs import curve_repository
from service.jobs.curve_repository import Block
from service.models import Job

_MOST_NUMBERS = 16_000_000  # of all jobs together: 64 MB
_HEAD = 20  # bytes before the elements of an array: dimensions, flags, type, length, first index


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses of a job by step.

    Args:
        steps: (n,) last step of each place in the fold that reports were applied at, rising.
        values: (n, d) mean losses over all sources, nats per token; NaN where a domain was not observed.
    """

    steps: IntArray
    values: FloatArray


@dataclass(frozen=True, eq=False)
class _Known:
    lineage: tuple[int, int, int]  # what was read holds only within it
    seq: int
    losses: Losses


class Curves:
    """The losses that one process remembers. Two threads may read the same rows: either result is right."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, _Known] = OrderedDict()

    def losses(self, session: Session, job: Job) -> Losses:
        """All losses that were applied and still count."""
        d = len(job.definition["domains"])
        lineage = job.attempt, job.epoch, job.reports_forgotten
        known = self._known.get(job.id)
        if known is None or known.lineage != lineage or known.seq > job.applied_seq:
            known = _Known(lineage, 0, Losses(np.empty(0, np.int64), _unknown(0, d)))
        if known.seq < job.applied_seq:
            new = curve_repository.reports(session, job.id, after_seq=known.seq, to_seq=job.applied_seq)
            parts = [known.losses, *(_read(block, d) for block in new)]
            known = _Known(lineage, job.applied_seq, _joined(parts))
        self._keep(job.id, known)
        return known.losses

    def _keep(self, job_id: UUID, known: _Known) -> None:
        kept = OrderedDict(self._known)  # a copy: another thread may be doing the same
        kept[job_id] = known
        kept.move_to_end(job_id)
        while len(kept) > 1 and sum(one.losses.values.size for one in kept.values()) > _MOST_NUMBERS:
            kept.popitem(last=False)
        self._known = kept


def _read(block: Block, d: int) -> Losses:
    """Reports of a block, those of one place added up; domains that came later are NaN."""
    found = np.frombuffer(block.told, dtype=_report(block.width))
    places, steps = found["place"].astype(np.int64), found["step"].astype(np.int64)
    sums, tokens = (found[name]["value"].astype(np.float64) for name in ("sums", "tokens"))
    unusable = ~(np.isfinite(sums) & (tokens > 0))
    sums[unusable] = tokens[unusable] = 0.0
    if (np.diff(places) <= 0).any():  # several sources of a place, or rows that lie in another order
        order = np.argsort(places, kind="stable")
        first = np.flatnonzero(np.diff(places[order], prepend=-1))
        steps = np.maximum.reduceat(steps[order], first)
        sums, tokens = (np.add.reduceat(each[order], first, axis=0) for each in (sums, tokens))
    values = _unknown(len(steps), d)
    np.divide(sums, tokens, out=values[:, : block.width], where=tokens > 0, casting="same_kind")
    return Losses(steps, values)


def _report(width: int) -> np.dtype[np.void]:
    """A report in a block."""
    sums, tokens = (np.dtype([("length", ">i4"), ("value", kind)]) for kind in (">f8", ">i8"))
    return np.dtype([
        ("place", ">i8"), ("step", ">i8"),
        ("head", f"V{_HEAD}"), ("sums", sums, (width,)),
        ("head of tokens", f"V{_HEAD}"), ("tokens", tokens, (width,)),
    ])  # fmt: skip


def _unknown(n: int, d: int) -> FloatArray:
    """(n, d) of single precision, which is more than a screen shows."""
    return np.full((n, d), np.nan, dtype=np.float32)


def _joined(parts: list[Losses]) -> Losses:
    steps = np.concatenate([part.steps for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(steps, kind="stable")  # a block of another width may lie between
    return Losses(steps[order], values[order])
