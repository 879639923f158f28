"""Bodies of the live contract: jobs, schedules, reports, acknowledgements, attempts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag

from mixlaws.policy import Signal
from service.errors import TooLargeError
from service.jobs.signals import SignalsJson
from service.schemas import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    Answer,
    Body,
    Count,
    DomainsBody,
    Parameters,
    Share,
    Slug,
    Text,
    Weights,
)

JobName = Annotated[str, Path(description="Name of a job.")]
Step = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
MOST_REPORTS = 1000


def few(items: object) -> object:
    """A batch that is no larger than it may be; checked before any of it is read.

    Raises:
        TooLargeError: it is larger.
    """
    if isinstance(items, list) and len(items) > MOST_REPORTS:
        raise TooLargeError(
            f"a batch of {len(items)}: send at most {MOST_REPORTS} at once", code="batch_too_large"
        )
    return items


Limit = Annotated[Share | dict[Text, Share], Field(union_mode="left_to_right")]


class GuardsBody(Body):
    """Limits that hold whatever the policy says."""

    floor: Limit = Field(
        default=0.0, description="Smallest weight: of any domain, or by domain (0 for those not named)."
    )
    ceiling: Limit = Field(
        default=1.0, description="Largest weight: of any domain, or by domain (1 for those not named)."
    )
    loss_ceiling: FiniteFloat = Field(
        default=20.0,
        gt=0,
        description="Mean losses beyond it, in either direction, are held at it, nats per token.",
    )
    tempering: Share = Field(default=0.0, description="Part of every mixture that is the prior.")
    trust_kl: FiniteFloat | None = Field(
        default=None, gt=0, description="Largest KL(new || old) of an update, nats."
    )
    trust_ratio: FiniteFloat | None = Field(
        default=None, gt=1, description="Largest factor by which a weight may change in an update."
    )
    warmup_steps: Step = Field(default=0, description="Steps at the prior before the policy is followed.")
    cooldown_step: Step | None = Field(
        default=None, description="From this step on the weights stay as they are."
    )
    spread: Literal["proportional", "prior", "equal"] = Field(
        default="proportional", description="Who gets the share of a domain that is out."
    )
    freeze_after_non_finite: Annotated[int, Field(ge=1, le=10**6)] | None = Field(
        default=3, description="Reports in a row with a non-finite loss that freeze the job; null for never."
    )
    loss_spike: FiniteFloat | None = Field(
        default=None, gt=0, description="Nats above a domain's running mean loss that freeze the job."
    )


class JobIn(DomainsBody):
    """A live training job to steer."""

    name: Slug = Field(description="Name of the job, unique in the project.")
    policy: str = Field(description="Name of a policy, such as static or odm.")
    params: Parameters
    prior: Weights | None = Field(
        default=None, description="Mixture to start with; by default by token counts."
    )
    guards: GuardsBody = Field(default=GuardsBody(), description="Limits around the policy.")
    shadow: bool = Field(
        default=False, description="Whether the policy only watches at first, while the prior holds."
    )
    signals: list[Signal] = Field(
        default=[Signal.LOSSES], description="What the trainer will report; the policy must need no more."
    )
    sources: list[Slug] = Field(
        default=["rank0"],
        min_length=1,
        max_length=1024,
        description="Who reports. Reports of a step are added over all sources before the policy sees them.",
    )
    wait_steps: Step = Field(
        default=1000, description="Steps after which a missing source is no longer waited for."
    )
    samples_per_step: Annotated[int, Field(ge=1, le=10**7)] = Field(
        description="Samples of one optimiser step, over all ranks."
    )
    lead_steps: Step = Field(
        default=50,
        description="Least distance between the last reported step and new weights: more than the trainer "
        "makes between hearing of a version and being able to use it.",
    )
    ttl_steps: Step = Field(
        default=5000, description="How long a trainer may follow a schedule without hearing of the service."
    )
    study: Slug | None = Field(default=None, description="Study that the job belongs to, for people.")


class HoldOut(Answer):
    """Weights that stay as they are until somebody releases them."""

    by: Literal["operator", "guard", "policy"] = Field(
        description="Who holds them: people, an alarm, or a policy that failed."
    )
    reason: str = Field(description="Why.")


class EndOut(Answer):
    """The end of a job."""

    at: datetime = Field(description="When it was ended.")
    by: str = Field(description="Name of the key that ended it.")
    reason: str = Field(description="Why.")


class JobOut(Answer):
    """A live job."""

    id: UUID = Field(description="Identifier of the job.")
    name: str = Field(description="Name of the job.")
    definition: JobIn = Field(description="What it was created with, complete with defaults.")
    attempt: int = Field(description="The attempt that may report.")
    version: int = Field(description="Version that was published last.")
    versions_published: int = Field(description="Versions after the first one.")
    versions_applied: int = Field(description="Of those, how many the trainer acknowledged as applied.")
    versions_too_late: int = Field(description="Of those, how many came too late and were planned anew.")
    reports_accepted: int = Field(description="Reports that are stored, the late ones included.")
    reports_late: int = Field(description="Reports at or below the last applied step: stored, not applied.")
    reports_forgotten: int = Field(
        description="Of those accepted, how many were dropped after its end: that stretch cannot be replayed."
    )
    reports_duplicate: int = Field(description="Reports that came again and changed nothing.")
    refusals: dict[str, int] = Field(
        description="Requests with reports that were refused, by the code of the reason."
    )
    reported_step: int = Field(description="Last step that was reported; -1 before the first.")
    created_at: datetime = Field(description="When it was created.")
    last_report_at: datetime | None = Field(description="When a report came last.")
    hold: HoldOut | None = Field(description="What holds the weights as they are; null if the policy steers.")
    shadow: bool = Field(description="Whether the policy only watches, while the prior holds.")
    ended: EndOut | None = Field(description="Its end; null while it goes on.")


class StageOut(Answer):
    """Weights with the step from which they hold."""

    effective_step: int = Field(description="First optimiser step of the stage.")
    weights: dict[str, float] = Field(description="Share of samples of every domain.")
    version: int = Field(description="Version that brought the stage.")
    reason: str = Field(description="Who or what chose the weights.")


class VersionOut(Answer):
    """One version of a job's schedule, with what became of it."""

    version: int = Field(description="Number of the version.")
    attempt: int = Field(description="Attempt that it was made in.")
    effective_step: int = Field(description="First optimiser step that it holds for.")
    applied_at_step: int | None = Field(
        description="Step from which the trainer applied it, once it said so."
    )
    weights: dict[str, float] = Field(description="Share of samples of every domain.")
    reason: str = Field(description="Who or what chose the weights.")
    too_late: bool = Field(description="Whether it came too late and was planned anew.")
    superseded: bool = Field(description="Whether another version replaced it before it began.")
    taken_back: bool = Field(description="Whether a restart from a checkpoint took it back.")
    build: str = Field(description="The code that computed it.")
    created_at: datetime = Field(description="When it was published.")


