"""Adding over the processes that train together."""

from torch import Tensor
from torch import distributed as dist


def added_over_ranks(numbers: Tensor) -> Tensor:
    """Numbers added over all ranks, in place; a process that trains alone keeps its own.

    Every rank must call, with the same shape: a rank that measured nothing adds zeros.
    """
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(numbers)
    return numbers


def rank_and_world() -> tuple[int, int]:
    """Number of this process and how many train together; (0, 1) alone."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1
