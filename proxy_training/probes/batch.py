"""What probes read: samples with the number of their domain, and how a model scores them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

TokenLosses = Callable[[Any, Tensor], Tensor]
"""Of a model and (B, T + 1) tokens, the (B, T) losses of predicting tokens[:, 1:], nats: `Decoder.losses`."""


@dataclass(frozen=True, eq=False)
class ProbeBatch:
    """Samples of several domains, of equal length and without padding.

    Args:
        tokens: (B, T + 1) token numbers.
        domains: (B,) number of the domain of each sample, on the device of the tokens.

    Raises:
        ValueError: not one domain for each sample.
    """

    tokens: Tensor
    domains: Tensor

    def __post_init__(self) -> None:
        if self.tokens.dim() != 2 or self.domains.shape != self.tokens.shape[:1]:
            raise ValueError(
                f"tokens {tuple(self.tokens.shape)} and domains {tuple(self.domains.shape)}: expected "
                "(B, T + 1) tokens and the (B,) numbers of their domains"
            )

    def split(self, size: int) -> Iterator["ProbeBatch"]:
        """Parts of at most so many samples, in order."""
        parts = zip(torch.split(self.tokens, size), torch.split(self.domains, size), strict=True)
        return (ProbeBatch(tokens, domains) for tokens, domains in parts)
