"""Making and reading the secrets that callers show.

A key reads `mx_<public part>_<secret>`: the prefix lets secret scanners find a leaked one, the public
part finds its row, and only a digest of the secret is stored.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_DIFFERENT_CHARACTERS = 18
_PATTERN = re.compile(r"mx_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Secret:
    """A key as its holder knows it, or a token; `text` is shown once and never stored."""

    text: str
    public_part: str
    digest: bytes


def new_key() -> Secret:
    """A key with 256 random bits."""
    public = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    return Secret(f"mx_{public}_{secret}", public, digest(secret))


def new_token() -> Secret:
    """A token of a browser session or a one-time link."""
    text = secrets.token_urlsafe(32)
    return Secret(text, "", digest(text))


def parse_key(text: str) -> Secret | None:
    """The parts of a key; None if it is not shaped like one."""
    match = _PATTERN.fullmatch(text)
    return Secret(text, match[1], digest(match[2])) if match else None


def is_random(secret: Secret) -> bool:
    """Whether the secret of a key looks drawn at random, and not typed as a placeholder.

    43 random characters out of 64 hold 31 different ones, and fewer than 18 once in 10^10 keys.
    """
    return len(set(secret.text.split("_", 2)[2])) >= _DIFFERENT_CHARACTERS


def digest(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def same(left: bytes, right: bytes) -> bool:
    """Compare digests in a time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)
