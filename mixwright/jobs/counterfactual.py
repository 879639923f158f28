"""What another policy, or other guards, would have published for the same reports.

The reports were measured under the weights that really held, and stay as they are: this says what a policy
makes of these losses, and not which losses its own weights would have led to.

It publishes after every entry of reports, from `lead_steps` after the last reported step on. Its expensive
steps are computed from the log, and count at once. Restarts bring back its own state of that place. What
people ordered is left out, and so is whether the job was in shadow: the policy steers.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import FitError
from mixlaws.policy import ExpensivePolicy
from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.publishing import PublishedStage
from mixlaws.steering.state import SteeringState
from mixwright.jobs.log_file import JobLog
from service.jobs.definition import JobDefinition
from service.jobs.expensive import history
from service.jobs.folding import Entry, folded
from service.jobs.replaying import fitting
from service.jobs.schemas import GuardsBody
from service.methods import checked


@dataclass(frozen=True, eq=False)
class Version:
    """A version that would have been published.

    Args:
        attempt: that it would have been made in.
        seq: place of the log.
        stage: step, weights and reason.
    """

    attempt: int
    seq: int
    stage: PublishedStage


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """What another policy would have done.

    Args:
        versions: what it would have published, in order, what restarts took back included.
        plan: stages that would have held in the end, by step.
        held: first and last step, and weights (d,) that really held, of each entry that still counts.
        steps: expensive steps that were computed.
        failed: of these, how many taught nothing.
        hold: why its weights would be held in the end, if they would.
    """

    versions: Sequence[Version]
    plan: Sequence[PublishedStage]
    held: Sequence[tuple[int, int, FloatArray]]
    steps: int
    failed: int
    hold: str | None

    @property
    def distance(self) -> float | None:
        """Mean over steps of the total variation, sum_i |w_i - v_i| / 2, from what really held."""
        starts = np.array([stage.effective_step for stage in self.plan])
        total, steps = 0.0, 0
        for first, last, weights in self.held:
            begun = int(np.searchsorted(starts, first, side="right")) - 1
            ended = int(np.searchsorted(starts, last, side="right"))
            edges = [first, *starts[begun + 1 : ended].tolist(), last + 1]
            for stage, start, end in zip(self.plan[begun:ended], edges[:-1], edges[1:], strict=True):
                total += (end - start) * float(np.abs(wide(stage.weights, len(weights)) - weights).sum()) / 2
            steps += last + 1 - first
        return total / steps if steps else None


def redefined(
    log: JobLog,
    *,
    policy: str | None = None,
    params: Mapping[str, Any] | None = None,
    guards: Mapping[str, Any] | None = None,
) -> dict[int, JobDefinition]:
    """The job in each of its attempts with another policy, or other guards.

    Args:
        log: of the job.
        policy: its name; None for the job's own.
        params: its hyperparameters; by default the job's, or of another policy its defaults.
        guards: those that differ from the job's.

    Raises:
        InvalidRequestError: the policy needs a signal that the job did not report; a parameter or a guard is
            unknown or out of range.
    """
    made = {}
    for number, body in log.bodies.items():
        name = policy or body.policy
        chosen = params if params is not None else body.params if name == body.policy else {}
        around = checked("guards", GuardsBody, {**body.guards.model_dump(), **(guards or {})})
        changed = {"policy": name, "params": dict(chosen), "guards": around, "shadow": False}
        made[number] = JobDefinition.of(body.model_copy(update=changed))
    return made


def counterfactual(
    log: JobLog, definitions: Mapping[int, JobDefinition], told: Callable[[int], None] = lambda _: None
) -> Counterfactual:
    """Fold the reports of a log with other definitions.

    Args:
        log: of a job, whole.
        definitions: what steers it in each of its attempts, instead.
        told: hears the number of entries so far.
    """
    back = {entry.event.payload["seq"] for entry in log.folded if entry.event and _restarts(entry)}
    course = _Course(definitions, log.weights_of)
    for number, entry in enumerate(log.folded, start=1):
        course.take(entry)
        if entry.seq in back:
            course.keep(entry.seq)
        told(number)
    held = [
        (
            entry.reports[0].step_from,
            entry.reports[0].step_to,
            wide(np.array(log.weights_of[entry.reports[0].schedule_version]), course.d),
        )
        for entry in course.past
        if entry.reports
    ]
    hold = course.state.hold
    reason = None if hold is None else hold.reason
    return Counterfactual(course.versions, course.plan, held, course.steps, course.failed, reason)


def wide(weights: FloatArray, d: int) -> FloatArray:
    """(d,) weights, with 0 for domains that came later."""
    return np.append(weights, np.zeros(d - len(weights)))


class _Course:
    """A job on the way through its log: state, plan, and what they were where restarts go back to."""

    def __init__(
        self, definitions: Mapping[int, JobDefinition], weights_of: Mapping[int, Sequence[float]]
    ) -> None:
        self._definitions, self._weights_of = definitions, weights_of
        self._attempts = iter(sorted(definitions))  # with gaps where a backup was restored
        self._attempt, self._effective = next(self._attempts), 0
        self._kept: dict[int, tuple[SteeringState, tuple[PublishedStage, ...]]] = {}
        self.state = self._job.steering.init()
        self.plan: list[PublishedStage] = []
        self.past: list[Entry] = []  # without what restarts took back
        self.versions: list[Version] = []
        self.steps = self.failed = 0

    @property
    def d(self) -> int:
        """Domains of the job now."""
        return len(self._job.domains)

    @property
    def _job(self) -> JobDefinition:
        return self._definitions[self._attempt]

    def take(self, entry: Entry) -> None:
        """What an entry leads to: orders, and what became of versions that there were, lead to nothing."""
        if entry.seq == 0:
            self._publish(0, 0)
        elif entry.reports:
            self._report(entry)
        elif entry.event is not None and _restarts(entry):
            self._restart(entry.seq, entry.event)

    def keep(self, seq: int) -> None:
        """Remember a place."""
        self._kept[seq] = self.state, tuple(self.plan)

    def _report(self, entry: Entry) -> None:
        steering = self._job.steering
        self.state = folded(steering, self.state, entry, self._weights_of)
        self.past.append(entry)
        # What was published there says up to which step others had reported.
        effective = entry.published_from or entry.reports[0].step_to + steering.lead
        self._publish(entry.seq, effective)
        result = self._result()
        if result is not None:
            event = Event(EventKind.RESULT, {"result": result})
            self.state = steering.obey(self.state, event)
            self.past.append(Entry(entry.seq, event=event))
            self._publish(entry.seq, effective)

    def _result(self) -> JsonObject | None:
        """The expensive step that is due, as JSON; empty if nothing could be learnt."""
        steering = self._job.steering
        request = steering.due(self.state)
        if request is None or not isinstance(steering.policy, ExpensivePolicy):
            return None
        reports = [
            report
            for entry in self.past
            for report in entry.reports
            if request.step_from <= report.step_to + 1 <= request.step_to  # reports number steps from 0
        ]
        self.steps += 1
        try:
            result = steering.policy.compute(request, history(reports, self._job.domains))
        except FitError:
            self.failed += 1
            return {}
        return dict(json.loads(json.dumps(result)))

    def _restart(self, seq: int, event: Event) -> None:
        back = event.payload["seq"]
        self._attempt = next(self._attempts)
        before, plan = self._kept[back]
        self.plan = list(plan)
        self.past = [entry for entry in self.past if entry.seq <= back]
        restored = fitting(self._job, before, self.past, self._weights_of)
        self.state = self._job.steering.obey(self.state.widened(self.d), event, restored)
        self._effective = 0
        self._publish(seq, event.payload["from_step"])

    def _publish(self, seq: int, effective: int) -> None:
        self._effective = max(self._effective, effective)
        self.state, publication = self._job.steering.publish(self.state, self._effective)
        if publication is None:
            return
        while self.plan and self.plan[-1].effective_step >= publication.effective_step:
            self.plan.pop()
        self.plan += publication.stages
        self.versions += [Version(self._attempt, seq, stage) for stage in publication.stages]


def _restarts(entry: Entry) -> bool:
    return entry.event is not None and entry.event.kind is EventKind.ATTEMPT
