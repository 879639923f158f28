"""The next runs by what they are worth for their compute: a mixture and the scale to run it at.

    choose the run r that maximises    E[ min_w m(w) - min_w m_r(w) ] / (6 N_r D_r)

with m the predicted objective at the scale that the decision is for, and m_r the same once r is measured: by
how much the run is expected to lower the regret of the mixture that would be chosen, per FLOP. It is the
knowledge gradient (Frazier et al. 2009, unverified) with several levels of fidelity. A run measures all
targets, each moves the prediction along its own covariance, and the expectation is over common draws of all.

A batch is built up greedily: after each run the covariance is what it would be with the run made, which does
not depend on what it measures, and the mean stays. What small runs can tell of the large scale is then used
up, and larger ones follow where they are worth their price.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.explore import promising
from mixlaws.proposers.simulate import scored
from mixlaws.regressors.multi_scale import MultiScalePredictor, extended
from mixlaws.scales import Scale

_UNIT = 1e18  # FLOPs: values per single FLOP have no digits to read


@dataclass(frozen=True)
class ValuePerFlop:
    """Hyperparameters.

    Args:
        scales: pairs (parameters, tokens) at which runs can be made; those of the fitted runs unless given.
        budget: FLOPs that the batch may cost in all; no limit unless given.
        candidates: mixtures of which the promising ones are kept.
        kept: mixtures that are decided between, and that can be run at each scale.
        draws: of what a run may measure.
    """

    scales: tuple[tuple[float, ...], ...] = ()
    budget: float | None = None
    candidates: int = 2000
    kept: int = 100
    draws: int = 64

    def __post_init__(self) -> None:
        if not 1 <= self.kept <= self.candidates or self.draws < 1:
            raise InvalidInputError(
                f"candidates {self.candidates}, kept {self.kept}, draws {self.draws}: "
                "need 1 <= kept <= candidates, and a draw"
            )
        if self.budget is not None and not self.budget > 0:
            raise InvalidInputError(f"budget is {self.budget}: use a number of FLOPs > 0")
        if any(len(pair) != 2 or min(pair) <= 0 for pair in self.scales):
            raise InvalidInputError(f"scales are {self.scales}: use pairs of parameters and tokens, all > 0")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """`count` runs in the order in which they add to the batch; fewer if the budget ends before.

        Predictions are for the scale that the predictor holds for; details say at which one to run.

        Raises:
            FitError: the predictor does not know several scales.
            InvalidInputError: what a run costs is not known, or the budget buys none.
        """
        if not isinstance(predictor, MultiScalePredictor):
            raise FitError(
                f"{type(predictor).__name__} does not say what a small run tells of a large one: fit runs of "
                "several scales by multi_scale"
            )
        scales = [Scale(*pair) for pair in self.scales or predictor.levels.scales]
        costs = [_cost(scale) for scale in scales]
        if self.budget is not None and self.budget < min(costs):
            raise InvalidInputError(
                f"the budget is {self.budget:.3g} FLOPs, and the cheapest run costs {min(costs):.3g}: "
                "allow more, or name smaller scales"
            )
        mixtures = promising(predictor, problem, candidates=self.candidates, kept=self.kept, rng=rng)
        beliefs = _Beliefs(predictor, problem, mixtures, scales)
        draws = _draws(self.draws, beliefs.coefficients.shape[1], rng)
        cost = np.repeat(costs, len(mixtures))
        free, left = np.ones(len(cost), dtype=np.bool_), np.inf if self.budget is None else self.budget
        chosen: list[Proposal] = []
        while len(chosen) < count and (allowed := free & (cost <= left)).any():
            value = beliefs.values(draws, allowed)
            best = int((value / cost).argmax())
            scale, mixture = scales[best // len(mixtures)], mixtures[best % len(mixtures)]
            details = {
                "model_parameters": float(scale.model_parameters or 0.0),
                "tokens": float(scale.tokens or 0.0),
                "flops": float(cost[best]),
                "value": float(value[best]),
                "value_per_exaflop": float(value[best] / cost[best] * _UNIT),
            }
            chosen.append(scored(mixture, predictor, problem, details=details))
            beliefs.make(best)
            free[best], left = False, left - cost[best]
        return chosen


class _Beliefs:
    """Joint beliefs of m mixtures at the scale of the decision, and of all runs, as runs are chosen."""

    def __init__(
        self,
        predictor: MultiScalePredictor,
        problem: MixtureProblem,
        mixtures: FloatArray,
        scales: Sequence[Scale],
    ) -> None:
        process, here = predictor.inner, predictor.rows(mixtures)
        runs = [extended(mixtures, [scale] * len(mixtures), process.root) for scale in scales]
        rows = np.concatenate([here, *runs])
        t = len(process.mean)
        self.m = len(mixtures)
        self.mean = problem.objective(predictor.predict(mixtures))
        # (m, t) what a standardised value of a target is worth in the objective
        self.coefficients = problem.objective(np.eye(t)) * predictor.worth(here) * process.stretch(here)
        self.covariance = np.stack([process.covariance(rows, target) for target in range(t)])
        self.noise = np.maximum(process.noise * process.amplitude, 1e-12)

    def values(self, draws: FloatArray, allowed: BoolArray) -> FloatArray:
        """Expected fall of the regret by each run; -1 where a run is not allowed.

        Args:
            draws: (s, t) standard normal.
            allowed: runs to judge.
        """
        runs = np.flatnonzero(allowed)
        value = np.full(len(allowed), -1.0)
        now = int(self.mean.argmin())
        variance = self.covariance[:, self.m + runs, self.m + runs] + self.noise[:, None]
        reach = self.covariance[:, : self.m, self.m + runs] / np.sqrt(np.maximum(variance, 1e-12))[:, None, :]
        for at, run in enumerate(runs):
            then = self.mean + draws @ (self.coefficients * reach[:, :, at].T).T
            value[run] = float((then[:, now] - then.min(axis=1)).mean())
        return value

    def make(self, run: int) -> None:
        """Take a run for made."""
        column = self.covariance[:, :, self.m + run]
        variance = column[:, self.m + run] + self.noise
        self.covariance = self.covariance - column[:, :, None] * column[:, None, :] / variance[:, None, None]


def _cost(scale: Scale) -> float:
    if scale.flops is None:
        raise InvalidInputError(
            "runs do not tell both their parameters and their tokens, so that their cost is not known: name "
            "scales as pairs of both, or add the columns"
        )
    return scale.flops


def _draws(count: int, t: int, rng: np.random.Generator) -> FloatArray:
    """(count, t) draws in opposite pairs: their mean is no accident."""
    half = rng.standard_normal(((count + 1) // 2, t))
    return np.concatenate([half, -half])[:count]
