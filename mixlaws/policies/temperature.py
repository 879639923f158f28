"""Temperature sampling for a live job: the prior raised to a power, for the whole job.

Formula and source: `mixlaws.sampling.temperature`.
"""

from dataclasses import dataclass
from typing import ClassVar

from mixlaws.arrays import FloatArray
from mixlaws.policies.fixed import FixedPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.temperature import Temperature


@dataclass(frozen=True)
class TemperaturePolicy(FixedPolicy):
    """Follows the tempered prior, filled into bounds and caps.

    Args:
        exponent: power of the prior; the default is that of mT5.
    """

    exponent: float = 0.3
    name: ClassVar[str] = "temperature"

    def __post_init__(self) -> None:
        Temperature(exponent=self.exponent)

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the tempered prior."""
        return Temperature(exponent=self.exponent).mixture(problem)
