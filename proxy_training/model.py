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
        self.blocks = nn.ModuleList(Block(spec, self._hidden(spec)) for _ in range(spec.layers))
        self.norm = nn.RMSNorm(spec.width)
        self.bias = nn.Parameter(torch.zeros(vocabulary) if log_unigram is None else log_unigram.clone())
        self.register_buffer(
            "rotations", _rotations(spec.context, spec.width // spec.heads), persistent=False
        )
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                writes = name.endswith(("mix.weight", "down.weight"))
                nn.init.normal_(
                    parameter, std=_INITIAL_DEVIATION / (math.sqrt(2 * spec.layers) if writes else 1)
                )

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) tokens to (B, T, V) logits."""
        states = self.states(tokens, blocks=len(self.blocks))
        return F.linear(self.norm(states), self.embedding.weight, self.bias)

    def states(self, tokens: Tensor, *, blocks: int) -> Tensor:
        """(B, T) tokens to the (B, T, width) residual stream after the first so many blocks."""
        rotations = self.rotations[: tokens.shape[1]]  # type: ignore[index]
        x: Tensor = self.embedding(tokens)
        for block in self.blocks[:blocks]:
            x = block(x, rotations)
        return x

    def losses(self, tokens: Tensor) -> Tensor:
        """(B, T) losses, nats, of predicting tokens[:, 1:] in (B, T + 1) tokens."""
        logits = self(tokens[:, :-1])
        flat = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
        return flat.view(tokens.shape[0], -1)

    def parameter_count(self) -> int:
        """Parameters, the tied embedding counted once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _hidden(self, spec: TrainSpec) -> nn.Module:
        """The hidden layer of a block."""
        return GatedHidden(spec)


class Block(nn.Module):
    """Attention and a hidden layer, each behind a norm and added to the residual stream."""

    def __init__(self, spec: TrainSpec, hidden: nn.Module) -> None:
        super().__init__()
        self.heads = spec.heads
        self.norm_attention = nn.RMSNorm(spec.width)
        self.queries_keys_values = nn.Linear(spec.width, 3 * spec.width, bias=False)
        self.mix = nn.Linear(spec.width, spec.width, bias=False)
        self.norm_hidden = nn.RMSNorm(spec.width)
        self.hidden = hidden

    def forward(self, x: Tensor, rotations: Tensor) -> Tensor:
        """(B, T, width) to (B, T, width)."""
        b, t, width = x.shape
        projected = self.queries_keys_values(self.norm_attention(x)).view(b, t, 3, self.heads, -1)
        q, k = _rotated(projected[:, :, :2], rotations).permute(2, 0, 3, 1, 4)  # each (B, H, T, width / H)
        v = projected[:, :, 2].transpose(1, 2)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(attended.transpose(1, 2).reshape(b, t, width))
        return x + self.hidden(self.norm_hidden(x))  # type: ignore[no-any-return]


class GatedHidden(nn.Module):
    """A hidden layer, half of which says how much of the other half counts."""

    def __init__(self, spec: TrainSpec) -> None:
        super().__init__()
        self.gate_up = nn.Linear(spec.width, 2 * spec.hidden, bias=False)
        self.down = nn.Linear(spec.hidden, spec.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to (..., width)."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)  # type: ignore[no-any-return]


def _rotations(context: int, head_width: int) -> Tensor:
    """(T, 1, 1, head_width / 2) unit complex numbers of the rotary angles."""
    frequencies = _ROTARY_BASE ** (-torch.arange(0, head_width, 2) / head_width)
    angles = torch.outer(torch.arange(context), frequencies)
    return torch.polar(torch.ones_like(angles), angles)[:, None, None, :]


def _rotated(x: Tensor, rotations: Tensor) -> Tensor:
    """Turn each pair of neighbouring coordinates of (B, T, 2, H, head width) by the angle of its position.

    A pair is a complex number, its rotation a product: queries and keys together in one operation.
    """
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotations).flatten(-2)
