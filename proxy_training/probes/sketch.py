"""Count sketches of gradients: short vectors whose products estimate those of the gradients.

    sketch[h(k)] += s(k) g[k],   h(k) in 0..m-1 and s(k) = +-1 by a hash of (seed, parameter, offset)
    E <sketch a, sketch b> = <a, b>,   Var <= (|a|^2 |b|^2 + <a, b>^2) / m

A sketch is linear: those of micro-batches, ranks and shards of a parameter are added. The hash is keyed by
the name of the parameter and the offset in the whole of it, so it is the same on all ranks, for every way of
sharding and after a restart. Only sketches of one seed and size are multiplied; a new seed now and then keeps
errors from staying the same.

Cost: a read of the gradient and some ten integer operations for each of its numbers; no matrix is kept.

Source: Charikar, Chen, Farach-Colton 2002; Weinberger et al. 2009, arXiv:0902.2206. The hash is the finaliser
of splitmix64 (Steele, Lea, Flood 2014) on counters.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 1 << 20  # coordinates hashed at once: eight megabytes of counters
_ONES = (1 << 64) - 1


@dataclass(frozen=True)
class CountSketch:
    """A hash to m buckets with signs.

    Args:
        size: m; the error of a cosine is about 1 / sqrt(m).
        seed: of the hash.

    Raises:
        ValueError: size is no number of buckets.
    """

    size: int = 16_384
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.size < 1 << 31:
            raise ValueError(f"size is {self.size}: expected from 1 to 2^31 - 1 buckets")

    @property
    def label(self) -> str:
        """Name that tells it from other sketches: what both have is not multiplied with others."""
        return f"count sketch m={self.size} seed={self.seed}"

    def add(self, values: Tensor, *, name: str, into: Tensor, offset: int = 0) -> None:
        """Add the sketch of a parameter's gradient, or of a shard of it.

        Args:
            values: gradient, or a part of it that is contiguous in the flattened parameter.
            name: of the parameter, the same on all ranks.
            into: (m,) sketch to add to, float32.
            offset: of the first value in the flattened parameter.
        """
        flat = values.detach().reshape(-1)
        for start in range(0, flat.numel(), _BLOCK):
            block = flat[start : start + _BLOCK].float()
            buckets, signs = self._hashed(name, offset + start, len(block), block.device)
            into.index_add_(0, buckets, block * signs)

    def _hashed(self, name: str, first: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """(count,) buckets and signs of the coordinates from `first` on."""
        key = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        bits = torch.arange(first, first + count, dtype=torch.int64, device=device)
        bits.mul_(_signed(0x9E3779B97F4A7C15)).add_(_signed(int.from_bytes(key, "little")))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ _shifted(bits, shift)).mul_(_signed(factor))
        bits ^= _shifted(bits, 31)
        # The sign is of the lowest bit and the bucket of the 32 highest, which are other bits.
        return _shifted(bits, 32).remainder_(self.size), ((bits & 1) * 2 - 1).float()


def _signed(number: int) -> int:
    """The 64 bits of a number, read as the signed integer that torch computes with, modulo 2^64."""
    number &= _ONES
    return number - (1 << 64) if number >> 63 else number


def _shifted(bits: Tensor, count: int) -> Tensor:
    """Bits shifted to the right, filled up with zeros and not with the sign."""
    return (bits >> count) & ((1 << (64 - count)) - 1)
