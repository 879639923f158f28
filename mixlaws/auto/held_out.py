"""What a method says of every run when it has not seen it, and how sure it was."""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.estimator import AnyEstimator, Predictor, ProbabilisticPredictor
from mixlaws.laws.fitting import FittedLaw, Law
from mixlaws.regressors.process import GaussianProcessPredictor
from mixlaws.swarm import Swarm

# Above it, lengths that were tuned with a run in sight no longer know it: they come from hundreds.
_CLOSED_FORM_RUNS = 100
PART_FOLDS = 2  # most runs are outside of the part, and are scored for nothing


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A method fitted to all runs, and its predictions of each of them by fits without it.

    Args:
        predictor: the fit to all runs, or to a part of them.
        predicted: (n, t) held-out predictions.
        deviation: (n, t) their standard deviations; 0 where the method knows none.
        runs: how many the predictor was fitted to.
    """

    predictor: Predictor
    predicted: FloatArray
    deviation: FloatArray
    runs: int


def hold_out(estimator: AnyEstimator, swarm: Swarm, folds: IntArray, *, rng: np.random.Generator) -> HeldOut:
    """Fit a method and predict every run without it.

    Args:
        estimator: the method.
        swarm: the runs.
        folds: (n,) fold of each run.
        rng: seeds the fits.
    """
    fit_rng, *fold_rngs = rng.spawn(1 + int(folds.max()) + 1)
    predictor = estimator.fit(swarm, rng=fit_rng)
    if isinstance(predictor, GaussianProcessPredictor) and len(swarm) > _CLOSED_FORM_RUNS:
        return HeldOut(predictor, *predictor.held_out(folds), len(swarm))
    settled = _settled(estimator, predictor)
    predicted, deviation = np.empty_like(swarm.values), np.zeros_like(swarm.values)
    for fold, fold_rng in enumerate(fold_rngs):
        left_out = folds == fold
        part = settled.fit(swarm.take(np.flatnonzero(~left_out)), rng=fold_rng)
        predicted[left_out] = part.predict(swarm.weights[left_out])
        if isinstance(part, ProbabilisticPredictor):
            deviation[left_out] = part.deviation(swarm.weights[left_out])
    return HeldOut(predictor, predicted, deviation, len(swarm))


def hold_out_of_part(
    estimator: AnyEstimator, swarm: Swarm, folds: IntArray, rows: IntArray, *, rng: np.random.Generator
) -> HeldOut:
    """Fit a method to some of the runs and predict every run without it: those outside cost no fit.

    Args:
        estimator: the method.
        swarm: the runs.
        folds: (n,) fold of each run.
        rows: runs that are fitted; all repeats of a mixture or none.
        rng: seeds the fits.
    """
    part = hold_out(estimator, swarm.take(rows), folds[rows] % PART_FOLDS, rng=rng)
    predicted, deviation = part.predictor.predict(swarm.weights), np.zeros_like(swarm.values)
    if isinstance(part.predictor, ProbabilisticPredictor):
        deviation = part.predictor.deviation(swarm.weights)
    predicted[rows], deviation[rows] = part.predicted, part.deviation
    return HeldOut(part.predictor, predicted, deviation, len(rows))


def _settled(estimator: AnyEstimator, predictor: Predictor) -> AnyEstimator:
    """The method with the ridge that it chose: one of five, from all runs, tells nothing of any of them."""
    if isinstance(estimator, Law) and isinstance(predictor, FittedLaw):
        return estimator.settled(predictor)
    return estimator
