"""Entropies of a corpus' domains from its token shards: what the entropy proxies of mixlaws need.

Adjacent tokens are counted as pairs, in one pass over blocks of a memory-mapped shard. A pair that begins
with the end of a document is left out: what follows is another text. Estimates from unlike numbers of
pairs are biased unlike, so by default every domain gives as many pairs as the smallest has, evenly spaced
over its text and the same ones each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import InvalidInputError
from mixlaws.sampling.entropy import pair_entropies, von_neumann_entropy
from mixlaws.sampling.rule import Statistics
from mixlaws.simplex import normalise
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.splits import Split
from proxy_training.token_embeddings import token_embeddings

_BLOCK = 2**20  # pairs that are counted at once: some 50 MB of working memory

Tokens = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Distinct pairs of adjacent tokens.

    Args:
        first: (k,) first token of each.
        second: (k,) second token of each.
        counts: (k,) how often it was seen.
    """

    first: IntArray
    second: IntArray
    counts: IntArray


def corpus_entropies(
    corpus: Corpus,
    /,
    *,
    split: Split = "train",
    pairs: int | Literal["equal", "all"] = "equal",
    correct: bool = True,
) -> Statistics:
    """Unigram, joint, conditional and von Neumann entropies (d,) of a corpus' domains, nats.

    Args:
        corpus: tokenised text.
        split: which part of it.
        pairs: pairs that are counted of each domain; `equal` means as many as the smallest has, `all` all.
        correct: add the Miller-Madow term for small samples.

    Raises:
        InvalidInputError: a domain has fewer pairs than are asked for.
    """
    end = corpus.tokeniser.end_of_document
    names = corpus.domains.names
    usable = [count_pairs(corpus.tokens(name, split), end=end) for name in names]
    least = min(usable) if pairs == "equal" else 1 if pairs == "all" else pairs
    for name, have in zip(names, usable, strict=True):
        if least < 1 or have < least:
            raise InvalidInputError(
                f"domain {name!r} has {have} pairs of adjacent tokens, {least} are asked for: "
                "use at least 1 and at most what the smallest domain has"
            )
    counted = [
        pair_counts(
            corpus.tokens(name, split),
            vocabulary=corpus.vocabulary,
            end=end,
            sample=None if pairs == "all" else least,
        )
        for name in names
    ]
    found = [pair_entropies(domain.first, domain.counts, correct=correct) for domain in counted]
    return Statistics(
        unigram_entropy=np.array([domain.unigram for domain in found]),
        joint_entropy=np.array([domain.joint for domain in found]),
        conditional_entropy=np.array([domain.conditional for domain in found]),
        von_neumann_entropy=_von_neumann(counted, corpus.vocabulary),
    )


def _von_neumann(counted: Sequence[PairCounts], vocabulary: int) -> FloatArray:
    """(d,) entropies over the tokens of each domain, whose embeddings are those of all domains together."""
    embeddings = token_embeddings(
        np.concatenate([domain.first for domain in counted]),
        np.concatenate([domain.second for domain in counted]),
        np.concatenate([domain.counts for domain in counted]),
        vocabulary=vocabulary,
    )
    usable = np.linalg.norm(embeddings, axis=1) > 0
    entropies = []
    for domain in counted:
        counts = np.bincount(domain.first, weights=domain.counts, minlength=vocabulary)
        used = usable & (counts > 0)
        entropies.append(von_neumann_entropy(embeddings[used], normalise(counts[used])))
    return np.array(entropies)


def count_pairs(tokens: Tokens, /, *, end: int) -> int:
    """Number of pairs of adjacent tokens within documents."""
    return sum(len(first) for first, _ in _blocks(tokens, end, _BLOCK))


def pair_counts(
    tokens: Tokens, /, *, vocabulary: int, end: int, sample: int | None = None, block: int = _BLOCK
) -> PairCounts:
    """Count pairs of adjacent tokens.

    Args:
        tokens: (n,) text, each document ending with `end`.
        vocabulary: number of tokens.
        end: the token that ends a document.
        sample: how many pairs to count, evenly spaced over all; None counts all.
        block: pairs in memory at once.
    """
    usable = 0 if sample is None else count_pairs(tokens, end=end)
    seen = 0
    ids = np.empty(0, dtype=np.int64)
    counts = np.empty(0, dtype=np.int64)
    for first, second in _blocks(tokens, end, block):
        numbers = first.astype(np.int64) * vocabulary + second
        if sample is not None:
            numbers = numbers[_evenly_spaced(seen, len(first), sample, usable)]
        seen += len(first)
        new, new_counts = np.unique(numbers, return_counts=True)
        ids, places = np.unique(np.concatenate([ids, new]), return_inverse=True)
        both = np.concatenate([counts, new_counts])
        counts = np.zeros(len(ids), dtype=np.int64)
        np.add.at(counts, places, both)
    return PairCounts(ids // vocabulary, ids % vocabulary, counts)


def _blocks(tokens: Tokens, end: int, block: int) -> Iterator[tuple[Tokens, Tokens]]:
    """First and second tokens of the pairs within documents, a block at a time."""
    for start in range(0, len(tokens) - 1, block):
        # One token of overlap: the pair across two blocks is counted once.
        piece = np.asarray(tokens[start : start + block + 1])
        within = piece[:-1] != end
        yield piece[:-1][within], piece[1:][within]


def _evenly_spaced(start: int, count: int, sample: int, usable: int) -> npt.NDArray[np.bool_]:
    """(count,) which of the pairs numbered from `start` belong to an even sample of all `usable` pairs.

    Pair i is taken where (i + 1) * sample / usable reaches the next whole number: `sample` times in all.
    """
    # Python's integers for the offset: the product of two large counts does not fit 64 bits.
    offset = start * sample % usable
    before = (offset + np.arange(count, dtype=np.int64) * sample) // usable
    after = (offset + np.arange(1, count + 1, dtype=np.int64) * sample) // usable
    return np.asarray(after > before)
