"""Stratified sampling: every domain alike, w_j = 1 / d.

The baseline of published comparisons of online methods, most of which lose to it in some of their settings
(Chen et al. 2024, arXiv:2411.05735).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.policies.fixed import FixedPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import fill


@dataclass(frozen=True)
class Stratified(FixedPolicy):
    """Follows equal shares, filled into bounds and caps."""

    name: ClassVar[str] = "stratified"

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) equal shares."""
        return fill(np.ones(len(problem.domains)), problem.lower, problem.caps)
