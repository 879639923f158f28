"""What a method says of every run when it has not seen it, and how sure it was."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.estimator import AnyEstimator, Predictor, ProbabilisticPredictor
from mixlaws.laws.fitting import FittedLaw, Law
from mixlaws.regressors.gaussian_process import GaussianProcessPredictor
from mixlaws.scales import known_scales, predict_runs
from mixlaws.swarm import Swarm

# Above it, lengths that were tuned with a run in sight no longer know it: they come from hundreds.
_CLOSED_FORM_RUNS = 100


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A method fitted to all runs, and its predictions of each of them by fits without it.

    Args:
        predictor: the fit to all runs.
        predicted: (n, t) held-out predictions.
        deviation: (n, t) their standard deviations; 0 where the method knows none.
        transfer: (l, t) predictions of the runs of the largest scale by fits to smaller ones, but for level
            and gain; None where that was not asked.
    """

    predictor: Predictor
    predicted: FloatArray
    deviation: FloatArray
    transfer: FloatArray | None = None


def hold_out(
    estimator: AnyEstimator,
    swarm: Swarm,
    folds: IntArray,
    *,
    rng: np.random.Generator,
    parts: Sequence[Swarm] | None = None,
) -> HeldOut:
    """Fit a method and predict every run without it.

    Args:
        estimator: the method.
        swarm: the runs.
        folds: (n,) fold of each run.
        rng: seeds the fits.
        parts: runs to fit for each fold; those of the swarm that are not in it, unless given.
    """
    fit_rng, *fold_rngs = rng.spawn(1 + int(folds.max()) + 1)
    predictor = estimator.fit(swarm, rng=fit_rng)
    if isinstance(predictor, GaussianProcessPredictor) and len(swarm) > _CLOSED_FORM_RUNS:
        return HeldOut(predictor, *predictor.held_out(folds))
    settled = _settled(estimator, predictor)
    predicted, deviation = np.empty_like(swarm.values), np.zeros_like(swarm.values)
    for fold, fold_rng in enumerate(fold_rngs):
        left_out = folds == fold
        kept = swarm.take(np.flatnonzero(~left_out)) if parts is None else parts[fold]
        part = settled.fit(kept, rng=fold_rng)
        unseen = swarm.take(np.flatnonzero(left_out))
        predicted[left_out] = predict_runs(part, unseen, known=known_scales(settled))
        if isinstance(part, ProbabilisticPredictor):
            deviation[left_out] = part.deviation(swarm.weights[left_out])
    return HeldOut(predictor, predicted, deviation)


def _settled(estimator: AnyEstimator, predictor: Predictor) -> AnyEstimator:
    """The method with the ridge that it chose: one of five, from all runs, tells nothing of any of them."""
    if isinstance(estimator, Law) and isinstance(predictor, FittedLaw):
        return estimator.settled(predictor)
    return estimator
