"""The schedule that a trainer follows: versioned stages, each with the step from which it holds.

A schedule is never a bare vector. Every rank of a job must switch at the same step, so weights travel
with their `effective_step`; and what was drawn once must be drawn the same again, so stages whose step
has passed never change.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mixclient.errors import ScheduleError

SCHEMA = "mixture-schedule/v1"
_TOLERANCE = 1e-6  # what a sum of float32 weights may be off


@dataclass(frozen=True)
class Stage:
    """Weights with the step from which they hold.

    Args:
        effective_step: first optimiser step of the stage.
        weights: shares of samples, in the order of the schedule's domains; they sum to 1.
        version: schedule version that brought the stage.
        reason: who or what chose the weights.
    """

    effective_step: int
    weights: tuple[float, ...]
    version: int
    reason: str = ""


@dataclass(frozen=True)
class Schedule:
    """A checked schedule document.

    Args:
        job: name of the job.
        attempt: unbroken stretch of the job that it belongs to; 0 where no service gave it.
        version: number of the newest stage.
        samples_per_step: samples of one optimiser step, over all ranks.
        domains: names, in the order of the weights.
        stages: by rising `effective_step`; the first one holds from the first step that matters.
        lead_steps: least distance between the last reported step and a new stage.
        ttl_steps: how many steps a trainer may follow the schedule without hearing of the service; what
            happens after them is up to `MixtureClient`.
        frozen: whether weights are held by an operator.
    """

    job: str
    attempt: int
    version: int
    samples_per_step: int
    domains: tuple[str, ...]
    stages: tuple[Stage, ...]
    lead_steps: int = 0
    ttl_steps: int = 0
    frozen: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Schedule":
        """Check a document of the service.

        Raises:
            ScheduleError: it is not a usable schedule; the message names the field.
        """
        try:
            if document["schema"] != SCHEMA:
                raise ScheduleError(f"schema is {document['schema']!r}: this client reads {SCHEMA!r}")
            domains = tuple(str(domain["name"]) for domain in document["domains"])
            schedule = cls(
                job=str(document["job"]),
                attempt=int(document["attempt"]),
                version=int(document["version"]),
                samples_per_step=int(document["samples_per_step"]),
                domains=domains,
                stages=tuple(_stage(stage, domains) for stage in document["stages"]),
                lead_steps=int(document.get("lead_steps", 0)),
                ttl_steps=int(document.get("ttl_steps", 0)),
                frozen=bool(document.get("frozen", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, ScheduleError):
                raise
            raise ScheduleError(f"a schedule document without a usable {error}") from None
        schedule._check()
        return schedule

    @classmethod
    def static(
        cls,
        weights: Mapping[str, float],
        *,
        samples_per_step: int,
        job: str = "static",
        reason: str = "static",
    ) -> "Schedule":
        """A schedule of one stage, for runs that no service steers."""
        stage = Stage(0, tuple(float(weight) for weight in weights.values()), 0, reason)
        schedule = cls(job, 0, 0, samples_per_step, tuple(weights), (stage,))
        schedule._check()
        return schedule

    def dump(self) -> str:
        """The schedule as JSON, such as rank 0 broadcasts or a client stores."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "job": self.job,
                "attempt": self.attempt,
                "version": self.version,
                "samples_per_step": self.samples_per_step,
                "lead_steps": self.lead_steps,
                "ttl_steps": self.ttl_steps,
                "frozen": self.frozen,
                "domains": [{"name": name} for name in self.domains],
                "stages": [
                    {
                        "effective_step": stage.effective_step,
                        "weights": dict(zip(self.domains, stage.weights, strict=True)),
                        "version": stage.version,
                        "reason": stage.reason,
                    }
                    for stage in self.stages
                ],
            }
        )

    def stage_at(self, step: int) -> Stage:
        """The stage that holds at a step.

        Raises:
            ScheduleError: the step is before all stages: of those that held there nothing is known.
        """
        place = bisect_right(self._steps, step)
        if place == 0:
            raise ScheduleError(
                f"step {step} is before step {self._steps[0]}, the first that this schedule of job "
                f"{self.job!r} holds: give the schedule of a checkpoint from before it"
            )
        return self.stages[place - 1]

    def stage_ends(self, step: int) -> bool:
        """Whether another stage holds from the next step on."""
        place = bisect_right(self._steps, step)
        return 0 < place < len(self._steps) and self._steps[place] == step + 1

    def stage_and_end(self, step: int) -> tuple[Stage, int | None]:
        """The stage that holds at a step, and the first step of the next one; None for the last stage.

        Raises:
            ScheduleError: the step is before all stages.
        """
        stage = self.stage_at(step)
        place = bisect_right(self._steps, step)
        return stage, self._steps[place] if place < len(self._steps) else None

    def since(self, step: int) -> "Schedule":
        """Without the stages that had ended before a step."""
        place = self._in_force(step)
        return self if place == 0 else replace(self, stages=self.stages[place:])

    def after(self, followed: "Schedule", *, step: int) -> "Schedule":
        """This schedule from a step on, and before it what a job has followed.

        Args:
            followed: what was followed up to a checkpoint; of any attempt of the same job.
            step: first step after the checkpoint.

        Raises:
            ScheduleError: it is of another job, or of other domains.
        """
        self._check_same_job(followed)
        past = tuple(stage for stage in followed.stages if stage.effective_step < step)
        rest = self._beginning(step).stages
        if past and (past[-1].version, past[-1].weights) == (rest[0].version, rest[0].weights):
            rest = rest[1:]  # it goes on
        return replace(self, stages=past + rest)

    def merged(self, newer: "Schedule", *, drawn_to: int) -> tuple["Schedule", tuple[Stage, ...]]:
        """Take the future from a newer schedule and keep the past of this one.

        Args:
            newer: a schedule of the same job.
            drawn_to: last step whose samples were drawn; -1 before the first.

        Returns:
            The merged schedule, and the stages that came too late to be followed.

        Raises:
            ScheduleError: it is of another job, other domains, of another attempt, or of an older version.
        """
        self._check_same_job(newer)
        if newer.attempt > self.attempt > 0:
            raise ScheduleError(
                f"attempt {newer.attempt} was opened by another trainer: this one is of attempt "
                f"{self.attempt}, is fenced, and should stop",
                kind="fenced",
            )
        if (newer.attempt, newer.version) < (self.attempt, self.version):
            raise ScheduleError(
                f"version {newer.attempt}-{newer.version} is older than {self.attempt}-{self.version}",
                kind="older",
            )
        past = tuple(stage for stage in self.stages if stage.effective_step <= drawn_to)
        if past and (self.attempt == 0 < newer.attempt or (self.adrift and past[-1] is self.stages[-1])):
            # A job that had to start without the service belongs to no attempt yet, and joins the one it
            # finds; one that went over to its fallback comes back.
            newer = newer._beginning(drawn_to + 1 + newer.lead_steps)
        known = {stage.version for stage in self.stages}
        late = tuple(
            stage
            for stage in newer.stages
            # What is older than all that is kept was followed, or refused, long ago.
            if self._steps[0] <= stage.effective_step <= drawn_to and stage.version not in known
        )
        future = tuple(stage for stage in newer.stages if stage.effective_step > drawn_to)
        # What was joined at a later step than the service knows of must not be lost before that step.
        begun = {stage.version for stage in newer.stages if stage.effective_step <= drawn_to}
        joining = tuple(
            stage
            for stage in self.stages
            if drawn_to
            < stage.effective_step
            < min((other.effective_step for other in future), default=math.inf)
            and stage.version in begun
        )
        return replace(newer, stages=past + joining + future if past else newer.stages), late

    @property
    def adrift(self) -> bool:
        """Whether it ends in weights of the trainer's own, such as a fallback."""
        return self.stages[-1].version == 0

    def falling_back(self, weights: tuple[float, ...], *, step: int) -> "Schedule":
        """This schedule up to a step, and weights of the trainer's own from there on."""
        kept = tuple(stage for stage in self.stages if stage.effective_step < step)
        return replace(self, stages=(*kept, Stage(step, weights, 0, "fallback")))

    def _beginning(self, step: int) -> "Schedule":
        """The schedule from a step on: what holds there, and what follows."""
        first = replace(self.stages[self._in_force(step)], effective_step=step)
        later = tuple(stage for stage in self.stages if stage.effective_step > step)
        return replace(self, stages=(first, *later))

    def _in_force(self, step: int) -> int:
        """Place of the stage that holds at a step, or of the first one."""
        return max(0, bisect_right(self._steps, step) - 1)

    @cached_property
    def _steps(self) -> tuple[int, ...]:
        return tuple(stage.effective_step for stage in self.stages)

    def _check_same_job(self, other: "Schedule") -> None:
        if other.job != self.job or other.domains != self.domains:
            raise ScheduleError(
                f"a schedule of job {other.job!r} with domains {', '.join(other.domains)}: this one "
                f"is of job {self.job!r} with {', '.join(self.domains)}",
                kind="other_job",
            )
        if other.samples_per_step != self.samples_per_step:
            raise ScheduleError(
                f"a schedule of {other.samples_per_step} samples a step: this one has "
                f"{self.samples_per_step}",
                kind="other_job",
            )

    def _check(self) -> None:
        if self.samples_per_step < 1:
            raise ScheduleError(f"samples_per_step is {self.samples_per_step}: expected at least 1")
        if not self.domains or len(set(self.domains)) != len(self.domains):
            raise ScheduleError(f"domains {self.domains!r} must be distinct, and at least one")
        if not self.stages:
            raise ScheduleError("the schedule has no stage")
        if list(self._steps) != sorted(set(self._steps)):
            raise ScheduleError(f"stages are not in rising order of effective_step: {list(self._steps[:10])}")
        for stage in self.stages:
            total = math.fsum(stage.weights)
            usable = all(math.isfinite(weight) and weight >= 0 for weight in stage.weights)
            if len(stage.weights) != len(self.domains) or not usable or abs(total - 1) > _TOLERANCE:
                raise ScheduleError(
                    f"weights of version {stage.version} are off the simplex: they sum to {total:.6g}"
                )


def _stage(document: Mapping[str, Any], domains: Sequence[str]) -> Stage:
    weights = document["weights"]
    unknown = sorted(set(weights) - set(domains))
    missing = sorted(set(domains) - set(weights))
    if unknown or missing:
        raise ScheduleError(f"a stage names unknown domains {unknown} or leaves out {missing}")
    return Stage(
        effective_step=int(document["effective_step"]),
        weights=tuple(float(weights[domain]) for domain in domains),
        version=int(document["version"]),
        reason=str(document.get("reason", "")),
    )
