"""Documents about jobs: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from mixclient.documents.shared import DomainBody, DomainSetRef


class AckIn(TypedDict):
    """What a trainer did with a version."""

    attempt: int
    version: int
    step: int
    outcome: Literal["applied", "too_late"]


class AcksIn(TypedDict):
    """A batch of acknowledgements."""

    acks: Sequence[AckIn]


class AcksOut(TypedDict):
    """Answer to acknowledgements."""

    attempt: int
    version: int


class _AttemptInNeeds(TypedDict):
    """What every `AttemptIn` holds."""

    from_step: int


class AttemptIn(_AttemptInNeeds, total=False):
    """A restart from a checkpoint."""

    state_token: str | None


class AttemptOut(TypedDict):
    """An open attempt; all older ones are fenced."""

    number: int
    from_step: int
    restored_seq: int


class AuditOut(TypedDict):
    """One entry of the audit trail: who or what changed the schedule, or ordered something, and why."""

    seq: int
    at: str
    kind: str
    actor: str
    reason: str
    attempt: int
    step: int
    version: int | None
    weights: dict[str, float] | None
    taken_back: bool


class _DomainOrderNeeds(TypedDict):
    """What every `DomainOrder` holds."""

    reason: str
    domain: str


class DomainOrder(_DomainOrderNeeds, total=False):
    """A domain that goes out or comes back."""

    dry_run: bool


class DomainStatusOut(TypedDict):
    """A domain of a live job: what was read of it, and how long it lasts."""

    name: str
    weight: float
    tokens_read: int
    realised_share: float | None
    intended_share: float | None
    tokens_left: int | None
    dry_step: int | None
    zero_step: int | None
    retired: bool


class EndOut(TypedDict):
    """The end of a job."""

    at: str
    by: str
    reason: str


class GuardsBody(TypedDict, total=False):
    """Limits that hold whatever the policy says."""

    floor: float | Mapping[str, float]
    ceiling: float | Mapping[str, float]
    loss_ceiling: float
    tempering: float
    trust_kl: float | None
    trust_ratio: float | None
    warmup_steps: int
    cooldown_step: int | None
    spread: Literal["proportional", "prior", "equal"]
    freeze_after_non_finite: int | None
    loss_spike: float | None


class HoldOut(TypedDict):
    """Weights that stay as they are until somebody releases them."""

    by: Literal["operator", "guard", "policy"]
    reason: str


class _JobInNeeds(TypedDict):
    """What every `JobIn` holds."""

    name: str
    policy: str
    samples_per_step: int


class JobIn(_JobInNeeds, total=False):
    """A live training job to steer."""

    domains: Sequence[DomainBody]
    domain_set: DomainSetRef | None
    params: Mapping[str, Any]
    prior: Mapping[str, float] | None
    guards: GuardsBody
    shadow: bool
    signals: Sequence[Signal]
    sources: Sequence[str]
    wait_steps: int
    lead_steps: int
    ttl_steps: int
    study: str | None


class JobOut(TypedDict):
    """A live job."""

    id: str
    name: str
    definition: JobIn
    attempt: int
    version: int
    versions_published: int
    versions_applied: int
    versions_too_late: int
    reports_accepted: int
    reports_late: int
    reports_forgotten: int
    reports_duplicate: int
    refusals: dict[str, int]
    reported_step: int
    created_at: str
    last_report_at: str | None
    hold: HoldOut | None
    shadow: bool
    ended: EndOut | None


class LogEntry(TypedDict):
    """One place in the log."""

    seq: int
    reports: Sequence[LogReport]
    event: LogEvent | None
    published_from: int | None
    versions: Sequence[LogVersion]


class LogEvent(TypedDict):
    """What happened beside reports."""

    kind: str
    payload: Mapping[str, Any]
    actor: str


class _LogOutNeeds(TypedDict):
    """What every `LogOut` holds."""

    job: str
    definitions: dict[str, JobIn]
    entries: list[LogEntry]


class LogOut(_LogOutNeeds, total=False):
    """A stretch of a job's log: with all of it every version can be computed again."""

    next: str | None


class LogReport(TypedDict):
    """A report as it was folded."""

    source: str
    step_from: int
    step_to: int
    schedule_version: int
    loss_sums: Sequence[float | None]
    token_counts: Sequence[int]
    non_finite: Sequence[str]
    signals: Mapping[str, Any]


class LogVersion(TypedDict):
    """A version as it was published."""

    version: int
    effective_step: int
    weights: Sequence[float]
    reason: str
    build: str


class _NewDomainInNeeds(TypedDict):
    """What every `NewDomainIn` holds."""

    name: str
    tokens: int
    reason: str


class NewDomainIn(_NewDomainInNeeds, total=False):
    """A domain that is added with the next attempt."""

    max_epochs: float | None
    prior_weight: float | None
    dry_run: bool


class OrderOut(TypedDict):
    """What an order led to."""

    seq: int
    version: int
    stored: bool
    schedule: ScheduleOut


class _PinInNeeds(TypedDict):
    """What every `PinIn` holds."""

    reason: str
    weights: Mapping[str, float]


class PinIn(_PinInNeeds, total=False):
    """Weights to hold until they are released."""

    dry_run: bool


class _ReasonInNeeds(TypedDict):
    """What every `ReasonIn` holds."""

    reason: str


class ReasonIn(_ReasonInNeeds, total=False):
    """An order that needs no more than a reason."""

    dry_run: bool


class _RollbackInNeeds(TypedDict):
    """What every `RollbackIn` holds."""

    reason: str
    version: int


class RollbackIn(_RollbackInNeeds, total=False):
    """A version to go back to."""

    dry_run: bool


class ScheduleDomainOut(TypedDict):
    """A domain of a schedule."""

    name: str
    tokens: int
    max_epochs: float | None


class ScheduleOut(TypedDict):
    """What a trainer follows: never a bare vector."""

    schema: Literal["mixture-schedule/v1"]
    job: str
    attempt: int
    version: int
    samples_per_step: int
    lead_steps: int
    ttl_steps: int
    frozen: bool
    domains: list[ScheduleDomainOut]
    stages: list[StageOut]


class _ShadowInNeeds(TypedDict):
    """What every `ShadowIn` holds."""

    reason: str
    on: bool


class ShadowIn(_ShadowInNeeds, total=False):
    """Whether the policy watches or steers."""

    dry_run: bool


Signal = Literal[
    "losses",
    "loss_squares",
    "sequence_counts",
    "excess_clipped",
    "excess",
    "eval_losses",
    "gram",
    "grad_products",
    "grad_norms",
    "expert_counts",
    "advantages",
    "bench_scores",
    "influence",
]


class StageOut(TypedDict):
    """Weights with the step from which they hold."""

    effective_step: int
    weights: dict[str, float]
    version: int
    reason: str


class VersionOut(TypedDict):
    """One version of a job's schedule, with what became of it."""

    version: int
    attempt: int
    effective_step: int
    applied_at_step: int | None
    weights: dict[str, float]
    reason: str
    too_late: bool
    superseded: bool
    taken_back: bool
    build: str
    created_at: str
