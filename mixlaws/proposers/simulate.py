"""Simulate and average, the proposer of RegMix: the mean of the best of many random mixtures.

Source: Liu et al. 2024, arXiv:2407.01492; from the published notebook: 100,000 mixtures from a Dirichlet
with the prior as its concentration, the mean of the 128 of lowest prediction. Averaging is what makes the
answer of a piecewise-constant predictor stable. The mean is scored again: its own prediction may be worse
than the best sample's, and it is the mean that gets trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import Predictor, ProbabilisticPredictor, Proposal
from mixlaws.intervals import TOLD_LEVEL, half_widths
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import normalise


@dataclass(frozen=True)
class SimulateAndAverage:
    """Hyperparameters; the defaults are the published ones.

    Args:
        samples: mixtures that are drawn for each proposal.
        top: how many of the best are averaged.
        strength: total concentration of the Dirichlet; with 1 most samples lie near a vertex.
    """

    samples: int = 100_000
    top: int = 128
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.top <= self.samples:
            raise InvalidInputError(f"top is {self.top}: use 1 to the number of samples, {self.samples}")
        if not self.strength > 0:
            raise InvalidInputError(f"strength is {self.strength}: use a value > 0")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """`count` proposals, each from samples of its own, best predicted objective first."""
        proposals = [self._propose(predictor, problem, child) for child in rng.spawn(count)]
        return sorted(proposals, key=lambda proposal: proposal.objective)

    def _propose(self, predictor: Predictor, problem: MixtureProblem, rng: np.random.Generator) -> Proposal:
        gammas = rng.standard_gamma(self.strength * problem.prior, size=(self.samples, len(problem.domains)))
        candidates = normalise(gammas[gammas.sum(axis=1) > 0])
        inside = problem.feasible.contains(candidates)
        feasible = candidates[inside]
        if len(feasible) < self.top:  # tight constraints leave next to none: the others are brought in
            feasible = np.concatenate([feasible, problem.feasible.project(candidates[~inside])])
        best = average_of_best(predictor, problem, feasible, top=self.top)
        return scored(best, predictor, problem, details={"samples_within_bounds": float(inside.sum())})


def average_of_best(
    predictor: Predictor, problem: MixtureProblem, candidates: FloatArray, /, *, top: int
) -> FloatArray:
    """(d,) mean of the `top` candidates (n, d) of lowest predicted objective."""
    objective = problem.objective(predictor.predict(candidates))
    order = np.argsort(objective, kind="stable")[:top]
    # The mean of feasible mixtures is feasible; the projection mends rounding alone.
    return problem.feasible.project(candidates[order].mean(axis=0))


def scored(
    weights: FloatArray, predictor: Predictor, problem: MixtureProblem, *, details: dict[str, float]
) -> Proposal:
    """A proposal with its predicted targets, and their deviations where the predictor knows them.

    Raises:
        FitError: the prediction is not finite.
    """
    predicted = predictor.predict(weights[None, :])[0]
    if not np.all(np.isfinite(predicted)):
        raise FitError("the predicted targets of the proposal are not finite: fit another method")
    deviation, half_width = None, None
    if isinstance(predictor, ProbabilisticPredictor):
        deviation = predictor.deviation(weights[None, :])[0]
        half_width = half_widths(predictor, deviation, level=TOLD_LEVEL)
    return Proposal(
        weights=weights,
        predicted=predicted,
        deviation=deviation,
        half_width=half_width,
        objective=float(problem.objective(predicted)),
        details=details,
    )
