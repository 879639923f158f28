"""The static policy: the prior, for the whole job. What every other policy must beat."""

from dataclasses import dataclass
from typing import ClassVar

from mixlaws.arrays import FloatArray
from mixlaws.policies.fixed import FixedPolicy
from mixlaws.problem import MixtureProblem


@dataclass(frozen=True)
class Static(FixedPolicy):
    """Follows the prior of the problem."""

    name: ClassVar[str] = "static"

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the prior."""
        return problem.prior
