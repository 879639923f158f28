"""Mixtures of which none is better than another on every target: the Pareto front, by scalarisation.

Each of many random objectives over the targets is minimised; for convex predictors every point of the front
is the minimum of one of them. What is dominated after all is dropped, and what is left is thinned to mixtures
far from each other in targets.
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


@dataclass(frozen=True)
class Pareto:
    """Hyperparameters.

    Args:
        kl: pull towards the prior, as for the convex proposer.
        scalarisations: objectives that are tried for each proposal that is wanted.
    """

    kl: float = 0.01
    scalarisations: int = 4

    def __post_init__(self) -> None:
        if self.scalarisations < 1:
            raise InvalidInputError(f"scalarisations is {self.scalarisations}: use at least 1")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """Up to `count` mixtures of the front, best objective first.

        Raises:
            FitError: the predictor has no derivatives.
        """
        t = predictor.predict(problem.prior[None, :]).shape[1]
        solver = ConvexProposer(kl=self.kl, starts=0)
        mixtures = []
        for coefficients in [np.ones(t), *rng.dirichlet(np.ones(t), size=self.scalarisations * count - 1)]:
            posed = replace(problem, coefficients=coefficients / coefficients.sum())
            mixtures.append(solver.propose(predictor, posed, count=1, rng=rng)[0].weights)
        found = np.array(mixtures)
        values = predictor.predict(found)
        front = np.flatnonzero(~dominated(values))
        kept = front[spread_out(values[front], count=count)]
        proposals = [scored(found[j], predictor, problem, details={}) for j in kept]
        return sorted(proposals, key=lambda proposal: proposal.objective)


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
