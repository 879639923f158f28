"""Asking the service, before anything takes time, whether it is there and takes the key."""

from urllib.parse import urlsplit
from uuid import UUID

from mixclient import ONCE, NotFoundError, ServiceClient, ServiceError, ServiceUnreachableError
from mixwright.problems import CommandError

_NOTHING = str(UUID(int=0))
_SECONDS = 10.0
_AWAY = {500, 502, 503, 504}  # a service or a proxy in front of it that will do better later


def refusal(url: str, key: str) -> str | None:
    """Why the service does not answer at this moment; None if it does, and takes the key of a worker.

    Raises:
        CommandError: address or key cannot be right.
        NotAuthorisedError: the key is refused.
    """
    require_address(url)
    if not (key.isascii() and key.isprintable()):
        raise CommandError("the API key holds characters that no key has: copy it again")
    with ServiceClient(url, key, timeout=_SECONDS, retry=ONCE) as client:
        try:
            # A heartbeat of no run needs what a worker needs, and changes nothing.
            client.heartbeat(_NOTHING, _NOTHING, 0.0)
        except ServiceUnreachableError as error:
            return str(error)
        except ServiceError as error:
            if error.status in _AWAY:
                return f"{url} answers {error.status}"
            if error.code == "not_a_problem_document":
                raise CommandError(f"{url} answers, but not as the service does: correct --url") from None
            if not isinstance(error, NotFoundError):
                raise
    return None


def require_address(url: str) -> None:
    """Refuse what cannot be the address of a service.

    Raises:
        CommandError: with what to pass.
    """
    if not is_address(url):
        raise CommandError(f"{url!r} is no address: pass --url with one such as http://127.0.0.1:8321")


def is_address(url: str) -> bool:
    """Whether this can be the address of a service."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


def is_of_this_machine(url: str) -> bool:
    """Whether an address stays on this machine."""
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


def admin_key(url: str) -> str:
    """The key that the service of this installation wrote on its first start; no other one gets it."""
    if is_address(url) and not is_of_this_machine(url):
        raise CommandError(
            f"no API key for {url}: pass --key or set MIXWRIGHT_KEY; `mixwright key create` makes one there"
        )
    try:
        from mixwright.configuration import read_settings  # noqa: PLC0415 - needs the service installed
    except ModuleNotFoundError:
        raise CommandError("no API key: pass --key or set MIXWRIGHT_KEY") from None
    file = read_settings().admin_key_file
    if not file.exists():
        raise CommandError(
            f"no API key: pass --key, set MIXWRIGHT_KEY, or start `mixwright serve` (no {file})"
        )
    return file.read_text(encoding="ascii").strip()
