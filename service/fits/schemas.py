"""Bodies of the fit endpoints."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.schemas import (
    LARGEST_INTEGER,
    MOST_NAMED,
    Answer,
    Body,
    Parameters,
    PositiveCount,
    Weights,
)
from service.tasks.schemas import TaskFields

MOST_PREDICTED = 10_000
FitId = Annotated[UUID, Path(description="Identifier of a fit.")]


class FitIn(Body):
    """A fit to make."""

    method: str = Field(
        default="auto",
        description="Name of a law or regressor, such as gaussian_process; auto tries the others, and takes "
        "the weighted mean that predicts held-out runs best.",
    )
    params: Parameters
    folds: int | None = Field(
        default=10,
        ge=2,
        le=1000,
        description="Parts of the cross-validation; null leaves one mixture out at a time. Not used by auto, "
        "which is scored by the runs that it held out to weigh its members.",
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the fit and of its folds.")
    sweep_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_NAMED,
        description="Sweeps whose runs are used; by default all proxy sweeps.",
    )


class ScoresOut(Answer):
    """Scores on runs that the fit did not see."""

    spearman: float | None = Field(description="Rank correlation; null where it is undefined or an artefact.")
    mae: float = Field(description="Mean absolute error, in the unit of the target.")
    r2: float | None = Field(description="Explained share of the variance; null if nothing varies.")


class MemberOut(Answer):
    """A method that auto tried, scored on runs that its fits did not see."""

    member: str = Field(description="Law or regressor.")
    weight: float = Field(description="Its share of the answer.")
    mae: float | None = Field(description="Mean absolute error of the objective; null if it was not run.")
    r2: float | None = Field(description="Explained share of the objective's variance.")
    spearman: float | None = Field(description="Rank correlation of the objective; null where undefined.")
    target_spearman: float | None = Field(description="Median over targets of the rank correlation.")
    fidelity_in_sample: float | None = Field(
        default=None,
        description="R² of the objective on the very runs that a law was fitted to: how well its form "
        "describes them, and no held-out score. Null for what is no law.",
    )
    transfer_spearman: float | None = Field(
        default=None,
        description="Rank correlation of the objective of the largest runs with what fits to smaller scales "
        "predict of mixtures that they did not see; null where there is one scale.",
    )
    transfer_r2: float | None = Field(
        default=None, description="Variance that those explain after the best increasing line."
    )
    seconds: float = Field(description="Estimated cost.")
    note: str = Field(description="Why it was not run, or not fitted to all runs; else empty.")


class ScaleOut(Answer):
    """The scale that predictions hold for; null where runs do not tell."""

    model_parameters: float | None = Field(description="Parameters of the model.")
    tokens: float | None = Field(description="Training tokens of the run.")


class FitOut(TaskFields):
    """A fit."""

    id: UUID = Field(description="Identifier of the fit.")
    study: str = Field(description="Name of its study.")
    method: str = Field(description="Law or regressor.")
    configuration: FitIn = Field(description="What was asked for.")
    runs: int = Field(description="Runs that it sees.")
    stale_inputs: bool = Field(
        description="Whether results of runs came or changed since it was asked for, which it does not see."
    )
    scores: dict[str, ScoresOut] | None = Field(description="Held-out scores by target, once done.")
    objective_scores: ScoresOut | None = Field(description="Held-out scores of the objective, once done.")
    table: list[MemberOut] | None = Field(
        description="What auto tried, best first; null for other methods. The weights were chosen by these "
        "very scores: those of the fit as a whole are in objective_scores."
    )
    verdict: str | None = Field(description="What the table says; null for other methods.")
    noise: dict[str, Any] | None = Field(description="Pooled standard deviations of repeated runs.")
    scale: ScaleOut | None = Field(description="Scale that the fit predicts for, once done.")
    seconds: float | None = Field(description="Time of the fit and its cross-validation.")
    created_at: datetime = Field(description="When it was asked for.")
    finished_at: datetime | None = Field(description="When it ended.")


class ScaleIn(Body):
    """A scale to predict for; what is left out stays as it was fitted."""

    model_parameters: PositiveCount | None = Field(default=None, description="Parameters of the model.")
    tokens: PositiveCount | None = Field(default=None, description="Training tokens of the run.")


class PredictIn(Body):
    """Mixtures to ask a fit about."""

    mixtures: list[Weights] = Field(
        min_length=1,
        max_length=MOST_PREDICTED,
        description="Shares of every domain, which sum to 1 within 1e-6.",
    )
    at: ScaleIn | None = Field(
        default=None, description="Another scale, for laws that know it; by default the one that was fitted."
    )


class PredictedOut(Answer):
    """What a fit says of one mixture."""

    predicted: dict[str, float] = Field(description="Predicted targets.")
    deviation: dict[str, float] | None = Field(
        description="Standard deviations of the predicted targets; null if the method knows none."
    )
    half_width_95: dict[str, float] | None = Field(
        default=None,
        description="Half of the interval around each predicted target that holds 95 % of runs.",
    )
    objective: float = Field(description="Predicted objective.")
    gain_over_prior: float = Field(description="Predicted fall of the objective against the prior.")


class PredictionsOut(Answer):
    """What a fit says of mixtures."""

    fit_id: UUID = Field(description="Identifier of the fit.")
    scale: ScaleOut | None = Field(description="Scale that the predictions hold for.")
    predictions: list[PredictedOut] = Field(description="One for each mixture, in the order of the request.")
