"""A corpus whose truth is known: words of a ring, each mostly followed by its neighbour."""

import math
import random
import string
from pathlib import Path

from proxy_training.corpus import Corpus, FolderSource, build_corpus

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


def build_walks(folder: Path) -> Corpus:
    """Two domains with no word in common: `small` is easier to learn than `capitals`."""
    alphabets = {"capitals": string.ascii_uppercase, "small": string.ascii_lowercase}
    for number, (domain, letters) in enumerate(alphabets.items()):
        (folder / "text" / domain).mkdir(parents=True)
        for index in range(24):
            text = walk(letters, JUMPS[domain], words=2000, seed=100 * number + index)
            (folder / "text" / domain / f"{index}.txt").write_text(text, encoding="utf-8")
    return build_corpus(FolderSource(folder / "text"), cache=folder / "cache", vocabulary=300)
