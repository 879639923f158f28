"""Documents about sweeps: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class _MixtureBodyNeeds(TypedDict):
    """What every `MixtureBody` holds."""

    weights: Mapping[str, float]


class MixtureBody(_MixtureBodyNeeds, total=False):
    """A mixture to run as it is given."""

    label: str
    seed: int
    job: str | None


class SweepIn(TypedDict, total=False):
    """A sweep: a design, or mixtures, or both."""

    purpose: Literal["proxy", "confirmation"]
    design: str | None
    params: Mapping[str, Any]
    count: int
    seed: int
    mixtures: Sequence[MixtureBody]
    train: Mapping[str, Any]


class SweepOut(TypedDict):
    """A sweep with the progress of its runs."""

    id: str
    study: str
    definition: SweepIn
    runs: dict[str, int]
    progress: float
    created_at: str
