"""Divides the documents of a domain into training, validation and test text.

Whole documents are held out, never a piece of one whose rest is trained on. Validation scores proxy
runs, from which a mixture is chosen; test scores the final runs, so that the choice is not judged by
the text it was made on.

Documents are ordered by a seeded hash of their origin: the lowest quarter may be validation, the
highest may be test, and from either end as many are taken as evaluation needs. A new document takes
its place in that order and moves at most the ones at the edge; none changes from one held-out split
to the other. The quarters are known before anything is tokenised, so the tokeniser is trained on the
half between them and never sees held-out text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from proxy_training.corpus.errors import DomainTooSmallError
from proxy_training.corpus.ranks import rank
from proxy_training.corpus.tokeniser import Tokens

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
HELD_OUT: tuple[Split, ...] = ("validation", "test")

HELD_OUT_TOKENS = 50_000  # in each split: the standard error of a mean loss is then about 0.01 nats
HELD_OUT_SHARE = 0.1  # a small domain holds out at most this share of its tokens in each split
FEWEST_HELD_OUT_TOKENS = 4_000  # with fewer, differences between mixtures drown in noise
HELD_OUT_DOCUMENTS = 4  # fewer would measure their authors and not the domain
# As many share a split where the domain has them: a mixture that is chosen on one split must be good for
# another, and documents of one domain differ more than seeds do.
WANTED_DOCUMENTS = 12
TRIMMED_SHARE = 0.08  # of a domain's tokens that a split may leave unused for that


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tokenised document, and the split that it may be held out for.

    Args:
        origin: where the document came from.
        tokens: its tokens, the end of the document included.
        split: the held-out split whose quarter it is in, else `train`.
        rank: its place in the order of the domain.
    """

    origin: str
    tokens: Tokens
    split: Split
    rank: int


@dataclass(frozen=True)
class Division:
    """The documents of a domain in each split.

    Args:
        documents: tokens of every document of a split, in the seeded order.
        trimmed_tokens: what long documents hold beyond their share of a held-out split; used nowhere.
    """

    documents: Mapping[Split, tuple[Candidate, ...]]
    trimmed_tokens: int

    def tokens(self, split: Split, /) -> int:
        """Number of tokens in a split."""
        return sum(len(document.tokens) for document in self.documents[split])


def quarters(origins: Sequence[str], /, *, seed: int) -> list[tuple[Split, int]]:
    """For each origin the split that it may be held out for, and its rank."""
    ranks = [rank(origin, seed=seed, purpose="split") for origin in origins]
    order = sorted(range(len(origins)), key=lambda index: (ranks[index], origins[index]))
    quarter = len(order) // 4
    places: dict[int, Split] = dict.fromkeys(order, "train")
    places.update(dict.fromkeys(order[:quarter], "validation"))
    places.update(dict.fromkeys(order[len(order) - quarter :], "test"))
    return [(places[index], ranks[index]) for index in range(len(origins))]


def divide(candidates: Sequence[Candidate], /, *, domain: str) -> Division:
    """Take validation and test documents from their quarters; the others are training text.

    One document gives a twelfth of a held-out split, or up to a quarter where fewer are there or much text
    would go unused: the rest of it is left out, since training on it would be training on the held-out
    document.

    Raises:
        DomainTooSmallError: too few documents or tokens to hold out.
    """
    order = sorted(candidates, key=lambda candidate: (candidate.rank, candidate.origin))
    total = sum(len(candidate.tokens) for candidate in order)
    wanted = int(min(HELD_OUT_TOKENS, HELD_OUT_SHARE * total))
    held = {
        "validation": tuple(_held_out(order, split="validation", wanted=wanted)),
        "test": tuple(_held_out(order[::-1], split="test", wanted=wanted)),
    }
    for documents in held.values():
        tokens = sum(len(document.tokens) for document in documents)
        if len(documents) < HELD_OUT_DOCUMENTS or tokens < FEWEST_HELD_OUT_TOKENS:
            raise DomainTooSmallError(
                domain,
                documents=len(order),
                tokens=total,
                needed_documents=4 * HELD_OUT_DOCUMENTS,
                needed_tokens=round(2 * FEWEST_HELD_OUT_TOKENS / HELD_OUT_SHARE),
            )
    taken = {document.origin for documents in held.values() for document in documents}
    training = tuple(candidate for candidate in order if candidate.origin not in taken)
    used = sum(len(document.tokens) for documents in (training, *held.values()) for document in documents)
    return Division(
        {"train": training, "validation": held["validation"], "test": held["test"]},
        trimmed_tokens=total - used,
    )


def _held_out(order: Sequence[Candidate], *, split: Split, wanted: int) -> Iterator[Candidate]:
    """Documents of one quarter, from its outer end, until there are enough tokens."""
    total = sum(len(candidate.tokens) for candidate in order)
    quarter = [candidate for candidate in order if candidate.split == split]
    share = _share(
        [len(candidate.tokens) for candidate in quarter], wanted, most_trimmed=TRIMMED_SHARE * total
    )
    room = wanted
    for candidate in quarter:
        if room <= 0:
            return
        tokens = candidate.tokens
        if len(tokens) > share:
            tokens = tokens[:share].copy()
            tokens[-1] = candidate.tokens[-1]  # the end of a document stays its last token
        room -= len(tokens)
        yield replace(candidate, tokens=tokens)


def _share(lengths: Sequence[int], wanted: int, *, most_trimmed: float) -> int:
    """Most tokens that one document may give: the fewest that are enough together and trim little."""
    for documents in range(WANTED_DOCUMENTS, HELD_OUT_DOCUMENTS, -1):
        share = max(-(-wanted // documents), 2)
        given = trimmed = 0
        for length in lengths:
            if given >= wanted:
                break
            given += min(length, share)
            trimmed += max(length - share, 0)
        if given >= wanted and trimmed <= most_trimmed:
            return share
    return max(-(-wanted // HELD_OUT_DOCUMENTS), 2)
