"""What probes cost a training step, how exact sketches are, and how well influence agrees with the truth.

    python -m benchmarks.probes [--pairs 40] [--width 128] [--layers 4] [--seeds 3] [--json]

A step with a probe and the same step without one alternate; what a probe costs is the median difference of
neighbours over the median plain step. The share is that of a probe every 50 steps. Sketches are compared with
exact products of vectors of 200,000 numbers, influence with `benchmarks.exact_influence`.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from benchmarks.arguments import arguments
from benchmarks.exact_influence import agreement
from proxy_training.model import Decoder, GatedHidden
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.direction import target_direction, target_products
from proxy_training.probes.held_out import HeldOutSet, held_out_losses
from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.losses import domain_losses
from proxy_training.probes.micro_batches import MicroBatchGradients, linear_weights
from proxy_training.probes.noise import NoiseAverage, sample_noise
from proxy_training.probes.sketch import CountSketch
from proxy_training.spec import TrainSpec

DOMAINS, SAMPLES, CONTEXT, VOCABULARY = 8, 32, 64, 1024
EVERY = 50  # steps from probe to probe

Probe = Callable[["Step"], None]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    for name, default in (("pairs", 40), ("width", 128), ("layers", 4), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    step = Step(width=chosen.width, layers=chosen.layers)
    found = {
        "device": step.device.type,
        "parameters": step.model.parameter_count(),
        "costs": {name: cost(step, probe, chosen.pairs) for name, probe in PROBES.items()},
        "sketch": [sketch_error(size) for size in (256, 1024, 4096, 16_384)],
        "influence": [influence(seed) for seed in range(chosen.seeds)],
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


class Step:
    """A training step of a small decoder, on tokens that mean nothing: time does not depend on them."""

    def __init__(self, *, width: int, layers: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(0)
        spec = TrainSpec(context=CONTEXT, batch=SAMPLES, layers=layers, width=width, hidden=3 * width)
        self.model = Decoder(spec, vocabulary=VOCABULARY).to(self.device)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-4, fused=True)
        tokens = torch.randint(0, VOCABULARY, (SAMPLES, CONTEXT + 1), device=self.device)
        self.batch = ProbeBatch(tokens, torch.arange(SAMPLES, device=self.device) % DOMAINS)
        self.held_out = HeldOutSet(self.batch, DOMAINS)
        self.average = NoiseAverage(DOMAINS)
        self.weights = linear_weights(self.model)

    def losses(self) -> torch.Tensor:
        """Forward and backward."""
        losses = self.model.losses(self.batch.tokens)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses.mean())
        return losses

    def last_layer(self) -> LayerWatch:
        """A watch on the down-projection of the last block."""
        hidden = self.model.blocks[-1].hidden
        if not isinstance(hidden, GatedHidden):
            raise TypeError(f"the last hidden layer is a {type(hidden).__name__}")
        return LayerWatch(hidden.down, name="last down")


def plain(step: Step) -> None:
    """A step without a probe."""
    step.losses()
    step.optimiser.step()


def losses(step: Step) -> None:
    """Loss sums of the step."""
    domain_losses(step.losses(), step.batch.domains, d=DOMAINS)
    step.optimiser.step()


def gram(step: Step) -> None:
    """Exact Gram matrix of the last layer, from the step's own backward pass."""
    with step.last_layer() as watch:
        step.losses()
    watch.gradients(step.batch.domains, d=DOMAINS).added_over_ranks().gram()
    step.optimiser.step()


def noise(step: Step) -> None:
    """Norms and variances of the last layer, likewise."""
    with step.last_layer() as watch:
        step.losses()
    gradients = watch.gradients(step.batch.domains, d=DOMAINS).added_over_ranks()
    step.average.add(sample_noise(watch.sample_squares(SAMPLES), step.batch.domains, gradients))
    step.average.norms()
    step.optimiser.step()


def held_out(step: Step) -> None:
    """A step, and held-out losses on as many samples."""
    plain(step)
    held_out_losses(step.model, step.held_out, token_losses=Decoder.losses, step=0)


def sketches(step: Step) -> None:
    """The step in micro-batches of one domain each, the gradients of all linear layers sketched."""
    micro_batches(step, MicroBatchGradients(step.weights, CountSketch(), d=DOMAINS))


