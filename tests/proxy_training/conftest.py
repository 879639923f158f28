"""A corpus whose truth is known: words of a ring, each mostly followed by its neighbour."""

import math
import random
import string

import pytest

from proxy_training.corpus import Corpus, FolderSource, build_corpus
from proxy_training.spec import TrainSpec

WORDS = 16
JUMPS = {"capitals": 0.4, "small": 0.1}  # share of words that are followed by any word


def walk(letters: str, jumps: float, *, words: int, seed: int) -> str:
    choice = random.Random(seed)  # noqa: S311 - text, not secrets
    place, said = 0, []
    for _ in range(words):
        place = choice.randrange(WORDS) if choice.random() < jumps else (place + 1) % WORDS
        said.append(letters[place])
    return " ".join(said)


def entropy_rate(jumps: float) -> float:
    """The loss of whoever knows the ring, nats per word: nobody predicts better."""
    other = jumps / WORDS
    neighbour = 1 - jumps + other
    return -neighbour * math.log(neighbour) - (WORDS - 1) * other * math.log(other)


@pytest.fixture(scope="session")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two domains with no word in common: `small` is easier to learn than `capitals`."""
    root = tmp_path_factory.mktemp("walks")
    alphabets = {"capitals": string.ascii_uppercase, "small": string.ascii_lowercase}
    for number, (domain, letters) in enumerate(alphabets.items()):
        (root / domain).mkdir()
        for index in range(24):
            text = walk(letters, JUMPS[domain], words=2000, seed=100 * number + index)
            (root / domain / f"{index}.txt").write_text(text, encoding="utf-8")
    return build_corpus(FolderSource(root), cache=tmp_path_factory.mktemp("cache"), vocabulary=300)


@pytest.fixture
def tiny() -> TrainSpec:
    """A run of 40 steps of 256 tokens: a moment."""
    return TrainSpec(
        tokens=40 * 256,
        context=16,
        batch=16,
        layers=1,
        width=16,
        heads=2,
        hidden=32,
        learning_rate=3e-2,
        evaluation_tokens=1024,
    )
