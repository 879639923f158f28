"""Folders of invented text, large enough to hold out and small enough to build in a moment."""

import itertools
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy_training.corpus import Corpus, FolderSource, build_corpus


def invented_text(seed: int, *, alphabet: str = "abcdefghij", lines: int = 120) -> str:
    """Lines of eight words out of a thousand: no two documents share one."""
    choice = random.Random(seed)  # noqa: S311 - text, not secrets
    words = [
        "".join(letters) for letters in itertools.islice(itertools.product(alphabet, repeat=5), 0, 7000, 7)
    ]
    return "\n".join(" ".join(choice.choices(words, k=8)) for _ in range(lines))


@pytest.fixture
def text() -> Callable[..., str]:
    return invented_text


@pytest.fixture(scope="session")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two domains of thirty text files each."""
    root = tmp_path_factory.mktemp("texts")
    for number, (domain, alphabet) in enumerate({"letters": "abcdefghij", "vowels": "aeiouy"}.items()):
        (root / domain / "part").mkdir(parents=True)
        for index in range(30):
            name = f"part/{index}.md" if index % 2 else f"{index}.txt"
            body = invented_text(1000 * number + index, alphabet=alphabet)
            (root / domain / name).write_text(body, encoding="utf-8")
    return root


@pytest.fixture
def folder(written_once: Path, tmp_path: Path) -> Path:
    """A copy of the two domains that the test may change."""
    return shutil.copytree(written_once, tmp_path / "texts")


@pytest.fixture(scope="session")
def built_once(written_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(FolderSource(written_once), cache=tmp_path_factory.mktemp("cache"), vocabulary=300)


@pytest.fixture
def corpus(built_once: Corpus, tmp_path: Path) -> Corpus:
    """A corpus of the two domains that the test may damage."""
    return Corpus.open(shutil.copytree(built_once.folder, tmp_path / "corpus"))
