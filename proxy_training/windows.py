"""Windows of text: how samples that are scored are cut, always the same ones of the same text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import FloatArray
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.splits import Split
from proxy_training.corpus.tokeniser import Tokeniser

Tokens = npt.NDArray[np.uint16]
Windows = npt.NDArray[np.int64]


def even_windows(tokens: Tokens, /, *, length: int, count: int) -> Windows:
    """(k, length) windows that do not overlap, spread evenly over a text; k is count, or all there are."""
    available = len(tokens) // length
    taken = min(available, count)
    starts = (np.arange(taken) * available // max(1, taken)) * length
    # Window by window: the text may be a memory map far larger than what is taken of it.
    rows = [np.asarray(tokens[start : start + length], dtype=np.int64) for start in starts]
    return np.stack(rows) if rows else np.empty((0, length), dtype=np.int64)


def mixed_windows(
    corpus: Corpus, shares: FloatArray, /, *, length: int, count: int, split: Split = "validation"
) -> Windows:
    """(k, length) windows of a corpus in given shares of its domains, domain by domain.

    Args:
        corpus: tokenised text.
        shares: (d,) of the windows, on the simplex; met to one window in each domain.
        length: tokens of a window.
        count: how many are wanted; fewer are taken where a domain has too little text for its share.
        split: which text.

    Raises:
        ValueError: the text of a domain with a share fills no window.
    """
    names = corpus.domains.names
    texts = [corpus.tokens(name, split) for name in names]
    available = np.array([len(text) // length for text in texts])
    for name, share, have in zip(names, shares, available, strict=True):
        if share > 0 and have == 0:
            raise ValueError(f"domain {name!r} has too little {split} text for one window of {length} tokens")
    used = shares > 0
    total = min(count, int((available[used] / shares[used]).min()))
    # Rounded sums: the counts add up to the total, and each is within one of its share.
    ends = np.round(np.cumsum(shares) * total).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    return np.concatenate(
        [even_windows(text, length=length, count=int(n)) for text, n in zip(texts, counts, strict=True)]
    )


def text_windows(texts: Sequence[str], tokeniser: Tokeniser, /, *, length: int, count: int) -> Windows:
    """(k, length) windows of documents from elsewhere, one after the other as in a shard.

    Raises:
        ValueError: together they fill no window.
    """
    encoded = list(tokeniser.encode(texts))
    tokens = np.concatenate(encoded) if encoded else np.empty(0, dtype=np.uint16)
    if len(tokens) < length:
        raise ValueError(
            f"the target text has {len(tokens)} tokens, and a window has {length}: give more text, or a "
            "smaller context"
        )
    return even_windows(tokens, length=length, count=count)
