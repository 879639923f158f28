"""What a proxy run trains and what comes out: plain data, without torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class TrainSpec:
    """A small decoder and how to train it.

    Args:
        corpus: id of the corpus that a worker must hold; empty accepts any.
        tokens: training tokens; rounded down to whole steps.
        context: tokens of one sample.
        batch: samples of one optimiser step.
        layers: decoder blocks.
        width: size of the residual stream.
        heads: attention heads; divides `width`, into parts of even size.
        hidden: size of the gated hidden layer.
        learning_rate: peak of the schedule.
        warmup: fraction of the steps over which the learning rate rises.
        decay: shape of its fall: a cosine over all steps, or a line over the last fifth (WSD).
        weight_decay: of matrices; vectors are not decayed.
        split: held-out split that is scored; proxies use one and confirmations another, so that a
            proposal is never judged on the text that chose it.
        evaluation_tokens: tokens per domain that are scored.
        report_every: steps between reports to a live job.
        evaluate_every: steps between evaluations on the way, which are observed with the run; 0 for none.
    """

    corpus: str = ""
    tokens: int = 400_000
    context: int = 64
    batch: int = 8
    layers: int = 2
    width: int = 32
    heads: int = 2
    hidden: int = 96
    learning_rate: float = 1e-2
    warmup: float = 0.05
    decay: Literal["cosine", "wsd"] = "cosine"
    weight_decay: float = 0.1
    split: Literal["validation", "test"] = "validation"
    evaluation_tokens: int = 16_384
    report_every: int = 10
    evaluate_every: int = 0

    def __post_init__(self) -> None:
        whole = {
            name: getattr(self, name)
            for name in ("context", "batch", "layers", "width", "heads", "hidden", "report_every")
        }
        for name, value in whole.items():
            if value < 1:
                raise ValueError(f"{name} is {value}: expected at least 1")
        if self.evaluate_every < 0:
            raise ValueError(f"evaluate_every is {self.evaluate_every}: expected a number of steps, or 0")
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is no multiple of twice the {self.heads} heads")
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate is {self.learning_rate}: expected between 0 and 1")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is {self.warmup}: expected a fraction from 0 to below 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay is {self.weight_decay}: expected a finite number, at least 0")
        if self.evaluation_tokens <= self.context:
            raise ValueError(f"evaluation_tokens {self.evaluation_tokens} do not fill one context")
        if self.steps < 1:
            raise ValueError(f"tokens {self.tokens} do not fill one step of {self.context * self.batch}")

    @property
    def steps(self) -> int:
        """Optimiser steps of the run."""
        return self.tokens // (self.context * self.batch)

    def dump(self) -> dict[str, Any]:
        """The spec as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TrainResult:
    """What a run measured.

    Args:
        losses: held-out loss of each domain, nats per token.
        bits_per_byte: the same per byte of text, in bits: comparable between domains.
        tokens: tokens that were trained on.
        drawn: training tokens of each domain.
        model_parameters: parameters of the model, embeddings included.
        seconds: time of training and evaluation.
        live: what the live client counted, for a run that followed a job.
    """

    losses: Mapping[str, float]
    bits_per_byte: Mapping[str, float]
    tokens: int
    drawn: Mapping[str, int]
    model_parameters: int
    seconds: float
    live: Mapping[str, int] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)
