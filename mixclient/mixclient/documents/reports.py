"""Documents about reports: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict


class AdvantagesBody(TypedDict):
    """How much the rollouts of each domain have to teach."""

    absolute_sums: Mapping[str, float | None]
    rollouts: Mapping[str, int]


class BenchmarkScoresBody(TypedDict):
    """What a checkpoint scores."""

    scores: Mapping[str, float | None]
    checkpoint: str


class ClippedExcessBody(TypedDict):
    """Token losses minus those of a reference model, each held at 0 from below before they are added."""

    sums: Mapping[str, float | None]
    counts: Mapping[str, int]
    reference: str


class EvaluationBody(TypedDict):
    """Losses on a fixed evaluation set."""

    sums: Mapping[str, float | None]
    counts: Mapping[str, int]
    set: str
    step: int


class ExcessBody(TypedDict):
    """Token losses minus those of a reference model."""

    sums: Mapping[str, float | None]
    counts: Mapping[str, int]
    reference: str


class ExpertCountsBody(TypedDict):
    """Where a layer of experts sent the tokens of every domain."""

    counts: Mapping[str, Sequence[float]]
    layer: int
    gate: Literal["hard", "soft"]


class GradientNormsBody(TypedDict):
    """How long the gradients of domains are, and how noisy."""

    square_norms: Mapping[str, float | None]
    variances: Mapping[str, float | None]
    batch: int


class _GradientProductsBodyNeeds(TypedDict):
    """What every `GradientProductsBody` holds."""

    products: Mapping[str, Mapping[str, float | None]]
    learning_rate: float
    counts: Mapping[str, int]


class GradientProductsBody(_GradientProductsBodyNeeds, total=False):
    """Products of the gradients of domains with those of targets, all of mean losses."""

    norms: Mapping[str, float | None]


class GramBody(TypedDict):
    """Products between the gradients of domains, each added over the domain's samples."""

    upper: Mapping[str, Mapping[str, float | None]]
    counts: Mapping[str, int]
    layers: str


class InfluenceBody(TypedDict):
    """What training on a domain does to targets."""

    influence: Mapping[str, Mapping[str, float | None]]
    method: str
    tokens: int


class _ReportInNeeds(TypedDict):
    """What every `ReportIn` holds."""

    attempt: int
    source: str
    step_from: int
    step_to: int
    schedule_version: int
    loss_sums: Mapping[str, float | None]
    token_counts: Mapping[str, int]


class ReportIn(_ReportInNeeds, total=False):
    """What one source measured over some steps: sums and counts."""

    non_finite: Sequence[str]
    signals: SignalsBody


class ReportsIn(TypedDict):
    """A batch of reports: all are stored, or none."""

    reports: Sequence[ReportIn]


class ReportsOut(TypedDict):
    """What became of reports."""

    accepted: int
    duplicates: int
    late: int
    attempt: int
    version: int
    warnings: list[str]
    state_token: str


class SignalsBody(TypedDict, total=False):
    """Measurements beside the losses, by kind. A domain that is left out was not observed."""

    loss_squares: Mapping[str, float | None] | None
    sequence_counts: Mapping[str, int] | None
    excess_clipped: ClippedExcessBody | None
    excess: ExcessBody | None
    eval_losses: EvaluationBody | None
    gram: GramBody | None
    grad_products: GradientProductsBody | None
    grad_norms: GradientNormsBody | None
    expert_counts: ExpertCountsBody | None
    advantages: AdvantagesBody | None
    bench_scores: BenchmarkScoresBody | None
    influence: InfluenceBody | None