class ScheduleDomainOut(Answer):
    """A domain of a schedule."""

    name: str = Field(description="Name of the domain.")
    tokens: int = Field(description="Training tokens that it holds.")
    max_epochs: float | None = Field(description="How often it may be read.")


class ScheduleOut(Answer):
    """What a trainer follows: never a bare vector."""

    schema_: Literal["mixture-schedule/v1"] = Field(alias="schema", description="Format of this document.")
    job: str = Field(description="Name of the job.")
    attempt: int = Field(description="Attempt that it belongs to.")
    version: int = Field(description="Version of the newest stage.")
    samples_per_step: int = Field(description="Samples of one optimiser step, over all ranks.")
    lead_steps: int = Field(description="Least distance between the last reported step and a new stage.")
    ttl_steps: int = Field(description="How long it may be followed without hearing of the service.")
    frozen: bool = Field(description="Whether people, an alarm or a failed policy hold the weights.")
    domains: list[ScheduleDomainOut] = Field(description="Domains, in their order.")
    stages: list[StageOut] = Field(description="The stage in force at the last reported step, and all later.")


class ReportIn(Body):
    """What one source measured over some steps: sums and counts, so that ranks and steps can be added.

    Numbers are taken as they are sent: text or a truth value is no number.
    """

    model_config = ConfigDict(strict=True)

    attempt: int = Field(ge=1, description="Attempt that the steps belong to.")
    source: Slug = Field(description="Who reports: one of the job's sources.")
    step_from: Step = Field(description="First step that is covered.")
    step_to: Step = Field(
        description="Last step that is covered; with job, attempt and source the natural key."
    )
    schedule_version: int = Field(ge=0, description="Version that was in force when the tokens were drawn.")
    loss_sums: dict[str, FiniteFloat | None] = Field(
        description="Summed token losses by domain, nats; null where the loss was not finite. A domain that "
        "is left out was not observed."
    )
    token_counts: dict[str, Count] = Field(description="Tokens behind those sums.")
    non_finite: list[str] = Field(default_factory=list, description="Domains whose loss was NaN or infinite.")
    signals: SignalsJson = Field(default_factory=dict, description="Further measurements, by kind.")


