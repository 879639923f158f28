"""What probes find on one of several ranks, printed: `python -m ... RANK WORLD STORE`."""

import json
import sys
from datetime import timedelta
from typing import Any

import torch
from torch import distributed as dist

from proxy_training.model import Decoder
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.curvature import curvature
from proxy_training.probes.direction import target_direction, target_products
from proxy_training.probes.excess import excess_losses
from proxy_training.probes.held_out import HeldOutSet, held_out_losses
from proxy_training.probes.influence import group_influence
from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.losses import domain_losses
from proxy_training.probes.micro_batches import MicroBatchGradients, linear_layers, linear_weights
from proxy_training.probes.noise import NoiseAverage, sample_noise
from proxy_training.probes.sketch import CountSketch
from tests.proxy_training.probes.small import decoder, last_down, samples


def found(rank: int, world: int) -> dict[str, Any]:
    """The measurements of all samples, of which this rank has every so-manyth."""
    model, whole, aims = decoder(), samples(4, 0, 4), samples(4, seed=8)
    batch, aim = _own(whole, rank, world), _own(aims, rank, world)
    with LayerWatch(last_down(model), name="down") as watch:
        losses = model.losses(batch.tokens)
        torch.autograd.backward(losses.mean())
    gradients = watch.gradients(batch.domains, d=3).added_over_ranks()
    noise = NoiseAverage(3)
    noise.add(sample_noise(watch.sample_squares(len(batch.domains)), batch.domains, gradients))
    sums = domain_losses(losses, batch.domains, d=3)
    excess = excess_losses(losses, batch, decoder(seed=3), token_losses=Decoder.losses, d=3)
    held_out = held_out_losses(model, HeldOutSet(whole, 3), token_losses=Decoder.losses, step=1)
    products = target_products(
        model,
        batch,
        {"aim": target_direction(model, aim, token_losses=Decoder.losses)},
        token_losses=Decoder.losses,
        d=3,
        learning_rate=0.1,
    )
    return {
        "losses": sums.training.sums.tolist(),
        "tokens": sums.training.counts.tolist(),
        "excess": excess.clipped.sums.tolist(),
        "held out": held_out.sums.tolist(),
        "set": held_out.set_hash,
        "gram": gradients.gram().products.tolist(),
        "square norms": noise.norms().square_norms.tolist(),
        "sketched": _sketched(model, batch),
        "products": products.products.tolist(),
        "influence": _influence(model, whole, aim, rank, world),
    }


def _own(batch: ProbeBatch, rank: int, world: int) -> ProbeBatch:
    """Every so-manyth sample of each domain."""
    rows = torch.cat([(batch.domains == i).nonzero().flatten()[rank::world] for i in range(3)])
    return ProbeBatch(batch.tokens[rows], batch.domains[rows])


def _sketched(model: Decoder, batch: ProbeBatch) -> list[list[float]]:
    model.zero_grad()
    gradients = MicroBatchGradients(linear_weights(model), CountSketch(4096), d=3)
    gradients.begin()
    for domain in (0, 2):
        own = batch.tokens[batch.domains == domain]
        torch.autograd.backward(model.losses(own).mean())
        gradients.after(domain, samples=len(own), scale=1.0)
    return gradients.collected().added_over_ranks().gram().products.tolist()


def _influence(
    model: Decoder, whole: ProbeBatch, aim: ProbeBatch, rank: int, world: int
) -> list[list[float]]:
    """Of domains whose samples are shared; the curvature, whose labels are drawn, is that of all on each."""
    bent = curvature(
        model, [whole.tokens], layers=linear_layers(model), generator=torch.Generator().manual_seed(0)
    )
    domains = [ProbeBatch(whole.tokens[rows], whole.domains[rows]) for rows in _rows(whole, rank, world)]
    measured = group_influence(model, domains, {"aim": aim}, curvature=bent, token_losses=Decoder.losses)
    return measured.influence.tolist()


def _rows(whole: ProbeBatch, rank: int, world: int) -> list[torch.Tensor]:
    return [(whole.domains == i).nonzero().flatten()[rank::world] for i in (0, 2)]


def found_together(rank: int, world: int, store: str) -> dict[str, Any]:
    """What this rank finds together with the others, which meet it at a file."""
    limit = timedelta(seconds=120)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world, timeout=limit)
    try:
        return found(rank, world)
    finally:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps(found_together(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
