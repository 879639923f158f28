"""The fold: reports in, policy state and publications out. Pure, so that any job can be computed again.

Reports of one step are added over all sources, then the policy is updated once. Steps are taken in
rising order; a step waits until every declared source has reported it, or until a report lies more than
`wait_steps` beyond it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.policy import Feedback
from service.jobs.definition import JobDefinition

_SAME = 1e-12  # weights that differ by less are the same mixture


@dataclass(frozen=True)
class Measured:
    """What one source reported for the steps up to `step_to`; axis d as in the job's domains."""

    source: str
    step_to: int
    schedule_version: int
    loss_sums: Sequence[float | None]
    token_counts: Sequence[int]


@dataclass(frozen=True)
class Head:
    """Where the fold of a job stands.

    Args:
        applied_seq: number of feedbacks ever applied; never used twice, not even after a restart.
        applied_step: last step that the policy has seen.
        reported_step: last step that any source has reported.
        version: last version ever published.
        effective_step: step from which that version holds.
        weights: weights of that version.
        state: dumped policy state.
    """

    applied_seq: int
    applied_step: int
    reported_step: int
    version: int
    effective_step: int
    weights: Sequence[float]
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Folded:
    """Result of a fold.

    Args:
        head: the new head; its version is a new one if `publishes`.
        applied: place in the fold of each report that was applied, by (source, step_to).
        publishes: whether the head's weights are a new version.
    """

    head: Head
    applied: Mapping[tuple[str, int], int]
    publishes: bool


def fold(
    definition: JobDefinition,
    head: Head,
    waiting: Iterable[Measured],
    weights_of: Mapping[int, Sequence[float]],
) -> Folded:
    """Apply every report that is ready.

    Args:
        definition: the job.
        head: where it stands.
        waiting: reports that are not applied yet.
        weights_of: weights of every schedule version that a report names.
    """
    ordered = sorted(waiting, key=lambda report: (report.step_to, report.source))
    reported = max([head.reported_step, *(report.step_to for report in ordered)])
    state = definition.policy.load(dict(head.state))
    seq, step = head.applied_seq, head.applied_step
    applied: dict[tuple[str, int], int] = {}
    for step_to, group in groupby(ordered, key=lambda report: report.step_to):
        reports = list(group)
        overdue = reported - step_to > definition.wait_steps
        if len(reports) < len(definition.sources) and not overdue:
            break
        state = definition.policy.update(state, feedback(definition, reports, weights_of))
        seq, step = seq + 1, step_to
        applied |= {(report.source, report.step_to): seq for report in reports}
    moved = replace(head, applied_seq=seq, applied_step=step, reported_step=reported)
    if not applied:
        return Folded(moved, applied, publishes=False)
    return _published(definition, moved, state, applied)


def feedback(
    definition: JobDefinition, reports: Sequence[Measured], weights_of: Mapping[int, Sequence[float]]
) -> Feedback:
    """Reports of one step, added; a loss that was not finite counts as not observed."""
    sums = np.array([[np.nan if s is None else s for s in report.loss_sums] for report in reports])
    counts = np.array([report.token_counts for report in reports], dtype=np.int64)
    counts = np.where(np.isfinite(sums), counts, 0)
    with np.errstate(over="ignore"):  # a sum beyond all floats is not finite either
        added = np.nansum(sums, axis=0)
    raw = Feedback(
        step=reports[0].step_to + 1,  # reports number steps from 0
        loss_sums=added,
        token_counts=counts.sum(axis=0),
        weights=np.array(weights_of[reports[0].schedule_version]),
    )
    return definition.guards.admit(raw)


def replay(
    definition: JobDefinition,
    state: Mapping[str, Any],
    groups: Iterable[Sequence[Measured]],
    weights_of: Mapping[int, Sequence[float]],
) -> Mapping[str, Any]:
    """Dumped state after reports that were applied before, group by group in their order."""
    current = definition.policy.load(dict(state))
    for reports in groups:
        current = definition.policy.update(current, feedback(definition, reports, weights_of))
    return definition.policy.dump(current)


def _published(
    definition: JobDefinition, head: Head, state: object, applied: Mapping[tuple[str, int], int]
) -> Folded:
    weights: FloatArray = definition.weights(state)
    head = replace(head, state=definition.policy.dump(state))
    if np.abs(weights - np.array(head.weights)).max() <= _SAME:
        return Folded(head, applied, publishes=False)
    # One version a fold, planned from the last step that is known to be past.
    effective = max(head.reported_step + definition.lead_steps, head.effective_step + 1)
    head = replace(head, version=head.version + 1, effective_step=effective, weights=weights.tolist())
    return Folded(head, applied, publishes=True)
