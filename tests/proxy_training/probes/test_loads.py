"""Loads of experts of a small mixture of experts that is trained on text."""

import numpy as np
import pytest
import torch

from proxy_training.corpus import Corpus
from proxy_training.mixture_stream import MixtureStream
from proxy_training.probes.loads import expert_counts
from proxy_training.sparse_model import Experts, SparseDecoder
from proxy_training.spec import TrainSpec

EXPERTS, CHOSEN = 4, 2


def test_experts_learn_domains_apart_and_their_loads_show_it(walks: Corpus, tiny: TrainSpec) -> None:
    torch.manual_seed(0)
    model = SparseDecoder(tiny, vocabulary=walks.vocabulary, experts=EXPERTS, chosen=CHOSEN)
    stream = MixtureStream(walks, context=tiny.context, seed=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses, routed = [], []
    for step in range(80):
        tokens = torch.from_numpy(stream.batch([0, 1] * 8))
        loss = model.losses(tokens).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss + model.balance_loss())
        optimiser.step()
        losses.append(float(loss.detach()))
        if step in (0, 79):
            layer = model.experts[-1]
            domains = torch.tensor([0, 1] * 8)
            routed.append(expert_counts(layer.routes, domains, d=3, experts=EXPERTS, layer=0))
    assert np.mean(losses[-5:]) < 0.6 * losses[0]
    for loads in routed:
        assert loads.counts.sum(axis=1).tolist() == [8 * tiny.context * CHOSEN] * 2 + [0]
        assert np.isnan(loads.shares[2]).all()
    before, after = (0.5 * np.abs(loads.shares[0] - loads.shares[1]).sum() for loads in routed)
    assert after > 1.5 * before  # the domains have no word in common
    assert (after_shares := routed[1].shares[:2].mean(axis=0)).min() > 0.02, after_shares  # all are used


def test_one_expert_of_one_is_the_dense_model(tiny: TrainSpec) -> None:
    torch.manual_seed(1)
    layer = Experts(tiny, count=1, chosen=1)
    x = torch.randn(3, 5, tiny.width)
    torch.testing.assert_close(layer(x), layer.experts[0](x))
    assert float(layer.balance.detach()) == pytest.approx(1.0)


def test_a_token_is_mixed_of_the_experts_it_was_sent_to(tiny: TrainSpec) -> None:
    torch.manual_seed(1)
    layer = Experts(tiny, count=5, chosen=2)
    x = torch.randn(2, 7, tiny.width)
    mixed = layer(x)
    likings = layer.router(x).softmax(dim=-1)
    token = (1, 3)
    first, second = likings[token].argsort(descending=True)[:2].tolist()
    assert layer.routes[token].tolist() == [first, second]
    a, b = likings[token][[first, second]] / likings[token][[first, second]].sum()
    expected = a * layer.experts[first](x[token]) + b * layer.experts[second](x[token])
    torch.testing.assert_close(mixed[token], expected)
    with pytest.raises(ValueError, match="3 of 2 experts"):
        SparseDecoder(tiny, vocabulary=9, experts=2, chosen=3)
