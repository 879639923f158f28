"""The FLOPs that a method has: what it spends on looking is not there for training.

    training 6 N D,  a forward pass 2 N D        N parameters, D tokens; see `proxy_training.cost`

Counted are all passes through a model, of the target, of a reference and of a rehearsal. Not counted is what
costs next to nothing beside them: sums of losses, updates of policies, fits of curves. Nor is the scoring at
the end, which is the same for all.
"""

from collections import defaultdict


class Ledger:
    """What was spent on what.

    Args:
        budget: FLOPs.
    """

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.entries: dict[str, float] = defaultdict(float)

    @property
    def spent(self) -> float:
        """FLOPs so far."""
        return sum(self.entries.values())

    @property
    def left(self) -> float:
        """FLOPs that may still be spent."""
        return self.budget - self.spent

    def part(self, share: float) -> "Ledger":
        """A ledger of a share of the whole budget; what is spent of it is to be taken back in."""
        return Ledger(share * self.budget)

    def take(self, part: "Ledger") -> None:
        """Take in what a part spent."""
        for what, flops in part.entries.items():
            self.pay(what, flops)

    def pay(self, what: str, flops: float) -> None:
        """Take note of FLOPs.

        Raises:
            ValueError: they are more than is left.
        """
        # Sums of large numbers are off by some of their last digits.
        if flops > self.left * (1 + 1e-9):
            raise ValueError(f"{what} costs {flops:.4g} FLOPs, of {self.budget:.4g} are left {self.left:.4g}")
        if flops:
            self.entries[what] += flops
