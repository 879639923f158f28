"""Follows a Mixwright schedule from inside a training job, without ever stopping it."""

from mixclient.api import ServiceClient
from mixclient.client import MixtureClient
from mixclient.errors import (
    ConflictError,
    ForkedClientError,
    MixclientError,
    NotAuthorisedError,
    NotFoundError,
    ScheduleError,
    ScheduleUnavailableError,
    ServiceError,
    ServiceUnreachableError,
    StartRefusedError,
)
from mixclient.measurements import Evaluation, Excess, Signals
from mixclient.sampler import Sampler
from mixclient.schedule import Schedule, Stage

__all__ = [
    "ConflictError",
    "Evaluation",
    "Excess",
    "ForkedClientError",
    "MixclientError",
    "MixtureClient",
    "NotAuthorisedError",
    "NotFoundError",
    "Sampler",
    "Schedule",
    "ScheduleError",
    "ScheduleUnavailableError",
    "ServiceClient",
    "ServiceError",
    "ServiceUnreachableError",
    "Signals",
    "Stage",
    "StartRefusedError",
]
