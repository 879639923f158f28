"""What can go wrong between a trainer and the service.

    MixclientError
    ├── ScheduleError             a schedule document that must not be followed
    ├── ForkedClientError         a copy of a client in a forked process: ask in the process that started it
    ├── ScheduleUnavailableError  a job finds no schedule to start with: start the service, or give weights
    │   └── StartRefusedError       the service is there and says no: read it, since waiting cannot help
    ├── ServiceUnreachableError   no answer: try again later
    │   └── ForeignAnswerError      something else answers: is this the address of the service?
    └── ServiceError              an answer that says no: read it
        ├── NotAuthorisedError      401 or 403: use another key
        ├── NotFoundError           404: check the name and the project of the key
        └── ConflictError           409: the world has moved on; the answer says how

A running training loop sees none of these: `MixtureClient` turns them into counters and log lines.
"""

from typing import Any

NOT_A_PROBLEM = "not_a_problem_document"  # code of an error page that the service did not write
_TRY_AGAIN = frozenset({408, 425, 429})


class MixclientError(Exception):
    """Root of every error that this package raises on purpose."""

    retry_after: float | None = None  # seconds after which the answer asks to come back


class ScheduleError(MixclientError, ValueError):
    """A schedule that is malformed, off the simplex, or not of this job.

    Args:
        message: what is wrong, with the values.
        kind: what it is counted as: `malformed`, `other_job`, `fenced` or `older`.
    """

    def __init__(self, message: str, *, kind: str = "malformed") -> None:
        super().__init__(message)
        self.kind = kind


class ForkedClientError(MixclientError, RuntimeError):
    """A forked process asks a copied client for what only the process that started it can know."""


class ScheduleUnavailableError(MixclientError):
    """A job cannot start: the service gave no schedule, none is stored, and no fallback was given."""


class StartRefusedError(ScheduleUnavailableError):
    """The service refuses what a job asks for at its start: its key, its name, or its state token."""


class ServiceUnreachableError(MixclientError):
    """No usable answer from the service: connection refused, timeout, or a page that is not ours."""


class ForeignAnswerError(ServiceUnreachableError):
    """An answer that the service did not write, such as the page of a proxy in between."""


class ServiceError(MixclientError):
    """The service answered with a problem.

    Args:
        status: HTTP status.
        code: machine-readable code of the problem.
        detail: what is wrong, with the values, and what to do.
        problem: the whole problem document.
    """

    def __init__(self, status: int, code: str, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.problem = problem

    @property
    def request_id(self) -> str | None:
        """What to name when asking whoever runs the service; None if the service did not write the answer."""
        told = self.problem.get("request_id")
        return None if told is None else str(told)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Each thing that is wrong with the request: `loc` says where, `msg` says what."""
        told = self.problem.get("errors")
        return told if isinstance(told, list) else []

    @property
    def may_pass(self) -> bool:
        """Whether waiting can help: the service is troubled, or a server in between has answered for it."""
        return self.status >= 500 or self.status in _TRY_AGAIN or self.code == NOT_A_PROBLEM


class NotAuthorisedError(ServiceError):
    """The key is missing, unknown, expired, or lacks a scope."""


class NotFoundError(ServiceError):
    """Nothing of that name in the project of the key."""


class ConflictError(ServiceError):
    """The request contradicts what is stored, such as a result under a lost lease."""
