"""Overlap is the share of held-out windows that stand in training text, within documents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.overlap import WINDOW, overlaps
from proxy_training.corpus.tokeniser import Tokens

END = 0


def tokens(*values: int) -> Tokens:
    return np.array(values, dtype=np.uint16)


def shares(held_out: list[Tokens], training: list[Tokens]) -> list[float]:
    return overlaps(held_out, training, end_of_document=END)


def counted(held_out: Tokens, training: list[Tokens]) -> float:
    """The definition, window by window."""

    def windows(text: Tokens) -> list[bytes]:
        starts = range(len(text) - WINDOW + 1)
        return [text[s : s + WINDOW].tobytes() for s in starts if END not in text[s : s + WINDOW]]

    there = {window for text in training for window in windows(text)}
    wanted = windows(held_out)
    return sum(window in there for window in wanted) / len(wanted) if wanted else 0.0


@given(
    st.lists(st.integers(0, 100), max_size=3), st.lists(st.integers(0, 200), max_size=3), st.integers(0, 999)
)
def test_overlap_is_what_counting_gives(held: list[int], train: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Two periodic texts with ends of documents in them, so that windows do recur.
    pieces = [np.tile(rng.integers(0, 9, size=29).astype(np.uint16), 20) for _ in range(2)]
    held_out = [pieces[length % 2][:length] for length in held]
    training = [pieces[length % 3 > 0][length:] for length in train]
    assert shares(held_out, training) == pytest.approx([counted(text, training) for text in held_out])


def test_text_repeated_whole_overlaps_whole_and_unrelated_text_not_at_all(rng: np.random.Generator) -> None:
    training = [rng.integers(1, 2048, size=100_000).astype(np.uint16) for _ in range(2)]
    unrelated = rng.integers(1, 2048, size=4000).astype(np.uint16)
    assert shares([training[0][5000:9000], unrelated, training[1][:100]], training) == [1.0, 0.0, 1.0]


def test_a_window_across_two_documents_does_not_count() -> None:
    training = tokens(*range(1, 40))
    assert shares([tokens(*range(1, 11), END, *range(11, 21))], [training]) == [0.0]


def test_text_shorter_than_a_window_has_no_overlap() -> None:
    assert shares([tokens(1, 2, 3)], [tokens(1, 2, 3)]) == [0.0]
    assert shares([], []) == []
