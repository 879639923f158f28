"""The exponential law with the settings under which Olmix and Aioli publish it, for comparison.

    L_t(w) = exp(a_t) + exp(A_t · w)

Sources: Olmix (Chen et al. 2026, arXiv:2602.12237), its default surrogate; Aioli's static law
c + b exp(-A · w) (Chen et al. 2024, arXiv:2411.05735). Both are form M4 of Data Mixing Laws with another
name for the floor, so that nothing but the settings differs: Huber loss with delta 0.02 on the residual in
the unit of the target, and no ridge. A delta in that unit suits losses of some nats per token and nothing
else. Their hundreds of random starts find what ours find from a grid of floors.

Without a ridge the law over-fits a few dozen runs beyond use; the exponential law chooses one.
"""

from dataclasses import dataclass
from typing import Literal

from mixlaws.laws.exponential import ExponentialLaw


@dataclass(frozen=True)
class LogLinearLaw(ExponentialLaw):
    """The exponential law with published settings.

    Args:
        ridge: none, as published.
        huber_delta: in the unit of the targets while raw_residuals holds.
        raw_residuals: residuals in the unit of the targets.
    """

    ridge: float | Literal["auto"] = 0.0
    huber_delta: float = 0.02
    raw_residuals: bool = True
