"""What the service says no with. Each error knows its code and HTTP status; libraries below do not.

ServiceError
├── InvalidCursorError   400  a cursor that is of no page of this list
├── NotFoundError        404  nothing of that name in the project of the key
├── ConflictError        409  the request contradicts what is stored
│   └── QuotaError             a project would have more than it may
├── PreconditionFailedError    412  what is stored was changed since it was read
├── InvalidRequestError  422  a value cannot be used; the detail names it
├── PreconditionRequiredError  428  show what you have seen before you overwrite or delete it
├── ForbiddenError       403  the key lacks a scope
├── UnauthorisedError    401  no usable key
├── UnreadableError      400  a body that is no JSON document
├── TooSlowError         408  a body that does not arrive
├── TooLargeError        413  more than is taken at once
├── UnsupportedBodyError 415  a body of another kind
├── TooManyRequestsError 429  slow down
└── UnavailableError     503  try again later
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ServiceError(Exception):
    """Root of what endpoints answer with a problem document.

    Args:
        detail: what is wrong, with the values, and what to do.
        code: machine-readable name; the class has a default.
        extra: further members of the problem document.
        retry_seconds: when it is worth trying again, if it is.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    default_code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.extra = dict(extra or {})
        self.retry_seconds = retry_seconds


class InvalidCursorError(ServiceError):
    """A cursor that is of no page of this list."""

    status = 400
    title = "Bad request"
    default_code = "invalid_cursor"


class NotFoundError(ServiceError):
    """Nothing of that name in the project of the key."""

    status = 404
    title = "Not found"
    default_code = "not_found"


class ConflictError(ServiceError):
    """The request contradicts what is stored."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


class QuotaError(ConflictError):
    """A project would have more than it may."""

    title = "Quota exceeded"
    default_code = "quota_exceeded"


class PreconditionFailedError(ServiceError):
    """What is stored was changed since it was read."""

    status = 412
    title = "Precondition failed"
    default_code = "edited_meanwhile"


class PreconditionRequiredError(ServiceError):
    """Whoever overwrites or deletes something must show that it was seen."""

    status = 428
    title = "Precondition required"
    default_code = "precondition_required"


class InvalidRequestError(ServiceError):
    """A value cannot be used."""

    status = 422
    title = "Invalid request"
    default_code = "invalid_request"


class ForbiddenError(ServiceError):
    """The key lacks a scope."""

    status = 403
    title = "Forbidden"
    default_code = "missing_scope"


class UnauthorisedError(ServiceError):
    """No usable key."""

    status = 401
    title = "Unauthorised"
    default_code = "unauthorised"


class UnreadableError(ServiceError):
    """A body that is no JSON document."""

    status = 400
    title = "Unreadable body"
    default_code = "unreadable_body"


class TooSlowError(ServiceError):
    """A body that does not arrive."""

    status = 408
    title = "Request timeout"
    default_code = "body_too_slow"


class TooLargeError(ServiceError):
    """More than is taken at once."""

    status = 413
    title = "Body too large"
    default_code = "body_too_large"


class UnsupportedBodyError(ServiceError):
    """A body of a kind that is not read."""

    status = 415
    title = "Unsupported media type"
    default_code = "unsupported_media_type"


class TooManyRequestsError(ServiceError):
    """A caller asks too often."""

    status = 429
    title = "Too many requests"
    default_code = "too_many_requests"


class UnavailableError(ServiceError):
    """The service cannot answer now.

    Args:
        detail: why, and what to do.
        code: machine-readable name; the class has a default.
        retry_seconds: when the caller may ask again; without it soon, and not all at the same moment.
    """

    status = 503
    title = "Unavailable"
    default_code = "unavailable"


def code_of(kind: type[Exception]) -> str:
    """The code of an error that a library names by its class: `UnknownDomainError` is `unknown_domain`."""
    name = kind.__name__.removesuffix("Error")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
