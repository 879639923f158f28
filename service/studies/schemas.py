"""Bodies of the study endpoints."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field, FiniteFloat

from service.schemas import MOST_DOMAINS, Answer, Body, DomainsBody, PositiveCount, Slug, Text, Weights

MOST_NOTES = 10_000  # characters: some five pages, and about a second of parsing at worst
StudyName = Annotated[str, Path(description="Name of a study.")]
# Beyond it a sum of coefficients may overflow, and all of them would count as nothing.
Coefficient = Annotated[FiniteFloat, Field(le=1e100)]


class StudyIn(DomainsBody):
    """A study to create. What is left out is filled in, and shown in the answer."""

    name: Slug = Field(description="Name of the study, unique in the project.")
    targets: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_DOMAINS,
        description="Targets that every run reports; by default one per domain.",
    )
    objective: dict[str, Coefficient] | None = Field(
        default=None,
        description="Coefficients of the targets; by default the natural share of each domain that is a "
        "target, else all equal. They are normalised to sum 1.",
    )
    prior: Weights | None = Field(default=None, description="Natural mixture; by default by token counts.")
    lower: Weights = Field(default={}, description="Smallest admissible weights.")
    upper: Weights = Field(default={}, description="Largest admissible weights.")
    final_tokens: PositiveCount | None = Field(
        default=None, description="Tokens of the run that the mixture is for; it turns epochs into caps."
    )
    notes: Text = Field(
        default="",
        max_length=MOST_NOTES,
        description="Notes to begin with; they have an address of their own.",
    )


class StudyNotes(Body):
    """What people wrote about a study."""

    notes: Text = Field(
        max_length=MOST_NOTES,
        description="Markdown, for people; the dashboard shows it without HTML and images.",
    )


class StudyOut(Answer):
    """A study."""

    id: UUID = Field(description="Identifier of the study.")
    name: str = Field(description="Name of the study.")
    definition: StudyIn = Field(description="What it was created with, complete with defaults.")
    runs: dict[str, int] | None = Field(
        description="Number of runs in each state; null in lists that were not asked to count."
    )
    created_at: datetime = Field(description="When it was created.")
