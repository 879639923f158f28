"""A corpus whose truth is known, and a run that takes a moment."""

import pytest

from proxy_training.corpus import Corpus
from proxy_training.spec import TrainSpec
from tests.support.walks import build_walks


@pytest.fixture(scope="session")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two domains with no word in common: `small` is easier to learn than `capitals`."""
    return build_walks(tmp_path_factory.mktemp("walks"))


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
