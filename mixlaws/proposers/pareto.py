"""Mixtures of which none is better than another on every target: the Pareto front, by scalarisation.

    min_w  sum_m l_m sum_t o_mt f_t(w) + lambda KL(w || q)    for many random l on the simplex

Each of many random mixes l of what is traded, the rows o_m, is minimised; for convex predictors every point
of the front is the minimum of one of them. What is dominated after all is dropped, and what is left is
thinned to mixtures far from each other in what is traded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import scored

_FEWEST = 2


@dataclass(frozen=True)
class Pareto:
    """Hyperparameters.

    Args:
        kl: pull towards the prior, as for the convex proposer.
        scalarisations: objectives that are tried for each proposal that is wanted.
        objectives: (m, t) coefficients >= 0 of what is traded, each row scaled to sum to 1: a target has one
            that is not 0, a group several. None trades every target against every other.
    """

    kl: float = 0.01
    scalarisations: int = 4
    objectives: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.scalarisations < 1:
            raise InvalidInputError(f"scalarisations is {self.scalarisations}: use at least 1")
        if self.objectives is None:
            return
        if len(self.objectives) < _FEWEST:
            raise InvalidInputError(f"objectives has {len(self.objectives)} row: a trade needs two")
        for row in self.objectives:
            if not (np.all(np.isfinite(row)) and min(row, default=0) >= 0 and sum(row) > 0):
                raise InvalidInputError(f"objectives has the row {list(row)}: use values >= 0, not all 0")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """Up to `count` mixtures of the front, best objective first.

        Raises:
            FitError: the predictor has no derivatives.
            InvalidInputError: an objective is of another number of targets than the predictor.
        """
        traded = self._traded(predictor.predict(problem.prior[None, :]).shape[1])
        m = len(traded)
        solver = ConvexProposer(kl=self.kl, starts=0)
        mixtures = []
        for coefficients in [np.ones(m), *rng.dirichlet(np.ones(m), size=self.scalarisations * count - 1)]:
            posed = replace(problem, coefficients=coefficients @ traded)
            mixtures.append(solver.propose(predictor, posed, count=1, rng=rng)[0].weights)
        found = np.array(mixtures)
        values = predictor.predict(found) @ traded.T
        front = np.flatnonzero(~dominated(values))
        kept = front[spread_out(values[front], count=count)]
        proposals = [scored(found[j], predictor, problem, details={}) for j in kept]
        return sorted(proposals, key=lambda proposal: proposal.objective)

    def _traded(self, t: int) -> FloatArray:
        """(m, t) coefficients whose rows sum to 1."""
        if self.objectives is None:
            return np.eye(t)
        for row in self.objectives:
            if len(row) != t:
                raise InvalidInputError(f"objectives has a row of {len(row)} values: there are {t} targets")
        rows = np.array(self.objectives, dtype=np.float64)
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def dominated(values: FloatArray, /) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) whether another row of (n, t) is nowhere higher and somewhere lower; of equal rows one stays."""
    no_higher = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    lower = (values[:, None, :] < values[None, :, :]).any(axis=2)
    earlier = np.arange(len(values))[:, None] < np.arange(len(values))
    return np.asarray((no_higher & (lower | earlier)).any(axis=0))


def spread_out(values: FloatArray, /, *, count: int) -> list[int]:
    """Indices of up to `count` rows of (n, t): of the lowest mean, then the farthest from those chosen."""
    units = values / np.maximum(values.std(axis=0), 1e-12)
    chosen = [int(values.mean(axis=1).argmin())]
    while len(chosen) < min(count, len(values)):
        away = np.linalg.norm(units[:, None, :] - units[chosen], axis=2).min(axis=1)
        if away.max() <= 0:
            break
        chosen.append(int(away.argmax()))
    return chosen
