"""Bodies of the proposal endpoints."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.fits.schemas import ScaleOut
from service.schemas import LARGEST_INTEGER, Answer, Body, Parameters

ProposalId = Annotated[UUID, Path(description="Identifier of a proposal.")]


class ProposalIn(Body):
    """A request for mixtures."""

    fit_id: UUID = Field(description="Finished fit whose predictor is used.")
    proposer: str = Field(default="convex", description="Name of a proposer, such as convex or simulate.")
    params: Parameters
    count: int = Field(default=1, ge=1, le=100, description="How many mixtures to propose.")
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the search.")
    within_sampled: bool = Field(
        default=True,
        description="Stay inside the region that the runs cover: beyond it a prediction is a guess.",
    )


class ReferenceOut(Answer):
    """What the predictor says of a mixture to compare with."""

    weights: dict[str, float] = Field(description="Share of every domain.")
    predicted: dict[str, float] = Field(description="Predicted targets.")
    objective: float = Field(description="Predicted objective.")


class ProposedOut(ReferenceOut):
    """A proposed mixture."""

    deviation: dict[str, float] | None = Field(
        description="Standard deviations of the predicted targets; null if the method knows none."
    )
    gain_over_prior: float = Field(description="Predicted fall of the objective against the prior.")
    gain_by_other_fits: dict[str, float] = Field(
        description="The same gain as other good fits of the same runs predict it."
    )
    disagreeing: list[str] = Field(
        description="Fits whose gain differs by more than twice the noise: train it before trusting it."
    )
    details: dict[str, float] = Field(description="How the answer came about.")


class ProposalOut(Answer):
    """A request for mixtures with its answer."""

    id: UUID = Field(description="Identifier of the request.")
    study: str = Field(description="Name of its study.")
    fit_id: UUID = Field(description="Fit whose predictor is used.")
    configuration: ProposalIn = Field(description="What was asked for.")
    state: str = Field(description="queued, running, done or failed.")
    proposals: list[ProposedOut] = Field(description="Mixtures, best first; empty until done.")
    references: dict[str, ReferenceOut] = Field(description="Prior and uniform mixture, for comparison.")
    scale: ScaleOut | None = Field(description="Scale that predictions hold for.")
    noise: float | None = Field(description="Noise of the objective that disagreement was measured with.")
    error: str | None = Field(description="Why it failed.")
    created_at: datetime = Field(description="When it was asked for.")
    finished_at: datetime | None = Field(description="When it was done or failed.")
