"""Squared norms and variances of gradients."""

import numpy as np
import pytest
import torch

from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.noise import NoiseAverage, noise_of, sample_noise
from tests.proxy_training.probes.small import decoder, gradient, last_down, samples


def test_a_batch_gives_the_unbiased_estimates_of_statistics() -> None:
    model, batch = decoder(), samples(5, 1, 7)
    with LayerWatch(last_down(model), name="down") as watch:
        torch.autograd.backward(model.losses(batch.tokens).mean())
    squares = watch.sample_squares(len(batch.domains))
    terms = sample_noise(squares, batch.domains, watch.gradients(batch.domains, d=3))
    average = NoiseAverage(3)
    average.add(terms)
    found = average.norms()
    for domain in (0, 2):
        tokens = batch.tokens[batch.domains == domain]
        own = torch.stack([gradient(model, row[None], last_down(model).weight) for row in tokens]).double()
        variance = float(own.var(dim=0, unbiased=True).sum())
        pairs = own @ own.T
        n = len(own)
        between = float((pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1)))
        assert found.variances[domain] == pytest.approx(variance, rel=1e-3)
        assert found.square_norms[domain] == pytest.approx(between, rel=1e-3)
    assert np.isnan([found.square_norms[1], found.variances[1]]).all()  # one sample tells of no noise


def test_estimates_of_many_steps_meet_the_truth_when_numbers_of_samples_differ() -> None:
    rng = np.random.default_rng(3)
    truth, deviation = np.full(50, 0.1), 1.0  # |g|^2 = .5 below s^2 = 50: noise is most of a gradient
    average = NoiseAverage(1, decay=1.0)
    for _ in range(3000):
        n = int(rng.integers(2, 9))
        own = truth + deviation * rng.standard_normal((n, 50))
        small = np.array([(own**2).sum(axis=1).mean()])
        large = np.array([(own.mean(axis=0) ** 2).sum()])
        average.add(noise_of(small, np.array([1]), large, np.array([n])))
    found = average.norms()
    assert found.square_norms[0] == pytest.approx(0.5, abs=0.15)
    assert found.variances[0] == pytest.approx(50.0, rel=0.02)


def test_a_domain_that_was_not_measured_keeps_what_was_known() -> None:
    average = NoiseAverage(2, decay=0.5)
    one, four = np.array([1, 1]), np.array([4, 4])
    average.add(noise_of(np.array([5.0, 6.0]), one, np.array([2.0, 3.0]), four))
    before = average.norms()
    average.add(noise_of(np.array([9.0, np.nan]), one, np.array([2.0, 3.0]), four))
    average.add(noise_of(np.array([9.0, 1.0]), one, np.array([2.0, 1.0]), np.array([4, 1])))
    after = average.norms()
    assert after.square_norms[1] == before.square_norms[1]
    assert after.variances[0] > before.variances[0]


def test_the_batch_is_all_samples_of_the_step_even_where_no_domain_has_two() -> None:
    model, average = decoder(), NoiseAverage(3)
    for counts in ((5, 1, 7), (1, 1, 1)):
        batch = samples(*counts)
        with LayerWatch(last_down(model), name="down") as watch:
            torch.autograd.backward(model.losses(batch.tokens).mean())
        squares = watch.sample_squares(sum(counts))
        average.add(sample_noise(squares, batch.domains, watch.gradients(batch.domains, d=3)))
        assert average.norms().batch == sum(counts)


def test_two_halves_free_the_diagonal_of_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    g = torch.full((20,), 0.5)  # |g|^2 = 5; the noise of one sample is 20
    halved, plain = [], []
    for _ in range(400):
        sums = 4 * g + 2 * torch.randn(2, 1, 20, generator=generator)  # four samples in each half
        counts = torch.full((2, 1), 4)
        halved.append(DomainGradients(sums, counts, "a").gram().means[0, 0])
        plain.append(DomainGradients(sums.sum(0, keepdim=True), counts.sum(0, keepdim=True), "a").gram())
    assert np.mean(halved) == pytest.approx(5.0, abs=0.35)
    assert np.mean([gram.means[0, 0] for gram in plain]) == pytest.approx(5 + 20 / 8, abs=0.35)
