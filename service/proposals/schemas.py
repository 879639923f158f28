"""Bodies of the proposal endpoints."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field, FiniteFloat

from mixlaws.proposers.intent import Intent
from service.fits.schemas import ScaleOut
from service.schemas import (
    LARGEST_INTEGER,
    MOST_DOMAINS,
    Answer,
    Body,
    Document,
    Parameters,
    Share,
    Slug,
    Text,
    Weights,
)
from service.studies.schemas import Coefficient
from service.tasks.schemas import TaskFields

ProposalId = Annotated[UUID, Path(description="Identifier of a proposal.")]


class GroupIn(Body):
    """Domains whose weights are bounded together. Any two groups are apart, or one lies within the other."""

    name: Text = Field(min_length=1, max_length=200, description="What messages call it.")
    domains: list[Text] = Field(min_length=1, max_length=MOST_DOMAINS, description="Its domains.")
    lower: Share = Field(default=0.0, description="Smallest admissible sum of their weights.")
    upper: Share = Field(
        default=1.0, description="Largest admissible sum; equal to the smallest one, the group is frozen."
    )
    keep_proportions: bool = Field(
        default=False, description="Whether weights inside the group keep the proportions of the prior."
    )


class MaxDistanceIn(Body):
    """A hard bound on how far a mixture may be from the prior."""

    measure: Literal["kl", "l1"] = Field(
        description="kl: divergence in nats; l1: sum of absolute differences, up to 2."
    )
    most: FiniteFloat = Field(gt=0, description="The largest admissible distance.")


class SecondStageIn(Body):
    """A second stage of the run: its mixture is stated, or is the optimum of another objective.

    The first stage is what makes the token-weighted mean of the run the optimum of the study's objective.
    Bounds, frozen domains and groups hold for each stage; caps and the distance from the prior for the mean.
    Runs of one stage tell of that mean alone: predictions are those of a run that mixes it throughout.
    """

    share: FiniteFloat = Field(gt=0, lt=1, description="Its share of the final tokens, such as 0.2.")
    weights: Weights | None = Field(default=None, description="Its mixture; what is left out gets nothing.")
    objective: dict[Text, Coefficient] | None = Field(
        default=None, max_length=MOST_DOMAINS, description="Coefficients of the targets that it is best for."
    )
    steps: int | None = Field(
        default=None, ge=2, le=LARGEST_INTEGER, description="Optimiser steps of the run, for a schedule."
    )
    samples_per_step: int | None = Field(
        default=None, ge=1, le=10**7, description="Samples of one step, for a schedule."
    )


class ProposalIn(Body):
    """A request for mixtures."""

    fit_id: UUID = Field(description="Finished fit whose predictor is used.")
    intent: Intent | None = Field(
        default=None,
        description="exploit: the best mixture for the final run; explore: a batch of proxy runs for the "
        "next round, to which the caps of the final run do not apply. By default what the proposer is for.",
    )
    proposer: str | None = Field(
        default=None,
        description="Name of a proposer, such as convex or simulate; by default convex to exploit and "
        "explore to explore.",
    )
    params: Parameters
    count: int = Field(default=1, ge=1, le=100, description="How many mixtures to propose.")
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the search.")
    within_sampled: bool = Field(
        default=True,
        description="Stay inside the region that the runs cover: beyond it a prediction is a guess.",
    )
    rivals: dict[Slug, Weights] = Field(
        default={},
        max_length=20,
        description="Mixtures to compare with by name, such as the one in use; bounds do not hold for them.",
    )
    statistics: Document | None = Field(
        default=None,
        description="What `mixwright measure` wrote, or utilities in that form: rules that need it are "
        "compared with as well.",
    )
    objective: dict[Text, Coefficient] | None = Field(
        default=None,
        max_length=MOST_DOMAINS,
        description="Coefficients of the targets, scaled to sum to 1; by default those of the study.",
    )
    frozen: dict[Text, Share | None] = Field(
        default={},
        max_length=MOST_DOMAINS,
        description="Domains whose weight stays: as stated, or that of the prior where it is null.",
    )
    groups: list[GroupIn] = Field(
        default=[], max_length=MOST_DOMAINS, description="Domains that are bounded together."
    )
    max_distance: MaxDistanceIn | None = Field(
        default=None, description="Hard bound on the distance from the prior; none by default."
    )
    repetition: Literal["cap", "smooth"] = Field(
        default="cap",
        description="cap: epochs bound weights; smooth: repeated tokens count at what they are worth.",
    )
    per_efold: FiniteFloat | None = Field(
        default=None,
        ge=0,
        description="By how much targets fall when training tokens grow e-fold, for repetition smooth: fits "
        "of shares alone do not know it.",
    )
    second_stage: SecondStageIn | None = Field(
        default=None, description="A second stage; by default one mixture holds throughout."
    )


class ReferenceOut(Answer):
    """What the predictor says of a mixture to compare with."""

    weights: dict[str, float] = Field(description="Share of every domain.")
    predicted: dict[str, float] = Field(description="Predicted targets.")
    half_width_95: dict[str, float] | None = Field(
        default=None,
        description="Half of the interval around each predicted target that holds 95 % of runs; "
        "null if the method knows none.",
    )
    objective: float = Field(description="Predicted objective.")


class ProposedStageOut(Answer):
    """One stage of a proposal."""

    share: float = Field(description="Share of the final tokens.")
    weights: dict[str, float] = Field(description="Share of every domain.")


class ProposedOut(ReferenceOut):
    """A proposed mixture."""

    deviation: dict[str, float] | None = Field(
        description="Standard deviations of the predicted targets; null if the method knows none."
    )
    gain_over_prior: float = Field(description="Predicted fall of the objective against the prior.")
    gain_by_other_fits: dict[str, float] = Field(
        description="The same gain as other good fits of the same runs predict it."
    )
    gain_by_member: dict[str, float] = Field(
        default_factory=dict,
        description="The same gain as each member of auto predicts it alone; empty for other methods. In "
        "details, members_disagree is 1 where they differ by more than the noise.",
    )
    disagreeing: list[str] = Field(
        description="Fits whose gain differs by more than twice the noise: train it before trusting it."
    )
    details: dict[str, float] = Field(description="How the answer came about.")
    stages: list[ProposedStageOut] | None = Field(
        default=None, description="Both stages, whose token-weighted mean the mixture is; null for one stage."
    )
    schedule: dict[str, Any] | None = Field(
        default=None, description="The stages as a schedule that a training job follows, if steps were told."
    )


class RivalOut(ReferenceOut):
    """A mixture that another way of choosing gives, and what the fit predicts of it."""

    name: str = Field(description="Name of the rule, or that of the request.")
    hull_distance: float = Field(
        description="Total variation to the nearest average of mixtures that were run: beyond .05 what is "
        "predicted is an extrapolation."
    )
    admissible: bool = Field(description="Whether it keeps the bounds and caps of the study.")


class ProposalOut(TaskFields):
    """A request for mixtures with its answer."""

    id: UUID = Field(description="Identifier of the request.")
    study: str = Field(description="Name of its study.")
    fit_id: UUID = Field(description="Fit whose predictor is used.")
    configuration: ProposalIn = Field(description="What was asked for.")
    stale_inputs: bool = Field(
        description="Whether results of runs came or changed since its fit was asked for."
    )
    proposals: list[ProposedOut] = Field(description="Mixtures, best first; empty until done.")
    references: dict[str, ReferenceOut] = Field(description="Prior and uniform mixture, for comparison.")
    rivals: list[RivalOut] = Field(
        description="Mixtures of rules without proxy runs, and of the request; `better_than_<name>` in the "
        "details of a proposal is the probability that it is better."
    )
    rivals_left_out: dict[str, str] = Field(description="Rules that gave no mixture, and why.")
    scale: ScaleOut | None = Field(description="Scale that predictions hold for.")
    noise: float | None = Field(description="Noise of the objective that disagreement was measured with.")
    created_at: datetime = Field(description="When it was asked for.")
    finished_at: datetime | None = Field(description="When it ended.")