def micro_batches(step: Step, gradients: MicroBatchGradients | None = None) -> None:
    """The step in micro-batches of one domain each."""
    step.optimiser.zero_grad(set_to_none=True)
    if gradients is not None:
        gradients.begin()
    for domain in range(DOMAINS):
        tokens = step.batch.tokens[step.batch.domains == domain]
        torch.autograd.backward(step.model.losses(tokens).mean() / DOMAINS)
        if gradients is not None:
            gradients.after(domain, samples=len(tokens), scale=DOMAINS)
    if gradients is not None:
        gradients.collected().added_over_ranks().gram()
    step.optimiser.step()


def direction(step: Step) -> None:
    """A step, and products with one target whose samples are as many as the step's."""
    plain(step)
    aim = {"aim": target_direction(step.model, step.batch, token_losses=Decoder.losses)}
    target_products(step.model, step.batch, aim, token_losses=Decoder.losses, d=DOMAINS, learning_rate=1e-4)


PROBES: Mapping[str, Probe] = {
    "losses": losses,
    "last-layer gram": gram,
    "last-layer noise": noise,
    "held-out losses": held_out,
    "sketched gradients": sketches,
    "direction of one target": direction,
}


def cost(step: Step, probe: Probe, pairs: int) -> dict[str, float]:
    """Median and quartiles of what a probe adds, in plain steps and as a share of training."""
    without: Probe = micro_batches if probe is sketches else plain
    times = np.array([(timed(without, step), timed(probe, step)) for _ in range(pairs + 3)])[3:]
    base = float(np.median(times[:, 0]))
    low, middle, high = np.quantile((times[:, 1] - times[:, 0]) / base, (0.25, 0.5, 0.75)).tolist()
    return {
        "plain_ms": 1e3 * base,
        "added_steps": middle,
        "added_steps_low": low,
        "added_steps_high": high,
        "percent_every_50": 100 * middle / EVERY,
    }


def timed(probe: Probe, step: Step) -> float:
    """Seconds of a call."""
    begun = time.perf_counter()
    probe(step)
    if step.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def sketch_error(size: int, *, length: int = 200_000, vectors: int = 8, seeds: int = 8) -> dict[str, float]:
    """Errors of sketched products over the lengths of the vectors, in units of 1 / sqrt(m)."""
    generator = torch.Generator().manual_seed(0)
    common = torch.randn(length, generator=generator)
    drawn = torch.stack([common + 3 * torch.randn(length, generator=generator) for _ in range(vectors)])
    lengths = drawn.norm(dim=1)
    pairs = torch.triu_indices(vectors, vectors, 1).unbind()
    errors = []
    for seed in range(seeds):
        sketch, short = CountSketch(size, seed=seed), torch.zeros(vectors, size)
        for vector, into in zip(drawn, short, strict=True):
            sketch.add(vector, name="w", into=into)
        errors.append(((short @ short.T - drawn @ drawn.T) / torch.outer(lengths, lengths))[pairs])
    scaled = torch.cat(errors) * size**0.5
    return {
        "m": size,
        "rms": float(scaled.square().mean().sqrt()) / size**0.5,
        "limit": 3 / size**0.5,
        "share_within_limit": float((scaled.abs() < 3).double().mean()),
    }


def influence(seed: int) -> dict[str, float]:
    """Mean rank correlations over targets."""
    found = agreement(seed=seed)
    return {
        "parameters": found.parameters,
        "with_exact": float(found.exact.mean()),
        "with_retraining": float(found.retrained.mean()),
        "exact_with_retraining": float(found.exact_retrained.mean()),
        "gradients_alone_with_exact": float(found.plain.mean()),
    }


def show(found: dict[str, Any]) -> None:
    """The findings as tables."""
    print(f"{found['parameters']:,} parameters on a {found['device']}; added, in steps: median (quartiles)")
    for name, row in found["costs"].items():
        spread = f"{row['added_steps_low']:.3f} to {row['added_steps_high']:.3f}"
        share = f"{row['percent_every_50']:.2f} % every {EVERY} steps"
        print(f"{name:<24} {row['added_steps']:.3f} ({spread}), {share}; a step {row['plain_ms']:.0f} ms")
    for row in found["sketch"]:
        inside = f"{100 * row['share_within_limit']:.1f} % within {row['limit']:.4f}"
        print(f"sketch m={row['m']:<6} rms error {row['rms']:.4f}, {inside}")
    for row in found["influence"]:
        print("influence", {name: round(value, 3) for name, value in row.items()})


if __name__ == "__main__":
    main()
