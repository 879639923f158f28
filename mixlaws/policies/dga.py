"""DGA, dynamic gradient alignment: domains whose gradients point where those of the targets do get more.

    a_i = mean over targets j of <g_i, g_j>
    u_i proportional to  w_i exp(eta a_i);                  w <- memory w + (1 - memory) u

with g_i the gradient of the mean loss of domain i. The start is the prior. The average over updates keeps a
domain from being lost to one noisy measurement: a weight falls at most by the factor `memory` in an update.

A domain that was absent, or whose product with a target is missing, keeps its weight. One update is made for
every feedback that has products, however many steps it covers: the trainer chooses how often it measures.

Source: Fan, Grangier and Ablin 2024, arXiv:2410.02498, which we know from reviews and from other papers; no
released code. The update is unverified: the exponential step is from memory, of the average we know only
that there is one, and for eta and memory we know no published values.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import multiplied_where_known
from mixlaws.policies.mixture import MixturePolicy


@dataclass(frozen=True)
class Dga(MixturePolicy):
    """Hyperparameters.

    Args:
        eta: step size; products have the unit of squared gradients, so that it depends on the model.
        memory: share of the mixture before that an update keeps.
    """

    name: ClassVar[str] = "dga"

    eta: float = 1.0
    memory: float = 0.9

    def __post_init__(self) -> None:
        if not (np.isfinite(self.eta) and self.eta >= 0) or not 0 <= self.memory < 1:
            raise InvalidInputError(
                f"eta {self.eta}, memory {self.memory}: need a finite value >= 0 and one from 0 to below 1"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Products of the gradients of domains with those of targets."""
        return frozenset({Signal.GRAD_PRODUCTS})

    def moved(self, weights: FloatArray, feedback: Feedback, /) -> FloatArray | None:
        """(d,) the mixture after one more feedback."""
        products = feedback.grad_products
        if products is None or not products.observed.any():
            return None
        with np.errstate(over="ignore"):
            scores = self.eta * products.added / products.measured.sum()
        return self.memory * weights + (1 - self.memory) * multiplied_where_known(weights, scores)
