"""Influence by Kronecker factors, against the exact curvature and against training again."""

import numpy as np
import pytest
import torch

from benchmarks.exact_influence import PENALTY, TwoTokens, agreement, damped_gauss_newton, text
from proxy_training.probes.curvature import curvature
from proxy_training.probes.micro_batches import linear_layers


def test_domains_are_ranked_as_by_the_exact_inverse_and_by_training_again() -> None:
    found = agreement(seed=1)
    assert found.parameters <= 2000
    assert np.mean(found.exact) >= 0.9
    assert np.mean(found.exact) > np.mean(found.plain)  # the curvature tells more than gradients alone
    assert np.mean(found.retrained) >= 0.7


def test_factors_of_the_last_layer_have_the_trace_of_its_exact_curvature() -> None:
    # Labels that are drawn give the Gauss-Newton matrix in the mean; its trace is that of the eigenvalues.
    model, batch = TwoTokens(seed=3), text(5, 30)
    found = curvature(
        model,
        [batch.tokens] * 8,
        layers=linear_layers(model),
        generator=torch.Generator().manual_seed(0),
        damping=PENALTY,
    )
    exact = damped_gauss_newton(model, batch).diagonal() - PENALTY
    inner = model.inner.weight.numel()
    traces = [float(layer.eigenvalues.sum()) for layer in found.layers.values()]
    assert traces == pytest.approx([float(exact[:inner].sum()), float(exact[inner:].sum())], rel=0.03)


def test_solving_undoes_the_damped_curvature() -> None:
    model, batch = TwoTokens(seed=3), text(5, 8)
    found = curvature(
        model, [batch.tokens], layers=linear_layers(model), generator=torch.Generator().manual_seed(0)
    )
    for layer in found.layers.values():
        change = torch.randn(layer.eigenvalues.shape, generator=torch.Generator().manual_seed(1))
        damping = 0.1 * layer.eigenvalues.mean()  # the default
        turned = layer.outputs.T @ layer.solved(change, None) @ layer.inputs
        again = layer.outputs @ (turned * (layer.eigenvalues + damping)) @ layer.inputs.T
        torch.testing.assert_close(again, change, rtol=1e-4, atol=1e-4)
