"""The fold: the entries of a job's log in, its state out. Pure, so that any job can be computed again.

Reports of one step are added over all sources, then the policy learns once. Steps are taken in rising order;
a step waits until every declared source has reported it, or until a report lies more than `wait_steps`
beyond it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from mixlaws.arrays import IntArray
from mixlaws.domains import DomainSet
from mixlaws.feedback import Feedback
from mixlaws.steering.events import Event
from mixlaws.steering.state import SteeringState
from mixlaws.steering.steering import Steering
from service.jobs.adding import added
from service.jobs.definition import JobDefinition


@dataclass(frozen=True)
class Measured:
    """What one source reported for the steps up to `step_to`; axis d as in the job's domains.

    Domains that came to the job later stand at the end of its axis: what is missing there was not observed.
    """

    source: str
    step_from: int
    step_to: int
    schedule_version: int
    loss_sums: Sequence[float | None]
    token_counts: Sequence[int]
    non_finite: Sequence[str]
    signals: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One place in a job's log: reports of one step, or an event.

    Args:
        seq: the place; it rises with time and is never used twice.
        reports: what the sources measured, by source.
        event: what happened otherwise.
        published_from: step from which the state after this entry was published; None if nothing was.
    """

    seq: int
    reports: tuple[Measured, ...] = ()
    event: Event | None = None
    published_from: int | None = None


WeightsOf = Mapping[int, Sequence[float]]


def ready(
    definition: JobDefinition, waiting: Iterable[Measured], *, after_seq: int, reported_step: int
) -> list[Entry]:
    """Entries of the reports that need not wait any longer.

    Args:
        definition: the job.
        waiting: reports that are not in the log yet.
        after_seq: last place in the log.
        reported_step: last step that any source has reported, these reports included.
    """
    entries: list[Entry] = []
    ordered = sorted(waiting, key=lambda report: (report.step_to, report.source))
    for step_to, group in groupby(ordered, key=lambda report: report.step_to):
        reports = tuple(group)
        overdue = reported_step - step_to > definition.wait_steps
        if len(reports) < len(definition.sources) and not overdue:
            break
        entries.append(Entry(after_seq + len(entries) + 1, reports))
    return entries


def folded(
    steering: Steering,
    state: SteeringState,
    entry: Entry,
    weights_of: WeightsOf,
    restored: SteeringState | None = None,
) -> SteeringState:
    """State after an entry, before anything is published."""
    if entry.event is not None:
        return steering.obey(state, entry.event, restored)
    weights = weights_of[entry.reports[0].schedule_version]
    domains = steering.problem.domains
    told, drawn = feedback(domains, entry.reports, weights)
    broken = [domains.index(name) for report in entry.reports for name in report.non_finite]
    non_finite = np.zeros(len(domains), dtype=bool)
    non_finite[broken] = True
    return steering.learn(state, told, non_finite=non_finite, drawn=drawn)


def feedback(
    domains: DomainSet, reports: Sequence[Measured], drawn_with: Sequence[float]
) -> tuple[Feedback, IntArray]:
    """Reports of one step, added, and (d,) the tokens that were drawn, with a finite loss or without."""
    d = len(domains)
    sums, counts = np.zeros((len(reports), d)), np.zeros((len(reports), d), dtype=np.int64)
    for row, report in enumerate(reports):
        told = len(report.loss_sums)
        sums[row, :told] = [np.nan if loss is None else loss for loss in report.loss_sums]
        counts[row, :told] = report.token_counts
    finite = np.isfinite(sums)
    with np.errstate(over="ignore"):  # a sum beyond all floats is not finite either
        total = np.where(finite, sums, 0.0).sum(axis=0)
    first = reports[0]
    weights = np.zeros(d)
    weights[: len(drawn_with)] = drawn_with
    return Feedback(
        step=first.step_to + 1,  # reports number steps from 0
        loss_sums=total,
        token_counts=np.where(finite, counts, 0).sum(axis=0),
        weights=weights,
        steps=max(report.step_to - report.step_from + 1 for report in reports),
        version=first.schedule_version,
        **added(domains, [report.signals for report in reports]),
    ), counts.sum(axis=0)
