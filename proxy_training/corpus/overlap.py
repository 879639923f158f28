"""How much of held-out text stands word for word in training text: the share of its 16-token windows.

A high share means that a low held-out loss is partly memory. Windows are compared by a 64-bit hash:
among ten million windows the chance of one false match is about one in a million.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from proxy_training.corpus.tokeniser import Tokens

WINDOW = 16  # tokens, about 40 bytes: longer than any idiom
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits without pattern
_TABLE_BITS = 24


def overlaps(
    held_out: Sequence[Tokens], training: Iterable[Tokens], /, *, end_of_document: int
) -> list[float]:
    """For each held-out text the share of its windows that occur in any of the training texts.

    A window never reaches across the end of a document.
    """
    wanted = [_window_hashes(tokens, end_of_document) for tokens in held_out]
    every = np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *wanted]))
    found = np.zeros(len(every), dtype=np.bool_)
    # Nearly all training windows occur nowhere else: a table of low bits rules them out without a search.
    mask = np.uint64(2**_TABLE_BITS - 1)
    table = np.zeros(2**_TABLE_BITS, dtype=np.bool_)
    table[every & mask] = True
    for tokens in training:
        there = _window_hashes(tokens, end_of_document)
        there = there[table[there & mask]]
        places = np.minimum(np.searchsorted(every, there), len(every) - 1)
        found[places[every[places] == there]] = True
    return [float(found[np.searchsorted(every, hashes)].mean()) if len(hashes) else 0.0 for hashes in wanted]


def _window_hashes(tokens: Tokens, end_of_document: int) -> npt.NDArray[np.uint64]:
    count = len(tokens) - WINDOW + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(WINDOW):
        hashes *= _MULTIPLIER
        hashes += tokens[offset : offset + count]
        # Tokens are small and near each other: spread them before the next one is added.
        hashes ^= hashes >> np.uint64(29)
    ends = np.concatenate([[0], np.cumsum(tokens == end_of_document)])
    within_one: npt.NDArray[np.uint64] = hashes[ends[WINDOW:] == ends[:count]]
    return within_one
