"""Token shards: one file per domain and split, 16 bits a token, read through a memory map."""

import hashlib
from pathlib import Path

import numpy as np

from proxy_training.corpus.tokeniser import Tokens

TOKEN = np.dtype("<u2")  # one byte order on every machine, so that hashes agree
_BLOCK = 2**20  # bytes hashed at once


def write_shard(path: Path, tokens: Tokens, /) -> str:
    """Write tokens; return the file's SHA-256."""
    raw = tokens.astype(TOKEN).tobytes()
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def open_shard(path: Path, /) -> np.memmap[tuple[int], np.dtype[np.uint16]]:
    """Map the tokens of a file into memory, read-only."""
    return np.memmap(path, dtype=TOKEN, mode="r")


def sha256_of(path: Path, /) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
