"""What a client says of a job: bodies of its reports and acknowledgements, in the order of the log."""

import logging
from collections import Counter
from typing import Any

from mixclient.following import Following
from mixclient.measurements import Measured, Signals, read_signal
from mixclient.recorder import Step, add_up
from mixclient.schedule import Stage

_log = logging.getLogger("mixclient")
_KINDS_TOLD = 100  # kinds of measurement of which the log tells; names may be made up at every step


class Outgoing:
    """Makes what is sent, and counts what cannot be used.

    Args:
        source: who reports.
        following: the schedule that is followed.
    """

    def __init__(self, source: str, following: Following) -> None:
        self.counters: Counter[str] = Counter()
        self.resumes = False  # whether this run belongs to an attempt of its own
        self.opened = 0  # the attempt that this client opened last
        self._source, self._following = source, following
        self._told: set[str] = set()  # kinds of measurement that could not be used

    def read(self, signals: Signals, step: int, *, domains: int) -> Measured:
        """Further measurements of a step, without those that cannot be used."""
        measured = Measured()
        for kind, value in signals.items():
            try:
                read_signal(kind, value, measured, domains=domains, step=int(step))
            except Exception:  # noqa: BLE001 - one signal must not cost the losses, nor another signal
                self.unusable(kind, step)
        return measured

    def unusable(self, what: str, step: int) -> None:
        """Count a measurement that cannot be used; told once of each kind, as it may be so in every step."""
        self.counters["unusable_measurements"] += 1
        if what not in self._told and len(self._told) < _KINDS_TOLD:
            self._told.add(what)
            _log.exception("the %s of step %s cannot be used; of later ones this is only counted", what, step)

    def not_here(self) -> None:
        """Count what was recorded in a forked process, which reports nothing; told once."""
        self.counters["recorded_after_fork"] += 1
        if self.counters["recorded_after_fork"] == 1:
            _log.error("a forked process reports nothing: record in the process that called start()")

    def reports(self, steps: list[Step]) -> list[dict[str, Any]]:
        """Reports of noted steps, on the reporter's thread."""
        items = []
        for report in add_up(steps, unusable=self.unusable):
            if report.version == 0:
                # The service has no version with these weights, and would refuse the report.
                self.counters["measured_on_fallback"] += 1
                continue
            body = {
                "source": self._source,
                "step_from": report.step_from,
                "step_to": report.step_to,
                "schedule_version": report.version,
                **report.measured.fields(self._following.sampler.schedule.domains),
            }
            items.append(self._item("reports", body))
        self.counters["recorded_reports"] += len(items)
        return items

    def acknowledgement(self, stage: Stage, step: int, outcome: str) -> dict[str, Any] | None:
        """What became of a stage; None for weights of the trainer's own."""
        if stage.version <= 0:
            return None
        return self._item("acks", {"version": stage.version, "step": step, "outcome": outcome})

    def _item(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        # The number of an attempt that is still owed is filled in when it is opened.
        attempt = (self.opened or None) if self.resumes else self._following.sampler.schedule.attempt
        return {"kind": kind, "body": {"attempt": attempt, **body}}
