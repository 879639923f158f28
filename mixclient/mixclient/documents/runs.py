"""Documents about runs: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class _ClaimInNeeds(TypedDict):
    """What every `ClaimIn` holds."""

    worker: str


class ClaimIn(_ClaimInNeeds, total=False):
    """A worker that is ready to train."""

    study: str | None
    corpora: Sequence[str] | None


class _ClaimsInNeeds(TypedDict):
    """What every `ClaimsIn` holds."""

    worker: str


class ClaimsIn(_ClaimsInNeeds, total=False):
    """A worker that is ready to train several runs."""

    study: str | None
    corpora: Sequence[str] | None
    count: int


class _FailureInNeeds(TypedDict):
    """What every `FailureIn` holds."""

    reason: str


class FailureIn(_FailureInNeeds, total=False):
    """Why a run cannot be finished."""

    lease: str | None


class _HeartbeatInNeeds(TypedDict):
    """What every `HeartbeatIn` holds."""

    progress: float


class HeartbeatIn(_HeartbeatInNeeds, total=False):
    """A sign of life."""

    lease: str | None


class HeartbeatOut(TypedDict):
    """Answer to a sign of life."""

    lease_seconds: int


class _ImportInNeeds(TypedDict):
    """What every `ImportIn` holds."""

    runs: Sequence[ImportedRunBody]


class ImportIn(_ImportInNeeds, total=False):
    """Runs to import."""

    source: str


class ImportOut(TypedDict):
    """What became of an import."""

    sweep_id: str | None
    created: int
    duplicates: int


class _ImportedRunBodyNeeds(TypedDict):
    """What every `ImportedRunBody` holds."""

    name: str
    weights: Mapping[str, float]
    losses: Mapping[str, float]


class ImportedRunBody(_ImportedRunBodyNeeds, total=False):
    """A finished run."""

    seed: int
    step: int
    tokens: int | None
    model_parameters: int | None


class LeaseOut(TypedDict):
    """A claimed run."""

    run: RunOut
    domains: list[str]
    targets: list[str]
    lease: str
    lease_seconds: int


class LeasesOut(TypedDict):
    """Claimed runs."""

    leases: list[LeaseOut]


class NotesBody(TypedDict, total=False):
    """What people wrote about a run."""

    notes: str
    tags: Sequence[str]


class ObservationBody(TypedDict):
    """The value of a target at a step."""

    step: int
    target: str
    value: float


class ObservationOut(TypedDict):
    """The value of a target at a step."""

    step: int
    target: str
    value: float


class ObservationPage(TypedDict):
    """Observations of a run: one page of all, or a few of each target."""

    items: Sequence[ObservationOut]
    next: str | None
    stored: int | None


class _ObservationsInNeeds(TypedDict):
    """What every `ObservationsIn` holds."""

    observations: Sequence[ObservationBody]


class ObservationsIn(_ObservationsInNeeds, total=False):
    """A batch of observations: all are stored, or none."""

    lease: str | None


class ObservationsOut(TypedDict):
    """What became of observations."""

    accepted: int
    duplicates: int


class _ResultInNeeds(TypedDict):
    """What every `ResultIn` holds."""

    losses: Mapping[str, float]
    step: int
    tokens: int
    model_parameters: int
    seconds: float


class ResultIn(_ResultInNeeds, total=False):
    """What a finished run measured."""

    lease: str | None
    bits_per_byte: Mapping[str, float]
    drawn: Mapping[str, int]
    live: Mapping[str, int]


class _RunInNeeds(TypedDict):
    """What every `RunIn` holds."""

    weights: Mapping[str, float]


class RunIn(_RunInNeeds, total=False):
    """A run that its client trains."""

    seed: int
    label: str
    train: Mapping[str, Any]


class RunOut(TypedDict):
    """A proxy run."""

    id: str
    client_id: str | None
    study: str
    sweep_id: str
    purpose: str
    label: str
    weights: dict[str, float]
    seed: int
    train: dict[str, Any]
    job: str | None
    state: str
    stale: bool
    worker: str | None
    claims: int
    progress: float
    result: dict[str, Any] | None
    error: str | None
    notes: str
    tags: list[str]
    created_at: str
    started_at: str | None
    finished_at: str | None


RunState = Literal["pending", "running", "completed", "failed", "cancelled", "invalid"]


class _TakeInNeeds(TypedDict):
    """What every `TakeIn` holds."""

    worker: str


class TakeIn(_TakeInNeeds, total=False):
    """A claim of one run."""

    force: bool
