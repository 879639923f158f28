"""Losses on windows of held-out text that stay the same, with a name that changes when they do.

Cost: one forward pass over the windows, shared by the ranks, and one all-reduce of 2 d numbers. At 2 of the
6 N D FLOPs of training, k windows of each of d domains cost a third of a step of d k samples.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from mixlaws.feedback import Evaluation
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.splits import Split
from proxy_training.probes.batch import ProbeBatch, TokenLosses
from proxy_training.probes.losses import token_sums
from proxy_training.probes.ranks import rank_and_world
from proxy_training.windows import even_windows

_BATCH = 16  # windows at once, as in `proxy_training.evaluate`


@dataclass(frozen=True, eq=False)
class HeldOutSet:
    """Windows to score, the same every time and on every rank.

    Args:
        batch: the windows and their domains.
        d: domains.
    """

    batch: ProbeBatch
    d: int

    @classmethod
    def of(
        cls, corpus: Corpus, *, context: int, samples: int, split: Split = "validation", device: str = "cpu"
    ) -> "HeldOutSet":
        """Windows spread evenly over the held-out text of every domain, at most so many of each.

        Raises:
            ValueError: the held-out text of a domain fills no window.
        """
        windows, domains = [], []
        for number, name in enumerate(corpus.domains.names):
            text = corpus.tokens(name, split)
            rows = even_windows(text, length=context + 1, count=samples)
            if not len(rows):
                raise ValueError(
                    f"domain {name!r} holds out {len(text)} tokens for {split}, fewer than one window of "
                    f"{context + 1}: lower the context"
                )
            windows.append(torch.from_numpy(rows))
            domains.append(torch.full((len(rows),), number))
        return cls(
            ProbeBatch(torch.cat(windows).to(device), torch.cat(domains).to(device)), len(corpus.domains)
        )

    @cached_property
    def set_hash(self) -> str:
        """16 hex digits of the tokens, their windows and their domains."""
        content = hashlib.blake2b(digest_size=8)
        for part in (self.batch.tokens, self.batch.domains):
            content.update(repr(tuple(part.shape)).encode())
            content.update(part.cpu().numpy().astype("<i8").tobytes())
        return content.hexdigest()


@torch.no_grad()
def held_out_losses(
    model: nn.Module, windows: HeldOutSet, *, token_losses: TokenLosses, step: int
) -> Evaluation:
    """Score a model, each rank a part of the windows.

    Args:
        model: what to score; its mode is left as it was.
        windows: the same on every rank.
        token_losses: how the model scores tokens.
        step: optimiser steps made.
    """
    rank, world = rank_and_world()
    own = ProbeBatch(windows.batch.tokens[rank::world], windows.batch.domains[rank::world])
    training = model.training
    model.eval()
    context = own.tokens.shape[1] - 1
    parts = [token_losses(model, part.tokens).double() for part in own.split(_BATCH)]
    model.train(training)
    losses = torch.cat(parts) if len(own.domains) else own.tokens.new_zeros(0, context, dtype=torch.float64)
    found = token_sums(losses, own.domains, d=windows.d)
    return Evaluation(found.sums, found.counts, step=step, set_hash=windows.set_hash)
