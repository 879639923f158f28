"""Bodies of the run endpoints."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field, FiniteFloat

from service.schemas import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    MOST_NAMED,
    Answer,
    Body,
    Count,
    Document,
    PositiveCount,
    Slug,
    Text,
    Weights,
)

MOST_CLAIMED = 100
MOST_OBSERVATIONS = 5000  # in one request
ClientId = Annotated[Slug, Path(description="Id of a run that its client chose.")]
Lease = Annotated[
    UUID | None,
    Field(default=None, description="Proof of the claim; left out for a run that its client put."),
]
RunId = Annotated[UUID, Path(description="Identifier of a run.")]


class ClaimIn(Body):
    """A worker that is ready to train."""

    worker: Text = Field(min_length=1, max_length=200, description="Who claims: shown to people.")
    study: Slug | None = Field(default=None, description="Claim only runs of this study.")
    corpora: list[Text] | None = Field(
        default=None,
        max_length=MOST_NAMED,
        description="Corpora that the worker holds; runs on others are left to others.",
    )


class ClaimsIn(ClaimIn):
    """A worker that is ready to train several runs."""

    count: int = Field(default=1, ge=1, le=MOST_CLAIMED, description="How many runs it would train.")


class TakeIn(Body):
    """A claim of one run."""

    worker: Text = Field(min_length=1, max_length=200, description="Who claims: shown to people.")
    force: bool = Field(
        default=False,
        description="Whether to take it from a worker that holds it; needs the scope studies:write.",
    )


class RunIn(Body):
    """A run that its client trains."""

    weights: Weights = Field(description="Share of every domain; they sum to 1.")
    seed: int = Field(default=0, ge=0, le=LARGEST_INTEGER, description="Seed of the run.")
    label: Text = Field(
        default="", max_length=100, description="What the run is called in tables; by default its id."
    )
    train: Document = Field(default={}, description="How it is trained, in the client's own words.")


class NotesBody(Body):
    """What people wrote about a run."""

    notes: Text = Field(default="", max_length=10_000, description="Notes for people.")
    tags: list[Slug] = Field(default=[], max_length=50, description="Words to find it by.")


class ObservationBody(Body):
    """The value of a target at a step."""

    step: int = Field(ge=0, le=LARGEST_NUMBER, strict=True, description="Optimiser steps that were made.")
    target: str = Field(description="Target of the study.")
    value: FiniteFloat = Field(
        strict=True, description="Its held-out value; nats per token where it is a loss."
    )


class ObservationsIn(Body):
    """A batch of observations: all are stored, or none."""

    lease: UUID | None = Field(
        default=None, description="Proof of the claim; left out for a run that its client put."
    )
    observations: list[ObservationBody] = Field(
        min_length=1, description=f"The observations, at most {MOST_OBSERVATIONS}: more answer 413."
    )


class ObservationsOut(Answer):
    """What became of observations."""

    accepted: int = Field(description="Observations that are new.")
    duplicates: int = Field(description="Observations that were there before, with the same value.")


class ObservationOut(Answer):
    """The value of a target at a step."""

    step: int = Field(description="Optimiser steps that were made.")
    target: str = Field(description="Target of the study.")
    value: float = Field(description="Its held-out value.")


class ObservationPage(Answer):
    """Observations of a run: one page of all, or a few of each target."""

    items: list[ObservationOut] = Field(description="Observations, by step and target.")
    next: str | None = Field(description="Cursor of the next page; null on the last one, and for points.")
    stored: int | None = Field(description="How many there are in all; null on later pages.")


class RunOut(Answer):
    """A proxy run."""

    id: UUID = Field(description="Identifier of the run.")
    client_id: str | None = Field(description="What its client called it, if a client put it.")
    study: str = Field(description="Name of its study.")
    sweep_id: UUID = Field(description="Its sweep.")
    purpose: str = Field(description="Purpose of its sweep: proxy or confirmation.")
    label: str = Field(description="What it is called.")
    weights: dict[str, float] = Field(description="Share of every domain.")
    seed: int = Field(description="Seed of the run.")
    train: dict[str, Any] = Field(description="Training spec.")
    job: str | None = Field(description="Live job that it follows, if any.")
    state: str = Field(description="pending, running, completed, failed, cancelled or invalid.")
    stale: bool = Field(description="Whether it is running without a sign of life: its lease has expired.")
    worker: str | None = Field(description="Who trains it, or did.")
    claims: int = Field(description="How often it was claimed since it was queued.")
    progress: float = Field(description="From 0 to 1.")
    result: dict[str, Any] | None = Field(description="What it measured, once it is completed.")
    error: str | None = Field(description="Why it failed, was cancelled, or is invalid.")
    notes: str = Field(description="Notes of people.")
    tags: list[str] = Field(description="Words to find it by.")
    created_at: datetime = Field(description="When it was queued.")
    started_at: datetime | None = Field(description="When it was last claimed.")
    finished_at: datetime | None = Field(description="When it was completed, failed or cancelled.")


class LeaseOut(Answer):
    """A claimed run."""

    run: RunOut = Field(description="The run to train.")
    domains: list[str] = Field(description="Domains of the study, in their order.")
    targets: list[str] = Field(description="Targets that the result must name.")
    lease: UUID = Field(description="Proof of the claim; show it with heartbeats and the result.")
    lease_seconds: int = Field(description="How long the claim holds without a heartbeat.")


class LeasesOut(Answer):
    """Claimed runs."""

    leases: list[LeaseOut] = Field(description="The runs to train; none if nothing waits.")


class HeartbeatIn(Body):
    """A sign of life."""

    lease: Lease
    progress: FiniteFloat = Field(ge=0, le=1, description="How far the run is, from 0 to 1.")


class HeartbeatOut(Answer):
    """Answer to a sign of life."""

    lease_seconds: int = Field(description="How long the claim holds from now.")


class ResultIn(Body):
    """What a finished run measured."""

    lease: Lease
    losses: dict[str, FiniteFloat] = Field(
        description="Held-out value of every target, nats per token where it is a loss."
    )
    bits_per_byte: dict[Text, FiniteFloat] = Field(
        default={}, description="The same losses in bits per byte."
    )
    step: int = Field(ge=0, le=LARGEST_NUMBER, description="Optimiser steps that were made.")
    tokens: PositiveCount = Field(description="Tokens that were trained on.")
    drawn: dict[Text, Count] = Field(default={}, description="Training tokens of each domain.")
    model_parameters: PositiveCount = Field(description="Parameters of the model.")
    seconds: FiniteFloat = Field(ge=0, description="Time of training and evaluation.")
    live: dict[Text, Count] = Field(
        default={}, description="Counters of the live client, if it followed a job."
    )


class FailureIn(Body):
    """Why a run cannot be finished."""

    lease: Lease
    reason: Text = Field(min_length=1, max_length=4000, description="What went wrong, for people.")
