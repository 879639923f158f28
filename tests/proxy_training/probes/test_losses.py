"""Losses, excess and held-out losses by domain."""

import numpy as np
import torch

from proxy_training.corpus import Corpus
from proxy_training.evaluate import evaluate
from proxy_training.model import Decoder
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.excess import excess_losses
from proxy_training.probes.held_out import HeldOutSet, held_out_losses
from proxy_training.probes.losses import domain_losses
from proxy_training.spec import TrainSpec
from proxy_training.train import untrained
from tests.proxy_training.probes.small import CONTEXT, decoder, samples


def test_parts_of_a_batch_add_up_to_the_whole_and_an_absent_domain_has_no_tokens() -> None:
    batch = samples(3, 0, 5)
    losses = decoder().losses(batch.tokens)
    whole = domain_losses(losses, batch.domains, d=3)
    parts = [domain_losses(losses[rows], batch.domains[rows], d=3) for rows in (slice(3), slice(3, None))]
    np.testing.assert_allclose(sum(part.training.sums for part in parts), whole.training.sums, rtol=1e-12)
    assert whole.training.counts.tolist() == [3 * CONTEXT, 0, 5 * CONTEXT]
    assert whole.sequences.tolist() == [3, 0, 5]
    assert whole.training.observed.tolist() == [True, False, True]
    mean, square = whole.training.means, whole.squares / np.maximum(whole.training.counts, 1)
    deviations = losses[batch.domains == 2].detach().double().numpy().var()
    np.testing.assert_allclose(square[2] - mean[2] ** 2, deviations, rtol=1e-6)


def test_a_loss_that_is_no_number_spoils_its_own_domain_alone() -> None:
    batch = samples(2, 2)
    losses = decoder().losses(batch.tokens).detach()
    losses[batch.domains == 0, 3] = float("nan")
    found = domain_losses(losses, batch.domains, d=2)
    assert np.isnan(found.training.sums[0])
    assert np.isfinite(found.training.sums[1])


def test_tokens_are_clipped_before_they_are_added() -> None:
    batch, model, reference = samples(4, 4), decoder(seed=0), decoder(seed=5)
    losses = model.losses(batch.tokens)
    found = excess_losses(losses, batch, reference, token_losses=Decoder.losses, d=2)
    own = (losses - reference.losses(batch.tokens)).detach().double()
    for domain in range(2):
        rows = own[batch.domains == domain]
        np.testing.assert_allclose(found.plain.sums[domain], rows.sum(), rtol=1e-6)
        np.testing.assert_allclose(found.clipped.sums[domain], rows[rows > 0].sum(), rtol=1e-6)
    assert (found.clipped.sums > np.maximum(found.plain.sums, 0)).all()
    assert reference.training
    same = excess_losses(losses, batch, model, token_losses=Decoder.losses, d=2)
    assert np.abs(same.plain.sums).max() == 0


def test_held_out_losses_are_those_of_the_evaluation_of_runs(walks: Corpus, tiny: TrainSpec) -> None:
    model = untrained(tiny, walks, seed=0)
    windows = HeldOutSet.of(walks, context=16, samples=24)
    found = held_out_losses(model, windows, token_losses=Decoder.losses, step=7)
    known = evaluate(model, walks, context=16, tokens=24 * 16, split="validation")
    np.testing.assert_allclose(found.means, [known.losses[name] for name in walks.domains.names], rtol=1e-6)
    assert (found.step, model.training) == (7, True)


def test_a_held_out_set_is_named_by_its_content(walks: Corpus) -> None:
    first, again = (HeldOutSet.of(walks, context=16, samples=4) for _ in range(2))
    assert first.set_hash == again.set_hash
    other = first.batch.tokens.clone()
    other[0, 0] += 1
    swapped = HeldOutSet(ProbeBatch(first.batch.tokens, first.batch.domains.flip(0)), first.d)
    changed = {
        HeldOutSet(ProbeBatch(other, first.batch.domains), first.d).set_hash,
        swapped.set_hash,
        HeldOutSet.of(walks, context=16, samples=5).set_hash,
        HeldOutSet.of(walks, context=16, samples=4, split="test").set_hash,
    }
    assert len(changed) == 4
    assert first.set_hash not in changed
    assert torch.equal(first.batch.tokens, again.batch.tokens)
