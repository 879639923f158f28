"""Training one small model while following a schedule."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mixclient import MixtureClient, Sampler, Schedule
from proxy_training.corpus.corpus import Corpus
from proxy_training.evaluate import HeldOut, check_held_out, evaluate
from proxy_training.mixture_stream import MixtureStream
from proxy_training.model import Decoder
from proxy_training.spec import TrainResult, TrainSpec

_BETAS = (0.9, 0.95)
_CLIP = 1.0
_FINAL_RATE = 0.05  # of the peak, where the cosine ends
_WSD_DECAY = 0.2  # share of the steps over which WSD falls to zero

Progress = Callable[[float], None]
Observe = Callable[[int, Mapping[str, float]], None]


class TrainingDivergedError(Exception):
    """The loss of a run is no number any more."""


class Mixture(Protocol):
    """Where the domains of a step come from, and where its losses go."""

    def step(self, step: int, /) -> Sequence[int]:
        """Domains of the samples of a step."""
        ...

    def record(self, step: int, *, loss_sums: Sequence[float], token_counts: Sequence[int]) -> None:
        """Take note of what a step measured."""
        ...


class FixedMixture:
    """A mixture that nobody steers: exact shares, drawn by the same sampler as live ones."""

    def __init__(self, weights: dict[str, float], *, batch: int, seed: int) -> None:
        self._sampler = Sampler(Schedule.static(weights, samples_per_step=batch), seed=seed)

    def step(self, step: int, /) -> Sequence[int]:
        """Domains of the samples of a step."""
        return self._sampler.step(step)

    def record(self, step: int, *, loss_sums: Sequence[float], token_counts: Sequence[int]) -> None:
        """Nobody asks."""


def train(
    spec: TrainSpec,
    corpus: Corpus,
    mixture: Mixture | MixtureClient,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = lambda _: None,
    observe: Observe = lambda *_: None,
) -> TrainResult:
    """Train a model and score it on held-out text.

    Args:
        spec: the model and its training.
        corpus: text to train and score on.
        mixture: which domain each sample is of; its domains are those of the corpus, in their order.
        seed: initial weights and order of the text.
        device: where torch computes, such as `cpu` or `cuda:1`; results of one kind of device are comparable.
        progress: told the share that is done.
        observe: told the steps that were made and the held-out losses by domain, as often as the spec says.

    Raises:
        TrainingDivergedError: the loss is NaN or infinite.
        ValueError: the text of a domain does not fill one window.
    """
    started = time.perf_counter()
    check_held_out(corpus, context=spec.context, split=spec.split)
    model, stream = trained(
        spec, corpus, mixture, seed=seed, device=device, progress=progress, observe=observe
    )
    held_out = scored(model, spec, corpus)
    return TrainResult(
        losses=held_out.losses,
        bits_per_byte=held_out.bits_per_byte,
        tokens=spec.steps * spec.batch * spec.context,
        drawn=dict(zip(corpus.domains.names, stream.tokens_drawn, strict=True)),
        model_parameters=model.parameter_count(),
        seconds=time.perf_counter() - started,
    )


def untrained(spec: TrainSpec, corpus: Corpus, *, seed: int, device: str = "cpu") -> Decoder:
    """The model before its first step; it knows how common each token is, and favours no domain."""
    torch.manual_seed(seed)
    uniform = np.full(len(corpus.domains), 1 / len(corpus.domains))
    bias = torch.from_numpy(corpus.log_unigram(uniform))
    return Decoder(spec, vocabulary=corpus.vocabulary, log_unigram=bias).to(device)


def trained(
    spec: TrainSpec,
    corpus: Corpus,
    mixture: Mixture | MixtureClient,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = lambda _: None,
    observe: Observe = lambda *_: None,
) -> tuple[Decoder, MixtureStream]:
    """The model after its last step, and what it read; arguments and errors are those of `train`."""
    model = untrained(spec, corpus, seed=seed, device=device)
    optimiser = optimiser_of(model, spec)
    stream = MixtureStream(corpus, context=spec.context, seed=seed)
    for step in range(spec.steps):
        domains = mixture.step(step)
        tokens = torch.from_numpy(stream.batch(domains)).to(device)
        losses = stepped(model, optimiser, tokens, rate=learning_rate(spec, step))
        _record(mixture, step, domains, losses, len(corpus.domains))
        if step % 20 == 0:
            _check(losses.mean().item(), step, spec)
            progress(step / spec.steps)
        made = step + 1
        if spec.evaluate_every and made % spec.evaluate_every == 0 and made < spec.steps:
            observe(made, scored(model, spec, corpus).losses)
    return model, stream


def scored(model: Decoder, spec: TrainSpec, corpus: Corpus) -> HeldOut:
    """The held-out losses of a trained model.

    Raises:
        TrainingDivergedError: one is NaN or infinite.
    """
    held_out = evaluate(model, corpus, context=spec.context, tokens=spec.evaluation_tokens, split=spec.split)
    if not all(math.isfinite(value) for value in held_out.losses.values()):
        raise TrainingDivergedError(f"a held-out loss is no number: {_remedy(spec)}")
    return held_out


def learning_rate(spec: TrainSpec, step: int) -> float:
    """The rate of a step: up over the warm-up, then down a cosine, or level and down at the end (WSD)."""
    warmup = max(1, round(spec.warmup * spec.steps))
    if step < warmup:
        return spec.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, spec.steps - warmup)
    if spec.decay == "wsd":
        return spec.learning_rate * min(1.0, (1 - share) / _WSD_DECAY)
    fall = 0.5 * (1 + math.cos(math.pi * share))
    return spec.learning_rate * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)


def _check(loss: float, step: int, spec: TrainSpec) -> None:
    if not math.isfinite(loss):
        raise TrainingDivergedError(f"the loss is {loss} at step {step}: {_remedy(spec)}")


def _remedy(spec: TrainSpec) -> str:
    rate, decay = spec.learning_rate, spec.weight_decay
    return f"lower the learning rate, which is {rate}, or the weight decay, which is {decay}"


def optimiser_of(model: Decoder, spec: TrainSpec) -> torch.optim.Optimizer:
    """AdamW for a model; `stepped` is given the rate of every step."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": spec.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=spec.learning_rate, betas=_BETAS, fused=True)


def stepped(model: Decoder, optimiser: torch.optim.Optimizer, tokens: Tensor, *, rate: float) -> Tensor:
    """Make a step; returns the (B, T) losses of its batch (B, T + 1) before it, nats."""
    losses = model.losses(tokens)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    losses.mean().backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
    optimiser.step()
    return losses.detach()


def _record(
    mixture: Mixture | MixtureClient, step: int, domains: Sequence[int], losses: Tensor, d: int
) -> None:
    """Hand the losses (B, T) of a step on, summed by domain."""
    index = np.asarray(domains)
    sums = np.bincount(index, weights=losses.sum(dim=1).double().cpu().numpy(), minlength=d)
    counts = np.bincount(index, minlength=d) * losses.shape[1]
    mixture.record(step, loss_sums=sums.tolist(), token_counts=counts.tolist())
