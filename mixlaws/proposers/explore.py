"""The next batch of proxy runs: mixtures that together promise most, under joint draws of the predictor.

    maximise over batches B    E [ max(0, g - min_{w in B} f(w)) ]

with f the objective under one draw and g its value at the mixture of lowest predicted objective. It is
parallel expected improvement (Ginsbourger et al. 2010), in the sample-average form of BoTorch (Balandat et
al. 2020, arXiv:1910.06403), built up greedily: it is submodular, so that a greedy batch has at least 63 % of
the value of the best one. The first mixture is the one of lowest predicted objective; what a batch already
covers is of no further worth, so that it spreads by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import DifferentiablePredictor, Predictor, ProbabilisticPredictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.cloud import cloud
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import scored


@dataclass(frozen=True)
class Explore:
    """Hyperparameters.

    Args:
        candidates: mixtures of which the promising ones are kept.
        kept: candidates that joint draws are made of; the cost grows with its cube.
        draws: joint draws.
    """

    candidates: int = 4000
    kept: int = 300
    draws: int = 256

    def __post_init__(self) -> None:
        if not 1 <= self.kept <= self.candidates or self.draws < 1:
            raise InvalidInputError(
                f"candidates {self.candidates}, kept {self.kept}, draws {self.draws}: "
                "need 1 <= kept <= candidates, and a draw"
            )

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """`count` mixtures in the order in which they add to the batch.

        Raises:
            FitError: the predictor knows no uncertainty.
        """
        if not isinstance(predictor, ProbabilisticPredictor):
            raise FitError(
                f"{type(predictor).__name__} does not say how sure it is, and a batch is spread by that: "
                "fit a Gaussian process or auto, or use the convex proposer"
            )
        candidates = promising(predictor, problem, candidates=self.candidates, kept=self.kept, rng=rng)
        draws = problem.objective(predictor.sample(candidates, count=self.draws, rng=rng))
        order = batch(draws, count=min(count, len(candidates)))
        return [scored(candidates[j], predictor, problem, details={}) for j in order]


def promising(
    predictor: ProbabilisticPredictor,
    problem: MixtureProblem,
    /,
    *,
    candidates: int,
    kept: int,
    rng: np.random.Generator,
) -> FloatArray:
    """(k, d) mixtures that may be good, at most `kept`: clouds around the prior and around the best known."""
    half = candidates // 2
    first = cloud(problem, problem.prior, count=half, rng=rng)
    best = first[problem.objective(predictor.predict(first)).argmin()][None, :]
    if isinstance(predictor, DifferentiablePredictor):
        # No cloud comes as near to a minimum in a dozen dimensions as slopes do.
        solver = ConvexProposer(kl=0.0, starts=2)
        best = solver.propose(predictor, problem, count=1, rng=rng)[0].weights[None]
    second = cloud(problem, best[0], count=candidates - half, rng=rng)
    stacked = np.concatenate([best, first, second])
    _, distinct = np.unique(stacked.round(12), axis=0, return_index=True)
    everything = stacked[distinct]  # rounded mixtures would be off the simplex by as much
    objective = problem.objective(predictor.predict(everything))
    # Deviations of targets add up as if targets were independent.
    variance = problem.objective(predictor.deviation(everything) ** 2)
    hopeful = objective - np.sqrt(np.maximum(variance, 0.0))
    return np.asarray(everything[np.argsort(hopeful, kind="stable")[:kept]])


def batch(draws: FloatArray, /, *, count: int, taken: IntArray | None = None) -> list[int]:
    """Indices of a greedy batch.

    Args:
        draws: (s, n) joint draws of the objective at n mixtures.
        count: mixtures to choose.
        taken: mixtures that were run already.
    """
    free = np.ones(draws.shape[1], dtype=bool)
    if taken is not None:
        free[taken] = False
    mean = draws.mean(axis=0)
    chosen = [int(np.where(free, mean, np.inf).argmin())]
    free[chosen] = False
    covered = draws[:, chosen[0]]
    while len(chosen) < min(count, len(mean)) and free.any():
        promise = np.maximum(covered[:, None] - draws, 0.0).mean(axis=0)
        # Where no draw promises anything more, the next best mean does.
        score = promise if promise[free].max() > 0 else -mean
        chosen.append(int(np.where(free, score, -np.inf).argmax()))
        free[chosen[-1]] = False
        covered = np.minimum(covered, draws[:, chosen[-1]])
    return chosen
