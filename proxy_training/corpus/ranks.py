"""A seeded order of documents that depends on each origin alone.

A shuffle moves every document when one file is added. Ordering by a hash of the origin moves none:
a new file takes its own place, and sampling and splitting change only around it.
"""

import hashlib


def rank(origin: str, *, seed: int, purpose: str) -> int:
    """A 64-bit number, uniform over origins; different purposes give unrelated orders."""
    # File names that are not UTF-8 reach Python as lone surrogates, hence "surrogatepass".
    key = f"{purpose}\0{seed}\0{origin}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")