class ReportsIn(Body):
    """A batch of reports: all are stored, or none."""

    reports: Annotated[list[ReportIn], BeforeValidator(few)] = Field(
        min_length=1, json_schema_extra={"maxItems": MOST_REPORTS}, description="The reports."
    )


ReportsBody = Annotated[
    Annotated[ReportIn, Tag("one")] | Annotated[ReportsIn, Tag("batch")],
    Discriminator(lambda body: "batch" if isinstance(body, dict) and "reports" in body else "one"),
]


class ReportsOut(Answer):
    """What became of reports."""

    accepted: int = Field(description="Reports that are new.")
    duplicates: int = Field(description="Reports that were there before, with the same values.")
    late: int = Field(description="New reports at or below the last applied step: stored, not applied.")
    attempt: int = Field(description="The attempt that may report.")
    version: int = Field(description="Version that was published last.")
    warnings: list[str] = Field(description="What is odd about new reports; the first 20.")
    state_token: str = Field(description="Store it with a checkpoint: it brings this policy state back.")


class AckIn(Body):
    """What a trainer did with a version."""

    attempt: int = Field(ge=1, description="Attempt of the trainer.")
    version: int = Field(ge=1, le=LARGEST_NUMBER, description="Version of a stage.")
    step: Annotated[int, Field(ge=-1, le=LARGEST_INTEGER)] = Field(
        description="First step drawn with it, or the last drawn step if it came too late."
    )
    outcome: Literal["applied", "too_late"] = Field(description="What became of it.")


class AcksIn(Body):
    """A batch of acknowledgements."""

    acks: Annotated[list[AckIn], BeforeValidator(few)] = Field(
        min_length=1, json_schema_extra={"maxItems": MOST_REPORTS}, description="The acknowledgements."
    )


AcksBody = Annotated[
    Annotated[AckIn, Tag("one")] | Annotated[AcksIn, Tag("batch")],
    Discriminator(lambda body: "batch" if isinstance(body, dict) and "acks" in body else "one"),
]


class AcksOut(Answer):
    """Answer to acknowledgements."""

    attempt: int = Field(description="The attempt that may report.")
    version: int = Field(description="Version that was published last.")


class AttemptIn(Body):
    """A restart from a checkpoint."""

    from_step: Step = Field(description="First step that will be trained again, or anew.")
    state_token: str | None = Field(
        default=None,
        max_length=100,
        description="Token stored with the checkpoint; without it the state of that step comes back.",
    )


class AttemptOut(Answer):
    """An open attempt; all older ones are fenced."""

    number: int = Field(description="Number of the attempt.")
    from_step: int = Field(description="Its first step.")
    restored_seq: int = Field(description="Place in the job's history whose policy state came back.")
