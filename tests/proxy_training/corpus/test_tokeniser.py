"""Every text comes back from its tokens, and the same text trains the same tokeniser."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy_training.corpus import CorpusOptionError, Tokeniser
from proxy_training.corpus.tokeniser import END_OF_DOCUMENT

SAMPLE = ["for name in names:\n    print(name)\n" * 20, "the cat sat on the mat and the dog sat too " * 20]
TOKENISER = Tokeniser.train(SAMPLE, vocabulary=300)


@given(st.text())
@example(END_OF_DOCUMENT + " and on" + END_OF_DOCUMENT)
@example("\r\n\t \x00\x7f\ufeff\u202e\U0010ffff e\u0301")
def test_any_text_comes_back_and_its_bytes_are_counted(text: str) -> None:
    (tokens,) = TOKENISER.encode([text])
    assert tokens.dtype == np.uint16
    assert TOKENISER.decode(tokens) == text
    assert TOKENISER.byte_lengths[tokens].sum() == len(text.encode())
    assert (tokens == TOKENISER.end_of_document).sum() == 1
    assert tokens[-1] == TOKENISER.end_of_document


def test_frequent_text_takes_fewer_tokens_than_bytes() -> None:
    (tokens,) = TOKENISER.encode(["the cat sat on the mat"])
    assert len(tokens) < 15
    assert TOKENISER.vocabulary > 280


def test_a_batch_is_encoded_in_order() -> None:
    texts = [f"text {number}" for number in range(500)]
    assert [TOKENISER.decode(tokens) for tokens in TOKENISER.encode(texts)] == texts


def test_training_is_deterministic_and_survives_its_file(text: Callable[..., str]) -> None:
    sample = [text(number, lines=40) for number in range(40)]
    first, second = (Tokeniser.train(iter(sample), vocabulary=800) for _ in range(2))
    assert first.to_json() == second.to_json()
    again = Tokeniser.from_json(first.to_json())
    assert again.to_json() == first.to_json()
    marked = f"a{END_OF_DOCUMENT}b"
    assert [a.tolist() for a in again.encode([marked])] == [a.tolist() for a in first.encode([marked])]


@pytest.mark.parametrize("vocabulary", [0, 256, 65_537, -1])
def test_a_vocabulary_that_cannot_be_stored_is_refused(vocabulary: int) -> None:
    with pytest.raises(CorpusOptionError, match="choose one between 257 and 65536"):
        Tokeniser.train(SAMPLE, vocabulary=vocabulary)


def test_little_text_gives_fewer_tokens_than_wanted() -> None:
    assert Tokeniser.train(["ab"], vocabulary=5000).vocabulary <= 259
