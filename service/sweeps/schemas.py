"""Bodies of the sweep endpoints."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.schemas import (
    LARGEST_INTEGER,
    MOST_RUNS,
    Answer,
    Body,
    Document,
    Parameters,
    Slug,
    Text,
    Weights,
)

SweepId = Annotated[UUID, Path(description="Identifier of a sweep.")]


class MixtureBody(Body):
    """A mixture to run as it is given."""

    weights: Weights = Field(description="Share of every domain; they sum to 1.")
    label: Text = Field(default="", max_length=100, description="What the run is called in tables.")
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the run.")
    job: Slug | None = Field(
        default=None, description="Live job that the run follows; the weights are then where it starts."
    )


class SweepIn(Body):
    """A sweep: a design, or mixtures, or both."""

    purpose: Literal["proxy", "confirmation"] = Field(
        default="proxy",
        description="Fits use the runs of proxy sweeps; a confirmation trains proposals at a larger scale.",
    )
    design: str | None = Field(default=None, description="Name of a design, such as sobol or regmix.")
    params: Parameters
    count: int = Field(default=0, ge=0, le=MOST_RUNS, description="Mixtures to design.")
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the design and of its runs.")
    mixtures: list[MixtureBody] = Field(
        default=[],
        max_length=MOST_RUNS,
        description="Mixtures to run beside the designed ones, such as repeats.",
    )
    train: Document = Field(
        default={}, description="Fields of the training spec that differ from its defaults."
    )


class SweepOut(Answer):
    """A sweep with the progress of its runs."""

    id: UUID = Field(description="Identifier of the sweep.")
    study: str = Field(description="Name of its study.")
    definition: SweepIn = Field(description="What it was created with.")
    runs: dict[str, int] = Field(description="Number of runs in each state.")
    progress: float = Field(description="Share of all its training that is done, from 0 to 1.")
    created_at: datetime = Field(description="When it was created.")
