"""Documents about proposals: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from mixclient.documents.shared import ScaleOut


class _GroupInNeeds(TypedDict):
    """What every `GroupIn` holds."""

    name: str
    domains: Sequence[str]


class GroupIn(_GroupInNeeds, total=False):
    """Domains whose weights are bounded together. Any two groups are apart."""

    lower: float
    upper: float
    keep_proportions: bool


Intent = Literal["explore", "exploit"]


class MaxDistanceIn(TypedDict):
    """A hard bound on how far a mixture may be from the prior."""

    measure: Literal["kl", "l1"]
    most: float


class _ProposalInNeeds(TypedDict):
    """What every `ProposalIn` holds."""

    fit_id: str


class ProposalIn(_ProposalInNeeds, total=False):
    """A request for mixtures."""

    intent: Intent | None
    proposer: str | None
    params: Mapping[str, Any]
    count: int
    seed: int
    within_sampled: bool
    rivals: Mapping[str, Any]
    statistics: Mapping[str, Any] | None
    objective: Mapping[str, float] | None
    frozen: Mapping[str, float | None]
    groups: Sequence[GroupIn]
    max_distance: MaxDistanceIn | None
    repetition: Literal["cap", "smooth"]
    per_efold: float | None
    second_stage: SecondStageIn | None


class ProposalOut(TypedDict):
    """A request for mixtures with its answer."""

    state: str
    stage: str
    progress: float
    tries: int
    error: str | None
    error_code: str | None
    id: str
    study: str
    fit_id: str
    configuration: ProposalIn
    stale_inputs: bool
    proposals: list[ProposedOut]
    references: dict[str, ReferenceOut]
    rivals: list[RivalOut]
    rivals_left_out: dict[str, str]
    scale: ScaleOut | None
    noise: float | None
    created_at: str
    finished_at: str | None


class _ProposedOutNeeds(TypedDict):
    """What every `ProposedOut` holds."""

    weights: dict[str, float]
    predicted: dict[str, float]
    objective: float
    deviation: dict[str, float] | None
    gain_over_prior: float
    gain_by_other_fits: dict[str, float]
    disagreeing: list[str]
    details: dict[str, float]


class ProposedOut(_ProposedOutNeeds, total=False):
    """A proposed mixture."""

    half_width_95: dict[str, float] | None
    gain_by_member: dict[str, float]
    stages: list[ProposedStageOut] | None
    schedule: dict[str, Any] | None


class ProposedStageOut(TypedDict):
    """One stage of a proposal."""

    share: float
    weights: dict[str, float]


class _ReferenceOutNeeds(TypedDict):
    """What every `ReferenceOut` holds."""

    weights: dict[str, float]
    predicted: dict[str, float]
    objective: float


class ReferenceOut(_ReferenceOutNeeds, total=False):
    """What the predictor says of a mixture to compare with."""

    half_width_95: dict[str, float] | None


class _RivalOutNeeds(TypedDict):
    """What every `RivalOut` holds."""

    weights: dict[str, float]
    predicted: dict[str, float]
    objective: float
    name: str
    hull_distance: float
    admissible: bool


class RivalOut(_RivalOutNeeds, total=False):
    """A mixture that another way of choosing gives, and what the fit predicts of it."""

    half_width_95: dict[str, float] | None


class _SecondStageInNeeds(TypedDict):
    """What every `SecondStageIn` holds."""

    share: float


class SecondStageIn(_SecondStageInNeeds, total=False):
    """A second stage of the run: its mixture is stated, or is the optimum of another objective."""

    weights: Mapping[str, float] | None
    objective: Mapping[str, float] | None
    steps: int | None
    samples_per_step: int | None
