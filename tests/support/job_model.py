"""The job protocol in memory: what the service must answer, from its rules alone and without any policy.

What a policy makes of losses is not modelled, so that of versions only this is known: they never fall, and
stay where nothing was folded or people hold the weights.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SOURCES = ("a", "b")
DOMAINS = ("web", "code")
WAIT_STEPS = 30
GO_BACK_STEPS = 1000  # less than this a source may be out of order
Report = Mapping[str, Any]


class Refusal(Exception):  # noqa: N818 - no error of ours: an answer
    """What the service must say no with."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


@dataclass
class JobModel:
    """A job of two sources.

    Args:
        attempt: the open one.
        version: published last, as far as was heard.
        seq: last place in the log.
        applied_step: last step that was folded.
        reported_step: last step that any source has told.
        stored: reports by attempt, source and step.
        waiting: sources that told a step which waits for others, by step.
        places: steps by the places at which they were folded, but for what restarts took back.
        published: places of versions, but for what restarts took back.
        restarts: places of restarts, each with the place that it went back to.
        held: whether people hold the weights.
        ended: whether the job is over.
        applied: versions that the trainer has applied.
        too_late: places at which versions came too late, but for what restarts took back.
        lateness: how often a version came too late.
        counted: reports accepted, late and duplicate.
        refusals: refused requests with reports, by code.
    """

    attempt: int = 1
    version: int = 1
    seq: int = 0
    applied_step: int = -1
    reported_step: int = -1
    stored: dict[tuple[int, str, int], Report] = field(default_factory=dict)
    waiting: dict[int, set[str]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    published: dict[int, int] = field(default_factory=lambda: {1: 0})
    restarts: list[tuple[int, int]] = field(default_factory=list)
    held: bool = False
    ended: bool = False
    applied: set[int] = field(default_factory=set)
    too_late: dict[int, int] = field(default_factory=dict)
    lateness: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def token(self) -> str:
        """The state token of now."""
        return f"a{self.attempt}.s{self.seq}"

    @property
    def etag(self) -> str:
        """Of the schedule: a restart may take versions back and need no new one."""
        return f'"{self.attempt}-{max(self.published.keys() - self.too_late.keys())}"'

    def report(self, reports: Sequence[Report]) -> Counter[str]:
        """What becomes of a batch: accepted, duplicates, late.

        Raises:
            Refusal: of the whole batch.
        """
        try:
            new, duplicates = self._new(reports)
        except Refusal as refusal:
            self.refusals[refusal.code] += 1
            raise
        late = [report for report in new if report["step_to"] <= self.applied_step]
        for report in new:
            self.stored[self.attempt, report["source"], report["step_to"]] = report
            if report not in late:
                self.waiting.setdefault(report["step_to"], set()).add(report["source"])
        self.reported_step = max([self.reported_step, *self.waiting])
        self._fold()
        told = Counter(accepted=len(new), duplicates=duplicates, late=len(late))
        self.counted += told
        return told

    def _new(self, reports: Sequence[Report]) -> tuple[list[Report], int]:
        new: dict[tuple[int, str, int], Report] = {}
        duplicates = 0
        for report in reports:
            if report["attempt"] != self.attempt:
                raise Refusal(409, "stale_attempt" if report["attempt"] < self.attempt else "unknown_attempt")
            if report["source"] not in SOURCES:
                raise Refusal(409, "undeclared_source")
            if not 1 <= report["schedule_version"] <= self.version:
                raise Refusal(422, "unknown_version")
            if not set(report["loss_sums"]) <= set(DOMAINS):
                raise Refusal(422, "unknown_domain")
            key = self.attempt, report["source"], report["step_to"]
            known = new.get(key) or self.stored.get(key)
            if known == report:
                duplicates += 1
                continue
            if report["step_to"] + GO_BACK_STEPS < self._last_of(report["source"]):
                raise Refusal(409, "attempt_required")
            if known is not None:
                raise Refusal(409, "other_report")
            new[key] = report
        if new and self.ended:
            raise Refusal(409, "terminal")
        return list(new.values()), duplicates

    def _last_of(self, source: str) -> int:
        told = [step for attempt, by, step in self.stored if (attempt, by) == (self.attempt, source)]
        return max(told, default=-1)

    def _fold(self) -> None:
        """A step is folded once all have told it or somebody is far beyond it, and no earlier one waits."""
        while self.waiting:
            step = min(self.waiting)
            overdue = self.reported_step - step > WAIT_STEPS
            if len(self.waiting[step]) < len(SOURCES) and not overdue:
                return
            del self.waiting[step]
            self.seq += 1
            self.places[self.seq] = self.applied_step = step

    def heard(self, version: int) -> None:
        """A version that an answer names; what is new was published at the place of now."""
        self.published.update(dict.fromkeys(range(self.version + 1, version + 1), self.seq))
        self.version = version

    def restart(self, from_step: int, token: str | None) -> int:
        """The place that a restart goes back to.

        Raises:
            Refusal: the job is over, or the token names no state before that step which still counts.
        """
        self._going()
        back = max((seq for seq, step in self.places.items() if step < from_step), default=0)
        if token is not None:
            back = int(token.partition(".s")[2])
            gone = back > self.seq or any(to < back < start for start, to in self.restarts)
            if (
                gone
                or max((step for seq, step in self.places.items() if seq <= back), default=-1) >= from_step
            ):
                raise Refusal(422, "invalid_request")
        self.places = {seq: step for seq, step in self.places.items() if seq <= back}
        self.published = {version: seq for version, seq in self.published.items() if seq <= back}
        self.too_late = {version: seq for version, seq in self.too_late.items() if seq <= back}
        self.waiting = {}
        self.attempt += 1
        self.seq += 1
        self.restarts.append((self.seq, back))
        self.applied_step = self.reported_step = from_step - 1
        return back

    def acknowledge(self, attempt: int, version: int, outcome: str) -> None:
        """Take an acknowledgement.

        Raises:
            Refusal: the job is over, the version unknown, the attempt not the open one.
        """
        self._going()
        if version > self.version:
            raise Refusal(422, "unknown_version")
        if attempt != self.attempt:
            raise Refusal(409, "stale_attempt")
        if outcome == "applied":
            self.applied.add(version)
        elif version != 1 and version in self.published and version not in {*self.applied, *self.too_late}:
            self.seq += 1
            self.too_late[version] = self.seq
            self.lateness += 1

    def order(self, order: str, version: int | None = None) -> None:
        """Take an order.

        Raises:
            Refusal: the job is over, nothing is held, or the version is none to go back to.
        """
        self._going()
        if order == "release" and not self.held:
            raise Refusal(409, "not_held")
        if order == "rollback" and version not in self.published:
            raise Refusal(422, "unknown_version")
        self.seq += 1
        self.held = order != "release"

    def told(self) -> dict[str, Any]:
        """What the service must tell of the job."""
        return {
            "attempt": self.attempt,
            "version": self.version,
            "versions_published": self.version - 1,
            "versions_applied": len(self.applied - {1}),
            "versions_too_late": self.lateness,
            "reports_accepted": self.counted["accepted"],
            "reports_late": self.counted["late"],
            "reports_duplicate": self.counted["duplicates"],
            "refusals": dict(self.refusals),
            "reported_step": self.reported_step,
        }

    def _going(self) -> None:
        if self.ended:
            raise Refusal(409, "terminal")
