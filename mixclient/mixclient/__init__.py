"""Speaks to a Mixwright service, and follows its schedule inside a training job without ever stopping it."""

from mixclient.client import MixtureClient
from mixclient.errors import (
    ConflictError,
    ForeignAnswerError,
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
from mixclient.service.answers import Page, Tagged
from mixclient.service.clients import AsyncServiceClient, ServiceClient
from mixclient.service.retry import ONCE, Retry

__all__ = [
    "ONCE",
    "AsyncServiceClient",
    "ConflictError",
    "Evaluation",
    "Excess",
    "ForeignAnswerError",
    "ForkedClientError",
    "MixclientError",
    "MixtureClient",
    "NotAuthorisedError",
    "NotFoundError",
    "Page",
    "Retry",
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
    "Tagged",
]
