"""A small modern decoder.

RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467), rotary positions (Su et al. 2021, arXiv:2104.09864),
gated hidden layers (SwiGLU, Shazeer 2020, arXiv:2002.05202), causal attention, and an output head tied to
the embedding. Matrices start at normal(0, 0.02), those that write into the residual stream smaller by
sqrt(2 layers), so that its variance does not grow with depth.

The head has a bias, set to the log frequencies of tokens: a run of a few hundred steps would otherwise
spend many of them on learning how common each token is.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import Tensor, nn

from proxy_training.spec import TrainSpec

_INITIAL_DEVIATION = 0.02
_ROTARY_BASE = 10_000.0


class Decoder(nn.Module):
    """Predicts the next token of every position.

    Args:
        spec: sizes.
        vocabulary: number of tokens.
        log_unigram: (V,) log frequencies of tokens, the start of the output bias.
    """

    def __init__(self, spec: TrainSpec, *, vocabulary: int, log_unigram: Tensor | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, spec.width)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))
        self.norm = nn.RMSNorm(spec.width)
        self.bias = nn.Parameter(torch.zeros(vocabulary) if log_unigram is None else log_unigram.clone())
        cos, sin = _rotations(spec.context, spec.width // spec.heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                writes = name.endswith(("mix.weight", "down.weight"))
                nn.init.normal_(
                    parameter, std=_INITIAL_DEVIATION / (math.sqrt(2 * spec.layers) if writes else 1)
                )

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) tokens to (B, T, V) logits."""
        t = tokens.shape[1]
        cos, sin = self.cos[:t], self.sin[:t]  # type: ignore[index]
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, cos, sin)
        return F.linear(self.norm(x), self.embedding.weight, self.bias)

    def losses(self, tokens: Tensor) -> Tensor:
        """(B, T) losses, nats, of predicting tokens[:, 1:] in (B, T + 1) tokens."""
        logits = self(tokens[:, :-1])
        flat = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
        return flat.view(tokens.shape[0], -1)

    def parameter_count(self) -> int:
        """Parameters, the tied embedding counted once."""
        return sum(parameter.numel() for parameter in self.parameters())


class Block(nn.Module):
    """Attention and a gated hidden layer, each behind a norm and added to the residual stream."""

    def __init__(self, spec: TrainSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.norm_attention = nn.RMSNorm(spec.width)
        self.queries_keys_values = nn.Linear(spec.width, 3 * spec.width, bias=False)
        self.mix = nn.Linear(spec.width, spec.width, bias=False)
        self.norm_hidden = nn.RMSNorm(spec.width)
        self.gate_up = nn.Linear(spec.width, 2 * spec.hidden, bias=False)
        self.down = nn.Linear(spec.hidden, spec.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(B, T, width) to (B, T, width)."""
        b, t, width = x.shape
        projected = self.queries_keys_values(self.norm_attention(x))
        q, k, v = projected.view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (B, H, T, width / H)
        attended = F.scaled_dot_product_attention(
            _rotate(q, cos, sin), _rotate(k, cos, sin), v, is_causal=True
        )
        x = x + self.mix(attended.transpose(1, 2).reshape(b, t, width))
        gate, up = self.gate_up(self.norm_hidden(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)  # type: ignore[no-any-return]


def _rotations(context: int, head_width: int) -> tuple[Tensor, Tensor]:
    """(T, head_width / 2) cosines and sines of the rotary angles."""
    frequencies = _ROTARY_BASE ** (-torch.arange(0, head_width, 2) / head_width)
    angles = torch.outer(torch.arange(context), frequencies)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (first half, second half) of a head's coordinates by the angle of its position."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
