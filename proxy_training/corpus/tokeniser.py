"""Byte-level byte-pair encoding, trained on the corpus itself.

Its alphabet holds all 256 bytes and nothing is normalised, so that every text comes back exactly. A
small vocabulary keeps the embedding of a proxy model small; it costs longer sequences.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from proxy_training.corpus.errors import CorpusOptionError

Tokens = npt.NDArray[np.uint16]

END_OF_DOCUMENT = "<|end of document|>"
SMALLEST_VOCABULARY = 257  # all bytes and the end of a document
LARGEST_VOCABULARY = 2**16  # tokens are stored in 16 bits


def check_vocabulary(vocabulary: int, /) -> None:
    """Check that a tokeniser of this size can be trained and stored.

    Raises:
        CorpusOptionError: it cannot.
    """
    if not SMALLEST_VOCABULARY <= vocabulary <= LARGEST_VOCABULARY:
        allowed = f"between {SMALLEST_VOCABULARY} and {LARGEST_VOCABULARY}"
        raise CorpusOptionError(f"a vocabulary of {vocabulary} tokens cannot be stored: choose one {allowed}")


@dataclass(frozen=True)
class Tokeniser:
    """Text to tokens and back.

    Args:
        inner: the trained tokeniser of the `tokenizers` library.
    """

    inner: Tokenizer

    @classmethod
    def train(cls, texts: Iterable[str], *, vocabulary: int) -> "Tokeniser":
        """Train on texts; the same texts give the same tokeniser.

        Args:
            texts: training text.
            vocabulary: number of tokens wanted; little text gives fewer.

        Raises:
            CorpusOptionError: the vocabulary is out of range.
        """
        check_vocabulary(vocabulary)
        inner = Tokenizer(models.BPE())
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[END_OF_DOCUMENT],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        inner.train_from_iterator(texts, trainer)
        return cls.from_json(inner.to_str())

    @classmethod
    def from_json(cls, text: str, /) -> "Tokeniser":
        """Read what `to_json` wrote."""
        inner = Tokenizer.from_str(text)
        # A document that spells out the marker must not end there.
        inner.encode_special_tokens = True
        return cls(inner)

    @classmethod
    def open(cls, path: Path, /) -> "Tokeniser":
        """Read a tokeniser from a file."""
        return cls.from_json(path.read_text(encoding="utf-8"))

    def to_json(self) -> str:
        """Write the tokeniser in the format of the `tokenizers` library."""
        return str(self.inner.to_str())

    @cached_property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(self.inner.get_vocab_size())

    @cached_property
    def end_of_document(self) -> int:
        """The token that follows every document."""
        return self.inner.get_vocab()[END_OF_DOCUMENT]

    @cached_property
    def byte_lengths(self) -> npt.NDArray[np.int64]:
        """(V,) bytes of text that each token stands for; the end of a document stands for none."""
        # In this alphabet one character stands for one byte.
        lengths = [len(self.inner.id_to_token(token) or "") for token in range(self.vocabulary)]
        lengths[self.end_of_document] = 0
        return np.array(lengths, dtype=np.int64)

    def encode(self, texts: Sequence[str], /) -> Iterator[Tokens]:
        """Encode documents on all cores, each ending with the end of a document."""
        for encoding in self.inner.encode_batch_fast(list(texts), add_special_tokens=False):
            yield np.array([*encoding.ids, self.end_of_document], dtype=np.uint16)

    def decode(self, tokens: Sequence[int] | Tokens, /) -> str:
        """Text of tokens; cut within a character it holds a replacement character."""
        ids = [int(token) for token in tokens if token != self.end_of_document]
        return str(self.inner.decode(ids, skip_special_tokens=False))
