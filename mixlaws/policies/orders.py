"""Random orders of domains that do not depend on how the domains are numbered."""

import hashlib
from collections.abc import Sequence


def name_keys(names: Sequence[str]) -> tuple[int, ...]:
    """(d,) one number for each name, below 2^48 so that any JSON reader keeps it."""
    digests = (hashlib.blake2b(name.encode(), digest_size=6).digest() for name in names)
    return tuple(int.from_bytes(digest, "big") for digest in digests)


def random_order(keys: Sequence[int], seed: Sequence[int]) -> tuple[int, ...]:
    """(d,) the indices of the keys in an order that the numbers of a seed choose."""
    salt = ":".join(map(str, seed))
    draws = [hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=8).digest() for key in keys]
    return tuple(sorted(range(len(keys)), key=draws.__getitem__))
