"""Bodies of the run endpoints."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field, FiniteFloat

from service.schemas import LARGEST_NUMBER, MOST_NAMED, Answer, Body, Count, PositiveCount, Slug, Text

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


class ClaimOneIn(Body):
    """A worker that wants one run and no other."""

    worker: Text = Field(min_length=1, max_length=200, description="Who claims: shown to people.")
    force: bool = Field(
        default=False, description="Whether to take it from a worker whose lease is not over yet."
    )


class RunOut(Answer):
    """A proxy run."""

    id: UUID = Field(description="Identifier of the run.")
    study: str = Field(description="Name of its study.")
    sweep_id: UUID = Field(description="Its sweep.")
    purpose: str = Field(description="Purpose of its sweep: proxy or confirmation.")
    label: str = Field(description="What it is called.")
    weights: dict[str, float] = Field(description="Share of every domain.")
    seed: int = Field(description="Seed of the run.")
    train: dict[str, Any] = Field(description="Training spec.")
    job: str | None = Field(description="Live job that it follows, if any.")
    state: str = Field(description="pending, running, completed or failed.")
    stale: bool = Field(description="Whether it is running without a sign of life: its lease has expired.")
    worker: str | None = Field(description="Who trains it, or did.")
    progress: float = Field(description="From 0 to 1.")
    result: dict[str, Any] | None = Field(description="What it measured, once it is completed.")
    error: str | None = Field(description="Why it failed.")
    created_at: datetime = Field(description="When it was queued.")
    started_at: datetime | None = Field(description="When it was last claimed.")
    finished_at: datetime | None = Field(description="When it was completed or failed.")


class LeaseOut(Answer):
    """A claimed run."""

    run: RunOut = Field(description="The run to train.")
    domains: list[str] = Field(description="Domains of the study, in their order.")
    targets: list[str] = Field(description="Targets that the result must name.")
    lease: UUID = Field(description="Proof of the claim; show it with heartbeats and the result.")
    lease_seconds: int = Field(description="How long the claim holds without a heartbeat.")


class HeartbeatIn(Body):
    """A sign of life."""

    lease: UUID = Field(description="Proof of the claim.")
    progress: FiniteFloat = Field(ge=0, le=1, description="How far the run is, from 0 to 1.")


class HeartbeatOut(Answer):
    """Answer to a sign of life."""

    lease_seconds: int = Field(description="How long the claim holds from now.")


class ResultIn(Body):
    """What a finished run measured."""

    lease: UUID = Field(description="Proof of the claim.")
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

    lease: UUID = Field(description="Proof of the claim.")
    reason: Text = Field(min_length=1, max_length=4000, description="What went wrong, for people.")
