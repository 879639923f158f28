"""Bodies of the import endpoint."""

from uuid import UUID

from pydantic import Field, FiniteFloat

from service.schemas import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    MOST_DOMAINS,
    MOST_NAMED,
    Answer,
    Body,
    PositiveCount,
    Text,
    Weights,
)


class ImportedRunBody(Body):
    """A finished run."""

    name: Text = Field(
        min_length=1, max_length=100, description="Its name, unique among the named runs of the study."
    )
    weights: Weights = Field(description="Share of every domain; they sum to 1.")
    losses: dict[Text, FiniteFloat] = Field(
        max_length=MOST_DOMAINS, description="Held-out value of every target; lower is better."
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the run.")
    step: int = Field(default=0, ge=0, le=LARGEST_NUMBER, description="Optimiser steps; 0 if unknown.")
    tokens: PositiveCount | None = Field(
        default=None, description="Tokens that were trained on; null if unknown."
    )
    model_parameters: PositiveCount | None = Field(
        default=None, description="Parameters of the model; null if unknown."
    )


class ImportIn(Body):
    """Runs to import."""

    runs: list[ImportedRunBody] = Field(
        min_length=1,
        max_length=MOST_NAMED,
        description="The runs; more than this many take several requests.",
    )
    source: Text = Field(default="", max_length=500, description="Where they come from, for people.")


class ImportOut(Answer):
    """What became of an import."""

    sweep_id: UUID | None = Field(description="Sweep that holds the new runs; null if there are none.")
    created: int = Field(description="Runs that are new.")
    duplicates: int = Field(description="Runs that were stored before, with the same fields.")
