"""What a running job follows: its schedule, how far its samples were drawn, and what to do in silence.

Where the service is not heard of, a job goes down step by step: the last schedule; after `ttl_steps` drawn
steps the same with a warning, or weights that were declared safe; and up again once the service is back.
Weights change in stages only, `lead_steps` ahead, so that all ranks learn of them in time.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from mixclient.errors import ForkedClientError, ScheduleUnavailableError
from mixclient.sampler import Sampler
from mixclient.schedule import Schedule, Stage

_log = logging.getLogger("mixclient")
_NEVER = 1 << 63  # a step that no job reaches


class Following:
    """The schedule of one job; the training loop and the poller's thread share it.

    Args:
        seed: seed of the sampler.
        keep_steps: for how many drawn steps a stage is kept after its end.
        safe: weights to go over to after `ttl_steps`; None stays on the last schedule.
        silent: whether the service gave no usable answer when it was asked last.
        told: called with a stage, a step and `applied` or `too_late`, once for each version.
    """

    def __init__(
        self,
        *,
        seed: int,
        keep_steps: int,
        safe: Mapping[str, float] | None,
        silent: Callable[[], bool],
        told: Callable[[Stage, int, str], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._seed, self._keep_steps, self._safe = seed, keep_steps, safe
        self._silent, self._told = silent, told
        self._lock = threading.RLock()  # a signal handler may draw while the loop it interrupts does
        self._copied = False  # into a forked process
        self._sampler: Sampler | None = None
        self._drawn_to = -1
        self._heard_at = -1  # last step drawn when the service was heard of
        self._expires_after = _NEVER
        self._expired = False
        # A stage with the steps from which to which nothing can happen but that it is drawn.
        self._calm: tuple[int, int, Stage] = (0, 0, Stage(0, (), 0))
        self._acknowledged: set[int] = set()  # versions, whether applied or too late

    @property
    def sampler(self) -> Sampler:
        """Draws as the schedule says that is followed now.

        Raises:
            ScheduleUnavailableError: there is none yet.
        """
        if self._sampler is None:
            raise ScheduleUnavailableError("there is no schedule yet: call start() before the loop")
        return self._sampler

    @property
    def begun(self) -> bool:
        """Whether there is a schedule."""
        return self._sampler is not None

    @property
    def adrift(self) -> bool:
        """Whether the job is on weights of its own, and waits for any schedule."""
        return self._sampler is not None and self._sampler.schedule.adrift

    @property
    def rung(self) -> int:
        """How far down: 0 hears of the service, 1 does not, 2 not for `ttl_steps`, 3 follows own weights."""
        if self.adrift:
            return 3
        return 2 if self._expired else int(self._silent())

    @property
    def drawn_to(self) -> int:
        """Last step that is fixed; -1 before the first."""
        return self._drawn_to

    def copied(self) -> None:
        """This is a copy in a forked process, which hears of nothing: only what is fixed can be read."""
        self._lock = threading.RLock()  # the other one may be held by a thread that is not here
        self._copied = True
        self._calm = (0, 0, Stage(0, (), 0))

    def begin(self, schedule: Schedule, *, drawn_to: int) -> None:
        """Follow a first schedule.

        Args:
            schedule: the schedule.
            drawn_to: last step that was drawn before; -1 for a job that begins.
        """
        with self._lock:
            self._drawn_to = drawn_to
            self._follow(schedule)
            self._wait_from_here()

    def fix(self, step: int) -> Stage:
        """The stage of a step, which nothing can change from now on.

        Raises:
            ScheduleError: the step is from before all that is kept.
        """
        with self._lock:
            begin, end, stage = self._calm
            if begin <= step < end:
                self._drawn_to = max(self._drawn_to, step)
                return stage
            if self._copied:
                return self._as_copied(step)
            if self._drawn_to < 0:
                self._reach_back(step)
            self._drawn_to = max(self._drawn_to, step)
            if step > self._expires_after and self._silent():
                self._expire()
            stage, over = self.sampler.schedule.stage_and_end(step)
            self._calm = step, min(_NEVER if over is None else over, self._expires_after + 1), stage
            if stage.version in self._acknowledged:
                return stage
            self._acknowledged.add(stage.version)
        self._told(stage, step, "applied")
        return stage

    def drawn(self, step: int) -> tuple[Stage, bool]:
        """The stage of a step that was drawn, and whether another one follows it at once."""
        begin, end, stage = self._calm
        if begin <= step < end - 1:
            return stage, False
        stage, over = self.sampler.schedule.stage_and_end(step)
        return stage, over == step + 1

    def stage_ends(self, step: int) -> bool:
        """Whether another stage holds after a step; the stage of the next step is fixed by asking."""
        with self._lock:
            if self._copied:
                self._as_copied(step + 1)
            self._drawn_to = max(self._drawn_to, step + 1)
            return self.sampler.schedule.stage_ends(step)

    def take(self, newer: Schedule) -> None:
        """Follow a newer schedule from its steps on; refuse what comes too late.

        Raises:
            ScheduleError: it is of something else, or older.
        """
        with self._lock:
            drawn_to = self._drawn_to
            merged, late = self.sampler.schedule.merged(newer, drawn_to=drawn_to)
            late = tuple(stage for stage in late if stage.version not in self._acknowledged)
            self._acknowledged |= {stage.version for stage in late}
            self._acknowledged &= {stage.version for stage in (*merged.stages, *newer.stages)}
            self._follow(merged)
        for stage in late:
            self.counters["too_late"] += 1
            self._told(stage, drawn_to, "too_late")

    def heard(self) -> None:
        """The service has confirmed the schedule, or given a newer one."""
        with self._lock:
            if self._expired:
                _log.info("the service is heard of again at step %d", self._drawn_to)
            self._wait_from_here()

    def _as_copied(self, step: int) -> Stage:
        """The stage of a step that was fixed before the fork; the other process decides on all others."""
        if step > self._drawn_to:
            raise ForkedClientError(
                f"step {step} is drawn in a process that was forked after start(), when steps up to "
                f"{self._drawn_to} were fixed: later weights are not heard of here. Draw in the process that "
                "called start(), and give workers its domains, or Sampler(client.schedule, seed=...) for "
                "steps that it has drawn; to train in this process, make and start the client in it"
            )
        return self.sampler.schedule.stage_at(step)

    def _follow(self, schedule: Schedule) -> None:
        self._calm = (0, 0, schedule.stages[0])
        self._sampler = Sampler(schedule.since(self._drawn_to + 1 - self._keep_steps), seed=self._seed)

    def _wait_from_here(self) -> None:
        self._heard_at, self._expired = self._drawn_to, False
        self._calm = (0, 0, self.sampler.schedule.stages[0])
        self._expires_after = self._heard_at + (self.sampler.schedule.ttl_steps or _NEVER)

    def _reach_back(self, step: int) -> None:
        """Let the first stage hold from a job's first step, if the service believes that to be over."""
        schedule = self.sampler.schedule
        first, *later = schedule.stages
        if first.effective_step <= step:
            return
        _log.warning(
            "the job begins at step %d, its schedule at step %d: give start() the from_step of a restart",
            step,
            first.effective_step,
        )
        self._follow(replace(schedule, stages=(replace(first, effective_step=step), *later)))

    def _expire(self) -> None:
        """Go down a step, once for each time of silence."""
        self._expires_after, self._expired = _NEVER, True
        self.counters["expired"] += 1
        schedule = self.sampler.schedule
        if self._safe is None:
            then = "it goes on with the last schedule"
        else:
            step = self._drawn_to + 1 + schedule.lead_steps
            schedule = schedule.falling_back(tuple(self._safe[d] for d in schedule.domains), step=step)
            self.counters["fell_back"] += 1
            then = f"it goes over to its fallback at step {step}"
        _log.warning(
            "job %r is at step %d, last heard of the service at step %d, and may follow it for %d steps: %s",
            schedule.job,
            self._drawn_to,
            self._heard_at,
            schedule.ttl_steps,
            then,
        )
        self._follow(schedule)
