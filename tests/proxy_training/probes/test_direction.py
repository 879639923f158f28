"""Derivatives along a direction are products with gradients."""

from typing import Literal

import numpy as np
import pytest
import torch

from proxy_training.model import Decoder
from proxy_training.probes.direction import Direction, preconditioned, target_direction, target_products
from tests.proxy_training.probes.small import decoder, samples


def exact(model: Decoder, direction: Direction, tokens: torch.Tensor) -> float:
    """Product of the gradient of the samples' mean loss with a direction."""
    named = dict(model.named_parameters())
    gradients = torch.autograd.grad(model.losses(tokens).mean(), [named[name] for name in direction])
    pairs = zip(gradients, direction.values(), strict=True)
    return float(sum((left.double() * right.double()).sum() for left, right in pairs))


@pytest.mark.parametrize(("method", "within"), [("forward", 1e-4), ("difference", 1e-2)])
def test_products_with_targets_are_those_of_gradients(
    method: Literal["forward", "difference"], within: float
) -> None:
    model, batch, aims = decoder(), samples(3, 0, 4), samples(3, 3, seed=5)
    before = [parameter.clone() for parameter in model.parameters()]
    targets = {
        name: target_direction(model, part, token_losses=Decoder.losses, part=2)
        for name, part in (("maths", aims), ("code", samples(5, seed=6)))
    }
    found = target_products(
        model, batch, targets, token_losses=Decoder.losses, d=3, learning_rate=0.1, method=method
    )
    assert found.targets == ("code", "maths")
    assert found.counts.tolist() == [3, 0, 4]
    assert np.isnan(found.products[1]).all()
    for domain in (0, 2):
        for column, name in enumerate(found.targets):
            known = exact(model, targets[name], batch.tokens[batch.domains == domain])
            assert found.products[domain, column] == pytest.approx(known, rel=within, abs=within)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_preconditioned_direction_tells_what_a_step_of_adam_does() -> None:
    # Adam without momentum steps by -rate * gradient / (sqrt(second moment) + eps): what it lowers the loss
    # of a domain by is rate * <g_domain, P g_step>, to first order.
    model, batch, aim = decoder(), samples(4, 4), samples(4, seed=5)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-5, betas=(0.0, 0.9))
    for _ in range(3):  # the second moment is that of several steps
        optimiser.zero_grad()
        torch.autograd.backward(model.losses(samples(4, seed=7).tokens).mean())
        optimiser.step()
    optimiser.zero_grad()
    torch.autograd.backward(model.losses(aim.tokens).mean())
    plain = target_direction(model, aim, token_losses=Decoder.losses)
    at = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with torch.no_grad():
        before = model.double().losses(batch.tokens).mean(dim=1)
        model.float()
        optimiser.step()
        after = model.double().losses(batch.tokens).mean(dim=1)
        model.float()
        model.load_state_dict(at, strict=False)
    scaled = preconditioned(plain, model, optimiser)
    found, unscaled = (
        target_products(
            model, batch, {"aim": direction}, token_losses=Decoder.losses, d=2, learning_rate=1e-5
        ).products[:, 0]
        for direction in (scaled, plain)
    )
    lowered = [float((before - after)[batch.domains == domain].mean()) for domain in range(2)]
    np.testing.assert_allclose(1e-5 * found, lowered, rtol=0.05)
    assert not np.allclose(1e-5 * unscaled, lowered, rtol=0.5)


def test_an_optimiser_without_second_moments_is_told() -> None:
    model = decoder()
    direction = target_direction(model, samples(2), token_losses=Decoder.losses)
    with pytest.raises(ValueError, match="no second moment of bias"):
        preconditioned(direction, model, torch.optim.SGD(model.parameters(), lr=0.1))
