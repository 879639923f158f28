"""Held-out losses are nats per token of the text that they name, however they were computed."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from proxy_training.corpus import Corpus, Split
from proxy_training.corpus.splits import HELD_OUT
from proxy_training.evaluate import HeldOut, evaluate
from proxy_training.model import Decoder
from proxy_training.spec import TrainSpec

CONTEXT = 16
EVERYTHING = 1_000_000  # tokens: more than there are


@pytest.fixture
def model(tiny: TrainSpec, walks: Corpus) -> Decoder:
    """A model that has learnt nothing and is far from indifferent."""
    torch.manual_seed(2)
    decoder = Decoder(tiny, vocabulary=walks.vocabulary)
    with torch.no_grad():
        decoder.embedding.weight *= 30
    return decoder


def scored(model: Decoder, corpus: Corpus, *, tokens: int = EVERYTHING, split: Split = "test") -> HeldOut:
    return evaluate(model, corpus, context=CONTEXT, tokens=tokens, split=split)


def windows(corpus: Corpus, domain: str, split: Split) -> Tensor:
    held_out = corpus.tokens(domain, split)
    count = len(held_out) // (CONTEXT + 1)
    return torch.from_numpy(held_out[: count * (CONTEXT + 1)].astype(np.int64)).view(count, CONTEXT + 1)


@torch.no_grad()
@pytest.mark.parametrize("split", HELD_OUT)
def test_a_loss_is_the_mean_cross_entropy_of_the_text(model: Decoder, walks: Corpus, split: Split) -> None:
    held_out = scored(model, walks, split=split)
    assert list(held_out.losses) == list(walks.domains.names)
    for name, loss in held_out.losses.items():
        text = windows(walks, name, split)
        logits = model(text[:, :-1]).double().flatten(0, 1)
        direct = float(torch.nn.functional.cross_entropy(logits, text[:, 1:].flatten()))
        assert loss == pytest.approx(direct, abs=1e-5)


@torch.no_grad()
def test_a_model_that_knows_frequencies_alone_scores_their_cross_entropy(
    model: Decoder, walks: Corpus
) -> None:
    log_unigram = walks.log_unigram(np.array([0.5, 0.5]))
    model.embedding.weight.zero_()
    model.bias.copy_(torch.from_numpy(log_unigram))
    for name, loss in scored(model, walks).losses.items():
        predicted = windows(walks, name, "test")[:, 1:].numpy()
        assert loss == pytest.approx(-float(log_unigram[predicted].mean(dtype=np.float64)), abs=1e-5)


@pytest.mark.parametrize("size", [1, 7, 500])
def test_losses_do_not_depend_on_how_many_windows_are_scored_at_once(
    model: Decoder, walks: Corpus, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    usual = scored(model, walks, tokens=1000).losses
    monkeypatch.setattr("proxy_training.evaluate._BATCH", size)
    assert scored(model, walks, tokens=1000).losses == pytest.approx(usual, abs=1e-5)


@pytest.fixture
def read(model: Decoder) -> Iterator[list[Tensor]]:
    """Batches that the model was given, in order."""
    batches: list[Tensor] = []
    hook = model.register_forward_pre_hook(lambda _, given: batches.append(given[0].clone()))
    yield batches
    hook.remove()


@pytest.mark.parametrize("tokens", [17, 160, 1000])
def test_few_tokens_are_windows_spread_over_the_whole_text(
    model: Decoder, walks: Corpus, read: list[Tensor], tokens: int
) -> None:
    scored(model, walks, tokens=tokens)
    count = tokens // CONTEXT
    rows = torch.cat(read)
    assert len(rows) == 2 * count
    text = windows(walks, "capitals", "test")[:, :-1]  # where hardly any two windows are alike
    places = [int((text == row).all(dim=1).nonzero().item()) for row in rows[:count]]
    assert places[0] == 0
    assert np.ptp(np.diff([*places, len(text)])) <= 1


def test_every_model_is_scored_on_the_same_windows(model: Decoder, walks: Corpus, read: list[Tensor]) -> None:
    scored(model, walks, tokens=500)
    torch.manual_seed(99)
    first = torch.cat(read)
    read.clear()
    scored(model, walks, tokens=500)
    assert torch.equal(first, torch.cat(read))


def test_bits_per_byte_are_the_losses_in_another_unit(model: Decoder, walks: Corpus) -> None:
    held_out = scored(model, walks)
    for name, bits in held_out.bits_per_byte.items():
        tokens = walks.tokens(name, "test")
        characters = len(walks.tokeniser.decode(tokens).encode())
        nats = held_out.losses[name] * len(tokens)
        assert bits == pytest.approx(nats / math.log(2) / characters)


@pytest.mark.parametrize("training", [True, False])
def test_scoring_leaves_the_model_as_it_was(model: Decoder, walks: Corpus, training: bool) -> None:
    model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = scored(model, walks, tokens=100)
    assert model.training is training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert scored(model, walks, tokens=100) == first


def test_held_out_text_that_fills_no_window_is_refused_by_name(model: Decoder, walks: Corpus) -> None:
    with pytest.raises(ValueError, match=r"'capitals' holds out 4804 tokens for validation"):
        evaluate(model, walks, context=5000, tokens=5000, split="validation")
