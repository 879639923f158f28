"""The decoder is a language model: it looks back alone, and starts out knowing how common tokens are."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mixwright.demo.plan import FULL, QUICK, Plan
from proxy_training.corpus import Corpus
from proxy_training.mixture_stream import MixtureStream
from proxy_training.model import Decoder
from proxy_training.spec import TrainSpec

VOCABULARY = 50


def decoder(spec: TrainSpec, *, seed: int = 0, log_unigram: Tensor | None = None) -> Decoder:
    torch.manual_seed(seed)
    vocabulary = VOCABULARY if log_unigram is None else len(log_unigram)
    return Decoder(spec, vocabulary=vocabulary, log_unigram=log_unigram)


def sequences(spec: TrainSpec, *, rows: int = 3, vocabulary: int = VOCABULARY) -> Tensor:
    return torch.randint(vocabulary, (rows, spec.context), generator=torch.Generator().manual_seed(7))


@torch.no_grad()
@pytest.mark.parametrize("place", [1, 7, 15])
def test_a_later_token_never_changes_what_is_predicted_before_it(tiny: TrainSpec, place: int) -> None:
    model, tokens = decoder(replace(tiny, layers=2)), sequences(tiny)
    changed = tokens.clone()
    changed[:, place] = (changed[:, place] + 1) % VOCABULARY
    before, after = model(tokens), model(changed)
    torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=1e-6)
    assert (after[:, place:] - before[:, place:]).abs().amax(dim=(0, 2)).min() > 1e-4


@torch.no_grad()
def test_the_order_of_earlier_tokens_matters(tiny: TrainSpec) -> None:
    # Attention alone sees a set: positions are what turns it into a sequence.
    model, tokens = decoder(tiny), torch.arange(tiny.context)[None, :]
    swapped = tokens.clone()
    swapped[:, [2, 9]] = swapped[:, [9, 2]]
    assert (model(swapped)[:, -1] - model(tokens)[:, -1]).abs().max() > 1e-6


@torch.no_grad()
def test_a_sequence_is_predicted_alike_alone_and_among_others(tiny: TrainSpec) -> None:
    model, tokens = decoder(tiny), sequences(tiny, rows=5)
    together = model(tokens)
    assert together.shape == (5, tiny.context, VOCABULARY)
    for row in range(5):
        torch.testing.assert_close(model(tokens[row : row + 1])[0], together[row], rtol=0, atol=1e-5)


@torch.no_grad()
def test_losses_are_the_negative_log_probabilities_of_the_next_tokens(tiny: TrainSpec) -> None:
    model, windows = decoder(tiny), sequences(replace(tiny, context=17))
    losses = model.losses(windows)
    assert losses.shape == (3, 16)
    logs = model(windows[:, :-1]).double().log_softmax(dim=-1)
    for row in range(3):
        for place in range(16):
            expected = -float(logs[row, place, windows[row, place + 1]])
            assert float(losses[row, place]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("change", [{}, {"layers": 3}, {"width": 32, "heads": 4}, {"hidden": 50}])
def test_parameters_are_those_of_the_architecture(tiny: TrainSpec, change: dict[str, Any]) -> None:
    spec = replace(tiny, **change)
    w, h = spec.width, spec.hidden
    attention, hidden, norms = 3 * w * w + w * w, 2 * w * h + h * w, 2 * w
    expected = VOCABULARY * w + VOCABULARY + spec.layers * (attention + hidden + norms) + w
    assert decoder(spec).parameter_count() == expected


@torch.no_grad()
def test_the_head_is_the_embedding(tiny: TrainSpec) -> None:
    model, tokens = decoder(tiny), sequences(tiny, vocabulary=VOCABULARY - 1)
    before = model(tokens)
    model.embedding.weight[VOCABULARY - 1].add_(0.1)  # a token that is never read, so only the head can tell
    after = model(tokens)
    torch.testing.assert_close(after[..., :-1], before[..., :-1], rtol=0, atol=0)
    assert (after[..., -1] - before[..., -1]).abs().min() > 1e-6


@pytest.mark.parametrize("plan", [FULL, QUICK], ids=["full", "quick"])
def test_targets_of_the_demo_are_at_least_four_times_their_proxies(plan: Plan) -> None:
    proxy = Decoder(plan.proxy, vocabulary=plan.vocabulary).parameter_count()
    target = Decoder(plan.target, vocabulary=plan.vocabulary).parameter_count()
    assert target >= 4 * proxy


@torch.no_grad()
def test_the_first_loss_is_the_entropy_of_the_token_frequencies(tiny: TrainSpec, walks: Corpus) -> None:
    log_unigram = walks.log_unigram(np.array([0.5, 0.5]))
    entropy = -float(np.exp(log_unigram) @ log_unigram)
    windows = torch.from_numpy(MixtureStream(walks, context=16, seed=0).batch([0, 1] * 64))
    knowing = decoder(tiny, log_unigram=torch.from_numpy(log_unigram))
    assert float(knowing.losses(windows).mean()) == pytest.approx(entropy, abs=0.1)
    ignorant = decoder(tiny, log_unigram=torch.zeros(walks.vocabulary))
    assert float(ignorant.losses(windows).mean()) == pytest.approx(math.log(walks.vocabulary), abs=0.1)


def test_training_one_model_leaves_the_frequencies_of_the_next_alone(tiny: TrainSpec) -> None:
    log_unigram = torch.full((VOCABULARY,), -math.log(VOCABULARY))
    model = decoder(tiny, log_unigram=log_unigram)
    with torch.no_grad():
        model.bias.add_(1.0)
    assert float(log_unigram.max()) == pytest.approx(-math.log(VOCABULARY))


def test_a_seed_gives_the_same_model_again_and_another_seed_another_one(tiny: TrainSpec) -> None:
    first, again, other = (decoder(tiny, seed=seed) for seed in (5, 5, 6))
    tokens = sequences(tiny)
    assert torch.equal(first(tokens), again(tokens))
    assert not torch.allclose(first(tokens), other(tokens), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 4, 16])
def test_depth_does_not_swell_the_residual_stream(tiny: TrainSpec, layers: int) -> None:
    model = decoder(replace(tiny, layers=layers, width=64, hidden=128))
    deviations: list[float] = []
    model.norm.register_forward_pre_hook(lambda _, given: deviations.append(float(given[0].std())))
    tokens = sequences(tiny)
    model(tokens)
    # Unscaled, sixteen blocks make it five times as large.
    assert deviations[0] == pytest.approx(float(model.embedding(tokens).std()), rel=0.25)
