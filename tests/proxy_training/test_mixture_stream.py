"""Training text is read once an epoch, in an order that depends on the seed and on nothing else."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from mixclient import Sampler, Schedule
from proxy_training.corpus import Corpus, Split
from proxy_training.corpus.splits import HELD_OUT
from proxy_training.mixture_stream import MixtureStream
from proxy_training.train import FixedMixture

CONTEXT = 63
LENGTH = CONTEXT + 1  # of a window, which has one token more than it predicts


def stream(corpus: Corpus, *, seed: int = 3, split: Split = "train") -> MixtureStream:
    return MixtureStream(corpus, context=CONTEXT, seed=seed, split=split)


def windows(corpus: Corpus, domain: str, split: Split = "train") -> npt.NDArray[np.int64]:
    """All windows of a domain in the order of the text."""
    tokens = corpus.tokens(domain, split)
    return tokens[: len(tokens) // LENGTH * LENGTH].reshape(-1, LENGTH).astype(np.int64)


def rows(batch: npt.NDArray[np.int64]) -> list[bytes]:
    return [row.tobytes() for row in batch]


@pytest.mark.parametrize("domain", [0, 1])
def test_an_epoch_reads_every_window_once_before_any_is_read_again(walks: Corpus, domain: int) -> None:
    text = rows(windows(walks, walks.domains.names[domain]))
    assert len(set(text)) == len(text) > 100
    drawn = stream(walks)
    epochs = [rows(drawn.batch([domain] * len(text))) for _ in range(3)]
    assert all(sorted(epoch) == sorted(text) for epoch in epochs)
    assert text not in epochs, "in the order of the text neighbours would share a batch"
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_an_epoch_ends_in_the_middle_of_a_batch(walks: Corpus) -> None:
    count = len(windows(walks, "small"))
    drawn = stream(walks)
    drawn.batch([1] * (count - 1))
    across = rows(drawn.batch([1] * 3))
    begun = rows(stream(walks).batch([1] * count))
    assert across[0] == begun[-1]
    assert set(across[1:]) <= set(begun)


def test_equal_seeds_give_equal_batches_and_other_seeds_others(walks: Corpus) -> None:
    domains = [0, 1, 1, 0, 1, 1, 1, 0]
    first, again, other = stream(walks), stream(walks), stream(walks, seed=4)
    for _ in range(5):
        batch = first.batch(domains)
        assert np.array_equal(batch, again.batch(domains))
        assert not np.array_equal(batch, other.batch(domains))


def test_the_nth_sample_of_a_domain_is_the_same_text_under_every_mixture(walks: Corpus) -> None:
    # Two runs that differ in weights alone then differ in nothing else.
    mixtures = [np.array([0, 0, 0, 1] * 10), np.array([1, 0, 1, 1] * 10)]
    batches = [stream(walks).batch(domains.tolist()) for domains in mixtures]
    for domain in (0, 1):
        one, other = (rows(batch[mix == domain]) for batch, mix in zip(batches, mixtures, strict=True))
        assert one[:10] == other[:10]


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.83, 0.17), (0.001, 0.999)])
def test_domains_are_read_as_often_as_the_sampler_says(walks: Corpus, weights: tuple[float, float]) -> None:
    shares = dict(zip(walks.domains.names, weights, strict=True))
    mixture, drawn = FixedMixture(shares, batch=8, seed=5), stream(walks)
    sampler = Sampler(Schedule.static(shares, samples_per_step=8), seed=5)
    read: Counter[str] = Counter()
    texts = {name: set(rows(windows(walks, name))) for name in walks.domains.names}
    for step in range(50):
        batch = rows(drawn.batch(mixture.step(step)))
        read.update(name for row in batch for name, text in texts.items() if row in text)
    expected = np.sum([sampler.counts(step) for step in range(50)], axis=0)
    assert [read[name] for name in walks.domains.names] == expected.tolist()
    assert drawn.tokens_drawn == (CONTEXT * expected).tolist()
    assert expected[0] == pytest.approx(400 * weights[0], abs=2)


def test_held_out_text_is_in_no_training_batch(walks: Corpus) -> None:
    context = 255  # long enough that no two walks are alike by chance
    drawn = MixtureStream(walks, context=context, seed=0)
    for index, name in enumerate(walks.domains.names):
        count = len(walks.tokens(name, "train")) // (context + 1)
        training = set(rows(drawn.batch([index] * count)))
        for split in HELD_OUT:
            held_out = walks.tokens(name, split).astype(np.int64)
            stretches = np.lib.stride_tricks.sliding_window_view(held_out, context + 1)
            assert not training & set(rows(stretches))


def test_a_stream_of_a_held_out_split_reads_that_split(walks: Corpus) -> None:
    text = windows(walks, "small", "validation")
    assert sorted(rows(stream(walks, split="validation").batch([1] * len(text)))) == sorted(rows(text))


def test_a_domain_without_one_window_is_refused_by_name(walks: Corpus) -> None:
    with pytest.raises(ValueError, match="domain 'capitals' does not fill one window of 40001 tokens"):
        MixtureStream(walks, context=40_000, seed=0)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_ranks_that_read_their_parts_read_what_one_would_read(walks: Corpus, ranks: int) -> None:
    domains = np.random.default_rng(0).integers(0, 2, size=(5, 8)).tolist()
    alone, parts = stream(walks), [stream(walks) for _ in range(ranks)]
    for step in domains:
        whole = alone.batch(step)
        for rank, part in enumerate(parts):
            assert np.array_equal(part.read(part.take(step)[rank::ranks]), whole[rank::ranks])
    assert all(np.array_equal(part.drawn, alone.drawn) for part in parts)
