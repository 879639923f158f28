"""Bodies of orders to live jobs, of their audit trail and their log."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from service.jobs.schemas import JobIn, ScheduleOut, Step
from service.schemas import LARGEST_NUMBER, Answer, Body, DomainBody, Share, Text, Weights

Reason = Annotated[Text, Field(min_length=1, max_length=500, description="Why; it stays in the audit trail.")]


class ReasonIn(Body):
    """An order that needs no more than a reason."""

    reason: Reason
    dry_run: bool = Field(default=False, description="Whether only to show what would be: nothing is stored.")


class PinIn(ReasonIn):
    """Weights to hold until they are released."""

    weights: Weights = Field(description="Share of samples of every domain.")


class RollbackIn(ReasonIn):
    """A version to go back to."""

    version: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = Field(description="Number of the version.")


class DomainOrder(ReasonIn):
    """A domain that goes out or comes back."""

    domain: Text = Field(min_length=1, max_length=200, description="Name of the domain.")


class ShadowIn(ReasonIn):
    """Whether the policy watches or steers."""

    on: bool = Field(description="True: the prior holds and the policy only watches. False: it steers.")


class NewDomainIn(DomainBody):
    """A domain that is added with the next attempt."""

    prior_weight: Share | None = Field(
        default=None,
        description="Its weight in the prior, taken from all others alike; by default by tokens.",
    )
    reason: Reason
    dry_run: bool = Field(default=False, description="Whether only to show what would be: nothing is stored.")


class OrderOut(Answer):
    """What an order led to."""

    seq: int = Field(description="Place of the order in the job's log.")
    version: int = Field(description="Version that was published last.")
    stored: bool = Field(description="Whether it was carried out; false for a dry run.")
    schedule: ScheduleOut = Field(description="The schedule as it is then.")


class DomainStatusOut(Answer):
    """A domain of a live job: what was read of it, and how long it lasts."""

    name: str = Field(description="Name of the domain.")
    weight: float = Field(description="Its weight in the newest stage that has no end.")
    tokens_read: int = Field(description="Tokens that were reported of it.")
    realised_share: float | None = Field(
        description="Its share of all tokens reported; null before the first."
    )
    intended_share: float | None = Field(description="The share that the weights in force stood for.")
    tokens_left: int | None = Field(description="Tokens that may still be read; null if there is no limit.")
    dry_step: int | None = Field(
        description="Step at which it is used up with the weights in force, if ever."
    )
    zero_step: int | None = Field(
        description="Step from which the schedule leaves it out, for want of tokens."
    )
    retired: bool = Field(description="Whether people took it out.")


class AuditOut(Answer):
    """One entry of the audit trail: who or what changed the schedule, or ordered something, and why."""

    seq: int = Field(description="Place in the job's log.")
    at: datetime = Field(description="When.")
    kind: str = Field(
        description="`version` for a new version, `refused` for reports that were refused for one reason, at "
        "the last of them; otherwise the kind of the event."
    )
    actor: str = Field(description="Name of a key, `policy`, `trainer`, `task` or `guard`.")
    reason: str = Field(description="Why.")
    attempt: int = Field(description="Attempt that it belongs to.")
    step: int = Field(description="First step that a version holds for; for events the last reported step.")
    version: int | None = Field(description="Number of the version; null for events.")
    weights: dict[str, float] | None = Field(description="Its weights; null for events.")
    taken_back: bool = Field(description="Whether a restart took it back.")


class LogReport(Answer):
    """A report as it was folded."""

    source: str = Field(description="Who reported.")
    step_from: Step = Field(description="First step that is covered.")
    step_to: Step = Field(description="Last step that is covered.")
    schedule_version: int = Field(description="Version that was in force.")
    loss_sums: list[float | None] = Field(
        description="Summed token losses in the order of the domains, nats."
    )
    token_counts: list[int] = Field(description="Tokens behind those sums.")
    non_finite: list[str] = Field(description="Domains whose loss was not finite.")
    signals: dict[str, Any] = Field(description="Further measurements, by kind.")


class LogEvent(Answer):
    """What happened beside reports."""

    kind: str = Field(description="Kind of the event.")
    payload: dict[str, Any] = Field(description="What is to be known of it.")
    actor: str = Field(description="Who or what brought it about.")


class LogVersion(Answer):
    """A version as it was published."""

    version: int = Field(description="Number of the version.")
    effective_step: int = Field(description="First step that it holds for.")
    weights: list[float] = Field(description="Shares of samples in the order of the domains.")
    reason: str = Field(description="Who or what chose the weights.")
    build: str = Field(description="The code that computed it.")


class LogEntry(Answer):
    """One place in the log."""

    seq: int = Field(description="The place.")
    reports: list[LogReport] = Field(description="Reports of one step, by source; empty for an event.")
    event: LogEvent | None = Field(description="What happened otherwise.")
    published_from: int | None = Field(description="Step from which the state after it was published.")
    versions: list[LogVersion] = Field(description="What was published there.")


class LogOut(Answer):
    """A stretch of a job's log: with all of it every version can be computed again."""

    job: str = Field(description="Name of the job.")
    definitions: dict[int, JobIn] = Field(description="The job in each of its attempts.")
    entries: list[LogEntry] = Field(description="Entries by place.")
    next: str | None = Field(default=None, description="Cursor of the next page; null at the end.")
