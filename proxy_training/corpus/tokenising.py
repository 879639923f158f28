"""From collected documents to tokenised ones: a tokeniser trained on all domains alike."""

from collections.abc import Iterator, Mapping, Sequence

from proxy_training.corpus.documents import Document
from proxy_training.corpus.splits import Candidate, quarters
from proxy_training.corpus.tokeniser import Tokeniser, Tokens

SAMPLE_BYTES = 400_000  # of each domain, so that no domain owns the vocabulary; trained on in about a second
SAMPLE_DOCUMENT_BYTES = 20_000  # of each document: twenty documents or more
_BATCH_BYTES = 2_000_000  # tokenised at once: keeps all cores busy and the library's objects few


def train_tokeniser(domains: Mapping[str, Sequence[Document]], /, *, vocabulary: int, seed: int) -> Tokeniser:
    """Train on an equal sample of every domain, taken from documents that can never be held out."""
    return Tokeniser.train(
        (text for documents in domains.values() for text in _sample(documents, seed=seed)),
        vocabulary=vocabulary,
    )


def tokenise(documents: Sequence[Document], tokeniser: Tokeniser, /, *, seed: int) -> list[Candidate]:
    """Tokenise the documents of a domain and give each its place in the order of the splits."""
    places = quarters([document.origin for document in documents], seed=seed)
    return [
        Candidate(document.origin, tokens, split, rank)
        for document, tokens, (split, rank) in zip(
            documents, _tokens(documents, tokeniser), places, strict=True
        )
    ]


def _sample(documents: Sequence[Document], *, seed: int) -> Iterator[str]:
    room = SAMPLE_BYTES
    places = quarters([document.origin for document in documents], seed=seed)
    for document, (split, _) in zip(documents, places, strict=True):
        if room <= 0:
            return
        if split == "train":
            text = document.text[:SAMPLE_DOCUMENT_BYTES]
            room -= len(text.encode())
            yield text


def _tokens(documents: Sequence[Document], tokeniser: Tokeniser) -> Iterator[Tokens]:
    batch: list[str] = []
    size = 0
    for document in documents:
        batch.append(document.text)
        size += len(document.text)
        if size > _BATCH_BYTES:
            yield from tokeniser.encode(batch)
            batch, size = [], 0
    yield from tokeniser.encode(batch)
