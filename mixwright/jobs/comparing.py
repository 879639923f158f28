"""The versions of a log computed again, and compared with those that were published, to the last bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from mixlaws.steering.publishing import PublishedStage
from mixwright.jobs.log_file import JobLog
from mixwright.problems import CommandError
from service.jobs.building import build
from service.jobs.order_schemas import LogEntry, LogVersion
from service.jobs.replaying import replay

ACROSS_BUILDS = 1e-12  # how far weights may be apart that other code or another machine computed


@dataclass(frozen=True, eq=False)
class Difference:
    """A version that is not what the log gives; either side may lack it.

    Args:
        entry: place of the log that it was published at.
        published: the version.
        computed: what comes out here.
    """

    entry: LogEntry
    published: LogVersion | None
    computed: PublishedStage | None

    @property
    def sentence(self) -> str:
        """Both sides, and the builds."""
        what = "no version" if self.published is None else f"version {self.published.version}"
        builds = "" if self.published is None else f"; published by {self.published.build}, here {build()}"
        return (
            f"{what} at place {self.entry.seq} of the log ({origin(self.entry)}): published "
            f"{_side(self.published)}; computed {_side(self.computed)}{builds}"
        )

    def to_json(self) -> dict[str, Any]:
        """Both sides, as JSON."""
        version, stage = self.published, self.computed
        return {
            "seq": self.entry.seq,
            "origin": origin(self.entry),
            "published": None if version is None else version.model_dump(),
            "computed": None if stage is None else _plain(stage),
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """How a log and its versions agree.

    Args:
        versions: how many were published.
        exact: of these, how many came out to the last bit.
        rounded: how many another build published and came out within 1e-12.
        differences: all others, by place.
    """

    versions: int
    exact: int
    rounded: int
    differences: Sequence[Difference]


def compared(log: JobLog, told: Callable[[int], None] = lambda _: None) -> Comparison:
    """Compute every version of a log again.

    Args:
        log: of a job, whole.
        told: hears the number of entries so far.

    Raises:
        CommandError: the log cannot be folded.
    """
    exact = rounded = 0
    differences: list[Difference] = []
    steps = replay(log.definitions, log.folded, log.weights_of)
    for number, entry in enumerate(log.entries, start=1):
        try:
            publication = next(steps).publication
        except Exception as error:
            raise CommandError(
                f"job {log.job!r} cannot be folded at place {entry.seq} ({origin(entry)}): {error}"
            ) from error
        stages = () if publication is None else publication.stages
        for version, stage in zip_longest(entry.versions, stages):
            if version is None or stage is None or not _same(version, stage):
                differences.append(Difference(entry, version, stage))
            elif version.weights == stage.weights.tolist():
                exact += 1
            else:
                rounded += 1
        told(number)
    return Comparison(len(log.weights_of), exact, rounded, differences)


def origin(entry: LogEntry) -> str:
    """What stands at a place of the log."""
    if entry.event is not None:
        return f"event {entry.event.kind} by {entry.event.actor}"
    if not entry.reports:
        return "the beginning"
    sources = ", ".join(report.source for report in entry.reports)
    return f"steps {entry.reports[0].step_from} to {entry.reports[0].step_to} by {sources}"


def _same(version: LogVersion, stage: PublishedStage) -> bool:
    """Whether a version is what came out; weights of another build need not be the same to the last bit."""
    if (version.effective_step, version.reason) != (stage.effective_step, stage.reason):
        return False
    if len(version.weights) != len(stage.weights):
        return False
    allowed = 0.0 if version.build == build() else ACROSS_BUILDS
    return bool(np.abs(np.array(version.weights) - stage.weights).max() <= allowed)


def _side(side: LogVersion | PublishedStage | None) -> str:
    if side is None:
        return "nothing"
    weights = [float(weight) for weight in side.weights]
    return f"{weights} from step {side.effective_step}, {side.reason!r}"


def _plain(stage: PublishedStage) -> dict[str, Any]:
    return {
        "effective_step": stage.effective_step,
        "weights": stage.weights.tolist(),
        "reason": stage.reason,
    }
