"""What a training loop holds: `MixtureClient` follows the schedule of a job and reports losses.

    client = MixtureClient(url, key, job="pretrain-7b", seed=17)
    client.start()                                  # waits for a first schedule, before training
    for step in range(steps):
        domains = client.step(step)                 # indices into client.domains, for all ranks' samples
        ...                                         # train
        client.record(step, loss_sums=loss_sums, token_counts=token_counts)
    client.close()

After `start`, no call waits for the network and none raises: without the service the job goes on with the
last schedule that it knows.
"""

import hashlib
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mixclient.api import ServiceClient
from mixclient.errors import MixclientError, ScheduleError, ScheduleUnavailableError
from mixclient.measurements import Measured, Signals, read_losses, read_signal
from mixclient.poller import Poller
from mixclient.recorder import Recorder
from mixclient.reporter import Reporter
from mixclient.sampler import Sampler
from mixclient.schedule import Schedule, Stage
from mixclient.spool import Spool

_log = logging.getLogger("mixclient")


class MixtureClient:
    """Follows the schedule of one job.

    Args:
        url: address of the service.
        key: API key with the scope `jobs:follow`.
        job: name of the job.
        seed: seed of the sampler, the same in every restart.
        source: who reports, such as `rank0`; one of the job's declared sources.
        folder: where reports and the last schedule are kept, of this source alone; by default a folder of
            the user's cache.
        fallback: weights to start with if the service cannot be reached and no schedule is stored, for the
            job's domains in their order; the job joins the schedule once the service is there.
        samples_per_step: needed with `fallback` only.
        report_every: steps of a report.
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
    ) -> None:
        self.job = job
        self.source = source
        self.seed = seed
        self._fallback, self._samples_per_step = fallback, samples_per_step
        place = folder if folder is not None else _cache_folder(url, job, source)
        self._stored = place / "schedule.json"
        self._lock = threading.Lock()
        self._sampler: Sampler | None = None
        self._drawn_to = -1
        self._followed: Schedule | None = None  # up to the checkpoint that the job resumes from
        self._opened = 0  # the attempt that this client opened, if any
        self._acknowledged: set[int] = set()  # versions, whether applied or too late
        self._state_token: str | None = None
        self._told: set[str] = set()  # kinds of measurement that could not be used
        self._services = [ServiceClient(url, key) for _ in range(2)]
        self._poller = Poller(self._services[0], job, on_schedule=self._take)
        self._recorder = Recorder(report_every, self._report)
        self._spool = Spool(place / "reports.jsonl")
        self._reporter = Reporter(self._services[1], job, self._spool, on_answer=self._heard)

    def start(
        self,
        *,
        timeout: float = 60.0,
        from_step: int | None = None,
        state_token: str | None = None,
        followed: Schedule | None = None,
    ) -> None:
        """Get a first schedule and start the background threads. Call it once, before the loop.

        Args:
            timeout: seconds to wait for the service.
            from_step: step of the checkpoint that the job resumes from; opens a new attempt.
            state_token: the token that was stored with that checkpoint.
            followed: the `schedule` that was stored with that checkpoint: steps before `from_step` are drawn
                with it again, and the job goes on with it if the service is away and nothing newer is stored.

        Raises:
            ScheduleError: what was followed is of another job.
            ScheduleUnavailableError: no schedule from the service, none stored, and no fallback given.
        """
        if followed is not None and followed.job != self.job:
            self._disconnect()
            raise ScheduleError(
                f"the schedule that was followed is of job {followed.job!r}, not {self.job!r}"
            )
        self._followed = followed
        try:
            self._first_schedule(time.monotonic() + timeout, from_step, state_token)
        except BaseException:
            self._disconnect()
            raise
        self._poller.start()
        self._reporter.start()

    @property
    def schedule(self) -> Schedule:
        """The schedule that is followed now."""
        return self._following().schedule

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
        """
        step = int(step)  # a NumPy integer is no JSON
        with self._lock:
            self._drawn_to = max(self._drawn_to, step)
            sampler = self._following()
            stage = sampler.schedule.stage_at(step)
        if stage.version not in self._acknowledged:
            self._acknowledged.add(stage.version)
            self._acknowledge(stage, step, "applied")
        return sampler.step(step)

    def stage_ends(self, step: int) -> bool:
        """Whether other weights hold after this step, so that a policy with probes wants an evaluation now.

        From now on the stage of the next step is fixed too: what arrives later cannot make this untrue.
        Ranks without a client ask `Schedule.stage_ends` of what rank 0 broadcasts after this call.
        """
        with self._lock:
            self._drawn_to = max(self._drawn_to, int(step) + 1)
            return self._following().schedule.stage_ends(int(step))

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
            schedule, step, d = self.schedule, int(step), len(self.schedule.domains)
            measured = read_losses(loss_sums, token_counts, domains=d)
            for kind, value in (signals or {}).items():
                try:
                    read_signal(kind, value, measured, domains=d, step=step)
                except Exception:  # noqa: BLE001 - one signal must not cost the losses
                    self._unusable(kind, step)
            version = schedule.stage_at(step).version
            self._recorder.add(step, version, measured, last=schedule.stage_ends(step))
        except Exception:  # noqa: BLE001 - the training loop must go on, whatever it measured
            self._unusable("losses", step)

    def counters(self) -> dict[str, int]:
        """What happened so far: schedules taken and refused, reports sent, dropped, refused."""
        # Copies: the threads add names while this adds up.
        counted = Counter(dict(self._poller.counters)) + Counter(dict(self._reporter.counters))
        return dict(counted + Counter(dropped_from_spool=self._spool.dropped))

    def close(self, *, timeout: float = 10.0) -> bool:
        """Send what waits, for at most `timeout` seconds; the rest is sent by the next client of this job."""
        self._recorder.flush()
        self._poller.close()
        done = self._reporter.close(timeout)
        self._services[0].close()  # ends a poll in flight; the reporter closes its own
        return done

    def _first_schedule(self, deadline: float, from_step: int | None, state_token: str | None) -> None:
        if from_step is not None:
            self._drawn_to = from_step - 1
        while True:
            try:
                if from_step is not None:
                    opened = self._services[0].open_attempt(self.job, from_step, state_token=state_token)
                    self._opened, from_step = int(opened["number"]), None
                return self._poller.poll()
            except MixclientError as error:
                if time.monotonic() >= deadline or not _may_pass(error):
                    return self._start_without(error)
                time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))

    def _disconnect(self) -> None:
        for service in self._services:
            service.close()

    def _unusable(self, what: str, step: int) -> None:
        """Count a measurement that cannot be used; told once of each kind, as it may be so in every step."""
        self._reporter.counters["unusable_measurements"] += 1
        if what not in self._told:
            self._told.add(what)
            _log.exception("the %s of step %s cannot be used, and will not be if they go on so", what, step)

    def _report(self, step_from: int, step_to: int, version: int, measured: Measured) -> None:
        schedule = self.schedule
        body = {
            "attempt": schedule.attempt,
            "source": self.source,
            "step_from": step_from,
            "step_to": step_to,
            "schedule_version": version,
            **measured.fields(schedule.domains),
        }
        self._reporter.put({"kind": "reports", "body": body})

    def _following(self) -> Sampler:
        if self._sampler is None:
            raise ScheduleUnavailableError(
                f"job {self.job!r} has no schedule yet: call start() before the loop"
            )
        return self._sampler

    def _take(self, newer: Schedule) -> None:
        """Follow a newer schedule from its steps on; refuse what comes too late."""
        if newer.job != self.job:
            raise ScheduleError(f"a schedule of job {newer.job!r}: this is {self.job!r}")
        if newer.attempt < self._opened:
            # A service that answers from memory may not know yet of what another part of it has stored.
            raise ScheduleError(f"a schedule of attempt {newer.attempt}: this client opened {self._opened}")
        late: tuple[Stage, ...] = ()
        with self._lock:
            if self._sampler is None:
                # The past of a checkpoint stays, whatever a restart took back.
                past = self._followed
                merged = newer if past is None else newer.after(past, step=self._drawn_to + 1)
            else:
                merged, late = self._sampler.schedule.merged(newer, drawn_to=self._drawn_to)
                late = tuple(stage for stage in late if stage.version not in self._acknowledged)
                self._acknowledged |= {stage.version for stage in late}
            self._sampler = Sampler(merged, seed=self.seed)
            drawn_to = self._drawn_to
        for stage in late:
            self._acknowledge(stage, drawn_to, "too_late")
        self._store(merged)

    def _acknowledge(self, stage: Stage, step: int, outcome: str) -> None:
        attempt = self.schedule.attempt
        body = {"attempt": attempt, "version": stage.version, "step": step, "outcome": outcome}
        self._reporter.put({"kind": "acks", "body": body})

    def _heard(self, answer: dict[str, Any]) -> None:
        token = answer.get("state_token")
        if isinstance(token, str):
            self._state_token = token

    def _start_without(self, error: MixclientError) -> None:
        """Start from the newest schedule at hand: stored here, or with a checkpoint; or from the fallback."""
        known = [schedule for schedule in (self._load(), self._followed) if schedule is not None]
        stored = max(known, key=lambda schedule: (schedule.attempt, schedule.version), default=None)
        if stored is not None:
            _log.warning("starting from the stored schedule %d: %s", stored.version, error)
            self._take(stored)
        elif self._fallback is not None and self._samples_per_step is not None:
            _log.warning("starting from the fallback weights: %s", error)
            self._take(
                Schedule.static(
                    self._fallback, samples_per_step=self._samples_per_step, job=self.job, reason="fallback"
                )
            )
        else:
            raise ScheduleUnavailableError(
                f"job {self.job!r} cannot start: {error}. Start the service, or give fallback weights"
            ) from error

    def _store(self, schedule: Schedule) -> None:
        try:
            self._stored.parent.mkdir(parents=True, exist_ok=True)
            beside = self._stored.with_suffix(".new")
            beside.write_text(schedule.dump(), encoding="utf-8")
            beside.replace(self._stored)
        except OSError as error:
            _log.info("the schedule could not be stored at %s: %s", self._stored, error)

    def _load(self) -> Schedule | None:
        try:
            schedule = Schedule.parse(json.loads(self._stored.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None
        return schedule if schedule.job == self.job else None


def _may_pass(error: MixclientError) -> bool:
    """Whether waiting can help: a wrong key or an unknown job stays wrong."""
    return getattr(error, "status", 503) >= 500


def _cache_folder(url: str, job: str, source: str) -> Path:
    # A job name may hold any character; its digest is a safe file name.
    name = hashlib.sha256(f"{url}\n{job}\n{source}".encode()).hexdigest()[:16]
    return Path.home() / ".cache" / "mixclient" / name
