"""Count sketches: linear, the same however a parameter is cut, and as exact as theory says."""

import math

import numpy as np
import pytest
import torch

from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.micro_batches import MicroBatchGradients, linear_weights
from proxy_training.probes.sketch import CountSketch
from tests.proxy_training.probes.small import decoder, last_down, samples

SIZE = 1024


def sketched(values: torch.Tensor, sketch: CountSketch, *, name: str = "w", offset: int = 0) -> torch.Tensor:
    into = torch.zeros(sketch.size)
    sketch.add(values, name=name, into=into, offset=offset)
    return into


def test_shards_add_up_to_the_whole_wherever_they_are_cut() -> None:
    sketch = CountSketch(SIZE, seed=4)
    values = torch.randint(-9, 9, (1000, 30)).float()  # whole numbers: sums are exact in any order
    whole = sketched(values, sketch)
    for cuts in ([1, 29_999], [7, 12_345, 29_990], [15_000]):
        shards = torch.tensor_split(values.flatten(), cuts)
        offsets = [0, *cuts]
        parts = [sketched(shard, sketch, offset=at) for shard, at in zip(shards, offsets, strict=True)]
        assert torch.equal(torch.stack(parts).sum(dim=0), whole)


def test_products_are_within_three_deviations_of_exact_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    common = torch.randn(20_000, generator=generator)
    vectors = torch.stack([common + 3 * torch.randn(20_000, generator=generator) for _ in range(4)])
    lengths = vectors.norm(dim=1)
    errors = []
    for seed in range(100):
        sketches = torch.stack([sketched(vector, CountSketch(SIZE, seed=seed)) for vector in vectors])
        relative = (sketches @ sketches.T - vectors @ vectors.T) / torch.outer(lengths, lengths)
        errors += relative[torch.triu_indices(4, 4, 1).unbind()].tolist()
    found = np.array(errors) * math.sqrt(SIZE)
    assert np.mean(np.abs(found) < 3) >= 0.99  # a normal error is, in .997
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1.0, abs=0.1)
    assert abs(found.mean()) < 0.2  # without bias: 600 products of 100 sketches


def test_buckets_and_signs_look_drawn_and_depend_on_name_seed_and_place() -> None:
    ones = torch.ones(64 * SIZE)
    first = sketched(ones, CountSketch(SIZE, seed=0))
    assert float(first.var()) == pytest.approx(64, rel=0.2)  # sums of 64 signs
    assert abs(float(first.mean())) < 3 * math.sqrt(64 / SIZE)
    others = [
        sketched(ones, CountSketch(SIZE, seed=1)),
        sketched(ones, CountSketch(SIZE, seed=0), name="v"),
        sketched(ones, CountSketch(SIZE, seed=0), offset=64 * SIZE),
    ]
    for other in others:
        assert abs(float(first @ other)) / float(first.norm() * other.norm()) < 4 / math.sqrt(SIZE)


@pytest.mark.parametrize("scale_of_loss", [1.0, 128.0])
def test_accumulated_micro_batches_give_the_products_of_their_gradients(scale_of_loss: float) -> None:
    model, batch = decoder(width=16), samples(4, 4, 0)
    sketch = CountSketch(16_384, seed=2)
    weights = linear_weights(model)
    found = MicroBatchGradients(weights, sketch, d=3)
    parts = [batch.tokens[batch.domains == i][rows] for i in (0, 1) for rows in (slice(2), slice(2, None))]
    for _ in range(2):  # two steps with the same samples: sums twice as large
        model.zero_grad()
        found.begin()
        for domain, tokens in zip((0, 0, 1, 1), parts, strict=True):
            torch.autograd.backward(scale_of_loss * model.losses(tokens).mean() / 4)
            found.after(domain, samples=2, scale=4 / scale_of_loss)
    gram = found.collected().gram()
    exact = []
    for domain in (0, 1):
        loss = 2 * model.losses(batch.tokens[batch.domains == domain]).mean(dim=1).sum()
        grads = torch.autograd.grad(loss, list(weights.values()))
        exact.append(torch.cat([gradient.flatten() for gradient in grads]).double())
    lengths = [float(vector.norm()) for vector in exact]
    for i, j in [(0, 0), (0, 1), (1, 1)]:
        error = gram.products[i, j] - float(exact[i] @ exact[j])
        assert abs(error) < 3 / math.sqrt(sketch.size) * lengths[i] * lengths[j]
    assert gram.counts.tolist() == [8, 8, 0]
    assert np.isnan(gram.products[2, 2])
    assert (found.collected().counts == 0).all()


def test_sketches_of_other_parameters_are_not_multiplied_whatever_their_first_and_last_are() -> None:
    weights = linear_weights(decoder())
    first, one, other, last = sorted(weights)[:4]
    found = []
    for middle in (one, other):
        chosen = {name: weights[name] for name in (first, middle, last)}
        found.append(MicroBatchGradients(chosen, CountSketch(SIZE), d=1).collected())
    with pytest.raises(ValueError, match="not multiplied or added"):
        found[0].products(found[1], learning_rate=0.1, names=("aim",))


def test_a_sketched_layer_gives_nearly_the_products_of_the_whole() -> None:
    model, batch = decoder(width=32), samples(4, 4)
    with LayerWatch(last_down(model), name="down") as watch:
        torch.autograd.backward(model.losses(batch.tokens).mean())
    exact = watch.gradients(batch.domains, d=2).gram()
    sketch = CountSketch(SIZE)
    near = watch.gradients(batch.domains, d=2, sketch=sketch).gram()
    lengths = np.sqrt(np.diag(exact.products))
    errors = (near.products - exact.products) / np.outer(lengths, lengths)
    assert np.abs(errors).max() < 3 / math.sqrt(SIZE)
    assert near.layers != exact.layers
