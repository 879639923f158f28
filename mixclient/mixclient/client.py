"""What a training loop holds: `MixtureClient` follows the schedule of a job and reports losses.

    client = MixtureClient(url, key, job="pretrain-7b", seed=17)
    client.start()                                  # waits for a first schedule, before training
    for step in range(steps):
        domains = client.step(step)                 # indices into client.domains, for all ranks' samples
        ...                                         # train
        client.record(step, loss_sums=loss_sums, token_counts=token_counts)
    client.close()

After `start`, no call waits for the network, and none raises for what the service or the network does:
without the service the job goes on with the last schedule that it knows.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mixclient.backoff import Backoff
from mixclient.errors import (
    ForkedClientError,
    MixclientError,
    ScheduleError,
    ScheduleUnavailableError,
    ServiceError,
    ServiceUnreachableError,
    StartRefusedError,
)
from mixclient.folder import Folder
from mixclient.following import Following
from mixclient.measurements import NOTHING, Signals
from mixclient.outgoing import Outgoing
from mixclient.poller import Poller
from mixclient.processes import reside
from mixclient.recorder import Recorder
from mixclient.reporter import Reporter
from mixclient.schedule import Schedule, Stage
from mixclient.service.clients import ServiceClient
from mixclient.service.retry import ONCE
from mixclient.spool import ATTEMPT, Spool

_log = logging.getLogger("mixclient")
_LEAST_PATIENCE = 0.5  # seconds that a request of `start` may take, however little time is given


class MixtureClient:
    """Follows the schedule of one job.

    Args:
        url: address of the service.
        key: API key with the scope `jobs:follow`.
        job: name of the job.
        seed: seed of the sampler, the same in every restart.
        source: who reports, such as `rank0`; one of the job's declared sources.
        folder: where reports and the last schedule are kept, of this source alone; by default a folder of
            the user's cache, which another key does not find.
        fallback: weights to start with if the service cannot be reached and no schedule is stored, for the
            job's domains in their order; the job joins the schedule once the service is there.
        samples_per_step: needed with `fallback` only.
        report_every: steps of a report.
        after_ttl: what to do once the schedule's `ttl_steps` were drawn without hearing of the service: stay
            on the last schedule, or go over to `fallback` until the service is back.
        keep_steps: for how many drawn steps a stage is kept after its end, in memory and in `schedule`; at
            least the steps by which recording lags behind drawing.
        spool_limit: most reports that wait for the service; beyond it the oldest go and are counted.

    Raises:
        ScheduleError: the fallback is no mixture, or is asked for and not given.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        job: str,
        seed: int = 0,
        source: str = "rank0",
        folder: Path | None = None,
        fallback: Mapping[str, float] | None = None,
        samples_per_step: int | None = None,
        report_every: int = 10,
        after_ttl: Literal["stay", "fallback"] = "stay",
        keep_steps: int = 1000,
        spool_limit: int = 20_000,
    ) -> None:
        self.job = job
        self.source = source
        self._fallback = (
            None
            if fallback is None
            else Schedule.static(fallback, samples_per_step=samples_per_step or 1, job=job, reason="fallback")
        )
        self._may_start_alone = samples_per_step is not None
        if after_ttl == "fallback" and fallback is None:
            raise ScheduleError("after_ttl is 'fallback': give the fallback, weights for the job's domains")
        self._folder = Folder(folder) if folder is not None else Folder.default(url, key, job, source)
        self._followed: Schedule | None = None  # up to the checkpoint that the job resumes from
        self._from_step: int | None = None
        self._state_token: str | None = None
        self._started = self._copied = self._closed = False
        self._services = [ServiceClient(url, key, retry=ONCE) for _ in range(2)]
        self._following = Following(
            seed=seed,
            keep_steps=keep_steps,
            safe=fallback if after_ttl == "fallback" else None,
            silent=lambda: self._poller.failing,
            told=self._acknowledge,
        )
        self._poller = Poller(
            self._services[0],
            job,
            on_schedule=self._take,
            on_heard=self._following.heard,
            afresh=lambda: self._following.adrift,
        )
        self._outgoing = Outgoing(source, self._following)
        self._spool = Spool(self._folder.reports, limit=spool_limit)
        self._reporter = Reporter(
            self._services[1],
            job,
            self._spool,
            prepare=self._outgoing.reports,
            on_answer=self._heard,
            on_attempt=self._joins,
        )
        self._recorder = Recorder(report_every, self._reporter.put)
        reside(self)

    def start(
        self,
        *,
        timeout: float = 60.0,
        from_step: int | None = None,
        state_token: str | None = None,
        followed: Schedule | None = None,
    ) -> None:
        """Get a first schedule and start the background threads. Call it once, before the loop.

        A restart first sends what the last run left, then opens its attempt. If the service is away, it
        begins with what is stored, and does both as soon as the service is back: until then its reports wait.

        Args:
            timeout: seconds to wait for a service that does not answer.
            from_step: step of the checkpoint that the job resumes from; opens a new attempt.
            state_token: the token that was stored with that checkpoint.
            followed: the `schedule` that was stored with that checkpoint: steps before `from_step` are drawn
                with it again, and the job goes on with it if the service is away and nothing newer is stored.

        Raises:
            ScheduleError: what was followed, or the fallback, is of another job or of other domains.
            StartRefusedError: the service refuses the key, the job, or the state token.
            ScheduleUnavailableError: no schedule from the service, none stored, and no fallback given.
        """
        if self._copied:
            raise ForkedClientError(
                "this client was started before a fork: make and start one in this process"
            )
        self._started, attempt = True, None
        try:
            if followed is not None and followed.job != self.job:
                raise ScheduleError(  # noqa: TRY301 - all connections are closed in one place
                    f"the schedule that was followed is of job {followed.job!r}, not {self.job!r}"
                )
            self._followed, self._from_step = followed, from_step
            if from_step is not None:
                body = {"from_step": from_step} | ({"state_token": state_token} if state_token else {})
                attempt = {"kind": ATTEMPT, "body": body}
                self._spool.append(attempt)
            self._outgoing.resumes = self._spool.owes_attempt
            self._first_schedule(time.monotonic() + timeout)
            self._check_fallback()
        except BaseException:
            if attempt is not None:
                self._spool.withdraw(attempt)
            self._closed = True
            for service in self._services:
                service.close()
            self._folder.release()
            raise
        if not self._spool.owes_attempt:
            self._poller.start()
        self._reporter.start()

    @property
    def schedule(self) -> Schedule:
        """The schedule that is followed now, without stages that ended more than `keep_steps` ago."""
        return self._following.sampler.schedule

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the indices that `step` gives."""
        return self.schedule.domains

    @property
    def state_token(self) -> str | None:
        """What to store with a checkpoint, so that the policy's state of that moment comes back with it."""
        return self._state_token

    def step(self, step: int) -> list[int]:
        """Domains of all samples of a step; from now on that step's stage is fixed.

        Call it for rising steps. Ranks that do not poll take `Sampler(Schedule.parse(...))` of the
        document that rank 0 broadcasts.

        Raises:
            ScheduleError: a step from before all that is kept (`keep_steps`), whose stage is forgotten.
        """
        step = int(step)  # a NumPy integer is no JSON
        self._following.fix(step)
        return self._following.sampler.step(step)

    def stage(self, step: int) -> Stage:
        """The stage of a step, which is fixed from now on: for loaders that draw from weights themselves.

        Raises:
            ScheduleError: a step from before all that is kept (`keep_steps`).
        """
        return self._following.fix(int(step))

    def stage_ends(self, step: int) -> bool:
        """Whether another stage begins after this step, so that a policy with probes wants an evaluation now.

        From now on the stage of the next step is fixed too: what arrives later cannot make this untrue.
        Ranks without a client ask `Schedule.stage_ends` of what rank 0 broadcasts after this call.
        """
        return self._following.stage_ends(int(step))

    def record(
        self,
        step: int,
        *,
        loss_sums: Sequence[float],
        token_counts: Sequence[int],
        signals: Signals | None = None,
    ) -> None:
        """Add what a step measured, summed over all ranks; reports go out by themselves.

        What cannot be used, such as a list of another length, is left out, logged, and counted as
        `unusable_measurements`: training losses with the whole step, a signal by itself.

        Args:
            step: the step, after its `step` call.
            loss_sums: summed token losses by domain, nats, in the order of `domains`; sums and never means,
                so that steps and ranks can be added.
            token_counts: tokens behind those sums; a domain with 0 was not observed.
            signals: further measurements of this step, by kind.
        """
        try:
            if self._copied:
                return self._outgoing.not_here()
            stage, last = self._following.drawn(int(step))
            measured = self._outgoing.read(signals, step, domains=len(stage.weights)) if signals else NOTHING
            self._recorder.note(int(step), stage, loss_sums, token_counts, measured, last=last)
        except Exception:  # noqa: BLE001 - the training loop must go on, whatever it measured
            self._outgoing.unusable("losses", step)

    def counters(self) -> dict[str, int]:
        """What happened so far, as numbers that only grow; docs/integrate.md lists them."""
        # Copies: the threads add names while this adds up.
        parts = (self._poller, self._reporter, self._following, self._outgoing)
        counted = sum(
            (Counter(dict(part.counters)) for part in parts), Counter(dropped_from_spool=self._spool.dropped)
        )
        return dict(counted)

    def gauges(self) -> dict[str, float]:
        """How things stand now, as plain numbers; docs/integrate.md lists them."""
        schedule = self._following.sampler.schedule if self._following.begun else None
        return {
            "attempt": schedule.attempt if schedule else 0,
            "version": schedule.version if schedule else 0,
            "rung": self._following.rung if schedule else 0,
            "drawn_to": self._following.drawn_to,
            "seconds_since_heard": time.monotonic() - self._poller.heard_at,
            "queued": self._reporter.queued,
            "spooled_reports": len(self._spool),
            "spooled_bytes": self._spool.bytes,
            "spool_on_disk": int(self._spool.on_disk),
        }

    def close(self, *, timeout: float = 10.0) -> bool:
        """Send what waits, for at most `timeout` seconds; the rest is sent by the next client of this job.

        In a forked process it does nothing; a second time it only tells whether all was sent.
        """
        if self._copied or self._closed:
            return len(self._spool) == 0
        self._closed = True
        self._recorder.flush()
        self._poller.close()
        done = self._reporter.close(timeout)
        self._services[0].close()  # ends a poll in flight; the reporter closes its own
        self._folder.release()
        return done

    def __reduce__(self) -> str:
        raise TypeError(
            "a MixtureClient has threads and connections, and is of one process: give others its "
            "schedule, or Sampler(client.schedule, seed=...)"
        )

    def forked(self) -> None:
        """This process is a copy of the one that started the client: from now on it is only read."""
        if self._started:
            self._copied = True
            self._following.copied()

    def exiting(self) -> None:
        """The interpreter ends: what was recorded goes to disk, and nobody is waited for."""
        if self._started:
            self.close(timeout=0.0)

    def _first_schedule(self, deadline: float) -> None:
        backoff = Backoff(longest=5.0)
        while True:
            patience = max(_LEAST_PATIENCE, deadline - time.monotonic())
            try:
                if self._spool.owes_attempt:
                    self._reporter.deliver(timeout=patience)
                return self._poller.poll(timeout=min(10.0, patience))
            except (ServiceError, ServiceUnreachableError) as error:
                if isinstance(error, ServiceError) and not error.may_pass:
                    raise StartRefusedError(f"job {self.job!r} cannot start: {error}") from error
                if time.monotonic() >= deadline:
                    return self._start_without(error)
                time.sleep(min(backoff.failed(error), max(0.0, deadline - time.monotonic())))

    def _start_without(self, error: MixclientError) -> None:
        """Start from the newest schedule at hand: stored here, or with a checkpoint; or from the fallback."""
        known = [schedule for schedule in (self._folder.kept(self.job), self._followed) if schedule]
        stored = max(known, key=lambda schedule: (schedule.attempt, schedule.version), default=None)
        if stored is not None:
            _log.warning("starting from the stored schedule %d: %s", stored.version, error)
        elif self._fallback is not None and self._may_start_alone:
            _log.warning("starting from the fallback weights: %s", error)
            stored = self._fallback
        else:
            raise ScheduleUnavailableError(
                f"job {self.job!r} cannot start: {error}. Start the service, or give fallback weights"
            ) from error
        # Of an attempt that is owed it belongs to none, and joins the one that will be opened.
        self._begin(replace(stored, attempt=0) if self._outgoing.resumes else stored)

    def _begin(self, schedule: Schedule) -> None:
        drawn_to = -1 if self._from_step is None else self._from_step - 1
        if self._followed is not None:  # the past of a checkpoint stays, whatever a restart took back
            schedule = schedule.after(self._followed, step=drawn_to + 1)
        self._following.begin(schedule, drawn_to=drawn_to)

    def _check_fallback(self) -> None:
        if self._fallback is not None and self._fallback.domains != self.domains:
            raise ScheduleError(
                f"the fallback is of {', '.join(self._fallback.domains)}, job {self.job!r} of "
                f"{', '.join(self.domains)}: give a weight for each of them, in this order"
            )

    def _take(self, newer: Schedule) -> None:
        """Follow a newer schedule, if it is one for this run."""
        if newer.job != self.job:
            raise ScheduleError(f"a schedule of job {newer.job!r}: this is {self.job!r}", kind="other_job")
        opened = self._outgoing.opened
        if newer.attempt < opened:
            # A service that answers from memory may not know yet of what another part of it has stored.
            raise ServiceUnreachableError(
                f"a schedule of attempt {newer.attempt}: this client opened {opened}"
            )
        if newer.attempt > opened > 0:
            raise ScheduleError(
                f"attempt {newer.attempt} was opened by another trainer: this one should stop", kind="fenced"
            )
        if self._following.begun:
            self._following.take(newer)
        else:
            self._begin(newer)
        self._folder.keep(self.schedule)

    def _joins(self, attempt: int) -> None:
        """An attempt was opened; if it is the one that was owed, its schedule is taken from now on."""
        if self._spool.owes_attempt:
            return
        self._outgoing.opened = attempt
        if self._following.begun:
            self._poller.start()

    def _acknowledge(self, stage: Stage, step: int, outcome: str) -> None:
        item = self._outgoing.acknowledgement(stage, step, outcome)
        if item is not None:
            self._reporter.put(item)

    def _heard(self, answer: dict[str, Any]) -> None:
        token = answer.get("state_token")
        # While an attempt is owed, what is answered are reports of the run before.
        if isinstance(token, str) and bool(self._outgoing.opened) is self._outgoing.resumes:
            self._state_token = token
