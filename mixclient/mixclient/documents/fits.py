"""Documents about fits: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from mixclient.documents.shared import ScaleOut


class FitIn(TypedDict, total=False):
    """A fit to make."""

    method: str
    params: Mapping[str, Any]
    folds: int | None
    seed: int
    sweep_ids: Sequence[str] | None


class FitOut(TypedDict):
    """A fit."""

    state: str
    stage: str
    progress: float
    tries: int
    error: str | None
    error_code: str | None
    id: str
    study: str
    method: str
    configuration: FitIn
    runs: int
    stale_inputs: bool
    scores: dict[str, ScoresOut] | None
    objective_scores: ScoresOut | None
    table: list[MemberOut] | None
    verdict: str | None
    noise: dict[str, Any] | None
    scale: ScaleOut | None
    seconds: float | None
    created_at: str
    finished_at: str | None


class _MemberOutNeeds(TypedDict):
    """What every `MemberOut` holds."""

    member: str
    weight: float
    mae: float | None
    r2: float | None
    spearman: float | None
    target_spearman: float | None
    seconds: float
    note: str


class MemberOut(_MemberOutNeeds, total=False):
    """A method that auto tried, scored on runs that its fits did not see."""

    fidelity_in_sample: float | None
    transfer_spearman: float | None
    transfer_r2: float | None


class _PredictInNeeds(TypedDict):
    """What every `PredictIn` holds."""

    mixtures: Sequence[Mapping[str, float]]


class PredictIn(_PredictInNeeds, total=False):
    """Mixtures to ask a fit about."""

    at: ScaleIn | None


class _PredictedOutNeeds(TypedDict):
    """What every `PredictedOut` holds."""

    predicted: dict[str, float]
    deviation: dict[str, float] | None
    objective: float
    gain_over_prior: float


class PredictedOut(_PredictedOutNeeds, total=False):
    """What a fit says of one mixture."""

    half_width_95: dict[str, float] | None


class PredictionsOut(TypedDict):
    """What a fit says of mixtures."""

    fit_id: str
    scale: ScaleOut | None
    predictions: list[PredictedOut]


class ScaleIn(TypedDict, total=False):
    """A scale to predict for; what is left out stays as it was fitted."""

    model_parameters: int | None
    tokens: int | None


class ScoresOut(TypedDict):
    """Scores on runs that the fit did not see."""

    spearman: float | None
    mae: float
    r2: float | None
