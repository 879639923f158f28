"""Exact gradients of one layer, from the backward pass of the step."""

import numpy as np
import pytest
import torch

from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.layer import LayerWatch
from tests.proxy_training.probes.small import decoder, gradient, last_down, samples

NAME = "blocks.1.hidden.down.weight"


def watched(seed: int = 1, *counts: int) -> tuple[DomainGradients, torch.Tensor]:
    model, batch = decoder(), samples(*(counts or (3, 0, 4)), seed=seed)
    with LayerWatch(last_down(model), name=NAME) as watch:
        torch.autograd.backward(model.losses(batch.tokens).mean())
    return watch.gradients(batch.domains, d=3), watch.sample_squares(len(batch.domains))


def test_products_are_those_of_the_gradients_that_autograd_gives() -> None:
    model, batch, targets = decoder(), samples(3, 0, 4), samples(2, 2, seed=9)
    weight = last_down(model).weight
    own = [gradient(model, batch.tokens[batch.domains == i], weight) for i in (0, 2)]
    gradients, _ = watched()
    gram = gradients.gram()
    for (row, left), (column, right) in [((0, own[0]), (2, own[1])), ((2, own[1]), (2, own[1]))]:
        assert gram.products[row, column] == pytest.approx(float(left @ right), rel=1e-4)
    assert np.isnan(gram.products[1]).all()
    assert gram.counts.tolist() == [3, 0, 4]

    with LayerWatch(last_down(model), name=NAME) as watch:
        torch.autograd.backward(model.losses(targets.tokens).mean())
    aims = watch.gradients(targets.domains, d=2)
    found = gradients.products(aims, learning_rate=0.1, names=("code", "maths"))
    aim = gradient(model, targets.tokens[targets.domains == 1], weight) / 2
    assert found.products[2, 1] == pytest.approx(float(own[1] / 4 @ aim), rel=1e-4)
    assert found.norms[0] == pytest.approx(float(own[0].norm()) / 3, rel=1e-4)
    assert np.isnan(found.products[1]).all()


@pytest.mark.parametrize("context", [2, 12], ids=["short, by tokens", "long, by gradients"])
def test_squares_of_samples_are_those_of_their_own_gradients(context: int) -> None:
    model, batch = decoder(), samples(3, 3)
    tokens = batch.tokens[:, : context + 1]
    with LayerWatch(last_down(model), name=NAME) as watch:
        torch.autograd.backward(model.losses(tokens).mean())
    own = [float(gradient(model, row[None], last_down(model).weight).square().sum()) for row in tokens]
    np.testing.assert_allclose(watch.sample_squares(6), own, rtol=1e-4)


@pytest.mark.parametrize("height", [1, 4000], ids=["by gradients", "by tokens"])
def test_squares_of_samples_in_half_precision_are_below_no_limit(height: int) -> None:
    layer = torch.nn.Linear(1000, height, bias=False, dtype=torch.half)
    inputs = torch.full((1, 400, 1000), 256.0, dtype=torch.half)
    with LayerWatch(layer, name="wide") as watch:
        torch.autograd.backward(layer(inputs), torch.ones(1, 400, height, dtype=torch.half))
    expected = (400 * 256.0) ** 2 * 1000 * height
    np.testing.assert_allclose(watch.sample_squares(1, scale=1.0), [expected], rtol=1e-4)


def test_the_gradients_of_the_step_are_not_touched_and_hooks_are_gone() -> None:
    model, batch = decoder(), samples(2, 2)
    torch.autograd.backward(model.losses(batch.tokens).mean())
    plain = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    model.zero_grad()
    with LayerWatch(last_down(model), name=NAME):
        torch.autograd.backward(model.losses(batch.tokens).mean())
    seen = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(torch.equal(a, b) for a, b in zip(plain, seen, strict=True))
    assert not last_down(model)._forward_hooks


def test_gradients_of_other_parameters_are_not_multiplied() -> None:
    gradients, _ = watched()
    other = DomainGradients(gradients.sums, gradients.counts, "blocks.0.hidden.down.weight")
    with pytest.raises(ValueError, match="not multiplied or added"):
        gradients.products(other, learning_rate=0.1, names=("a", "b", "c"))
    with pytest.raises(ValueError, match="no backward pass"):
        LayerWatch(last_down(decoder()), name=NAME).gradients(samples(1).domains, d=1)


def test_inputs_of_a_pass_are_not_taken_with_gradients_of_the_one_before() -> None:
    model, batch = decoder(), samples(2, 2)
    with LayerWatch(last_down(model), name=NAME) as watch:
        torch.autograd.backward(model.losses(batch.tokens).mean())
        model.losses(samples(2, 2, seed=4).tokens)
    with pytest.raises(ValueError, match="no backward pass"):
        watch.gradients(batch.domains, d=2)
