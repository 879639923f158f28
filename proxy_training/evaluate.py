"""Held-out loss by domain, always on the same windows, so that runs can be compared."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from mixlaws.arrays import FloatArray
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.splits import Split
from proxy_training.model import Decoder
from proxy_training.windows import Windows, even_windows

_BATCH = 16  # windows at once: fills the cores of a small machine without much memory


@dataclass(frozen=True)
class HeldOut:
    """Losses on text that was not trained on.

    Args:
        losses: by domain, nats per token.
        bits_per_byte: by domain; comparable between domains, whose tokens hold more or less text.
    """

    losses: dict[str, float]
    bits_per_byte: dict[str, float]


@torch.no_grad()
def evaluate(model: Decoder, corpus: Corpus, *, context: int, tokens: int, split: Split) -> HeldOut:
    """Score a model on windows spread evenly over the held-out text of every domain.

    Args:
        model: what to score; its mode is left as it was.
        corpus: where the text is.
        context: tokens that a window predicts.
        tokens: most tokens to score of each domain.
        split: which held-out text.

    Raises:
        ValueError: the held-out text of a domain does not fill one window.
    """
    check_held_out(corpus, context=context, split=split)
    training = model.training
    model.eval()
    losses = {name: _loss(model, corpus, name, context, tokens, split) for name in corpus.domains.names}
    model.train(training)
    bits = {name: loss / math.log(2) / corpus.bytes_per_token(name, split) for name, loss in losses.items()}
    return HeldOut(losses, bits)


def check_held_out(corpus: Corpus, *, context: int, split: Split) -> None:
    """Check that every domain can be scored, which is cheap: training is not.

    Raises:
        ValueError: the held-out text of a domain does not fill one window.
    """
    for name in corpus.domains.names:
        available = len(corpus.tokens(name, split))
        if available <= context:
            raise ValueError(
                f"domain {name!r} holds out {available} tokens for {split}, fewer than one window of "
                f"{context + 1}: lower the context"
            )


def _loss(model: Decoder, corpus: Corpus, name: str, context: int, tokens: int, split: Split) -> float:
    count = max(1, tokens // context)
    windows = even_windows(corpus.tokens(name, split), length=context + 1, count=count)
    return float(window_losses(model, windows).sum()) / (len(windows) * context)


@torch.no_grad()
def window_losses(model: Decoder, windows: Windows, /) -> FloatArray:
    """(k,) loss of each window (k, context + 1), summed over its tokens but the first, nats."""
    device = next(model.parameters()).device
    parts = [
        model.losses(torch.from_numpy(windows[start : start + _BATCH]).to(device)).sum(
            dim=1, dtype=torch.float64
        )
        for start in range(0, len(windows), _BATCH)
    ]
    return np.asarray(torch.cat(parts).cpu().numpy())
