"""What a method says of every run when it has not seen it, and how sure it was."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.estimator import AnyEstimator, Predictor, ProbabilisticPredictor
from mixlaws.laws.fitting import FittedLaw, Law
from mixlaws.progress import part, through
from mixlaws.regressors.process import GaussianProcessPredictor
from mixlaws.scales import known_scales, predict_runs
from mixlaws.swarm import Swarm

_REACH = 1.0  # ranges of the fitted values, beyond which a prediction is a fit that runs wild
# Above it, lengths that were tuned with a run in sight no longer know it: they come from hundreds.
_CLOSED_FORM_RUNS = 100
PART_FOLDS = 2  # most runs are outside of the part, and are scored for nothing


def reach(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(t,) smallest and largest predictions that fitted values (n, t) make credible.

    A law of many parameters can describe every run, held-out ones too, and say 2,000 nats farther out.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    return low - _REACH * (high - low), high + _REACH * (high - low)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A method fitted to all runs, and its predictions of each of them by fits without it.

    Args:
        predictor: the fit to all runs, or to a part of them.
        predicted: (n, t) held-out predictions, within the reach of the values.
        deviation: (n, t) their standard deviations; 0 where the method knows none.
        runs: how many the predictor was fitted to.
        transfer: (l, t) predictions of the runs of the largest scale by fits to smaller ones, but for level
            and gain; None where that was not asked.
    """

    predictor: Predictor
    predicted: FloatArray
    deviation: FloatArray
    runs: int
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
    whole = 1 / (1 + len(fold_rngs))
    with part(0.0, whole):
        predictor = estimator.fit(swarm, rng=fit_rng)
    if isinstance(predictor, GaussianProcessPredictor) and len(swarm) > _CLOSED_FORM_RUNS:
        told, own = predictor.held_out(folds)
        return HeldOut(predictor, np.clip(told, *reach(swarm.values)), own, len(swarm))
    settled = _settled(estimator, predictor)
    predicted, deviation = np.empty_like(swarm.values), np.zeros_like(swarm.values)
    for fold, fold_rng in through(enumerate(fold_rngs), start=whole):
        left_out = folds == fold
        kept = swarm.take(np.flatnonzero(~left_out)) if parts is None else parts[fold]
        fitted = settled.fit(kept, rng=fold_rng)
        unseen = swarm.take(np.flatnonzero(left_out))
        told = predict_runs(fitted, unseen, known=known_scales(settled))
        predicted[left_out] = np.clip(told, *reach(kept.values))
        if isinstance(fitted, ProbabilisticPredictor):
            deviation[left_out] = fitted.deviation(swarm.weights[left_out])
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
    few = hold_out(estimator, swarm.take(rows), folds[rows] % PART_FOLDS, rng=rng)
    predicted = np.clip(few.predictor.predict(swarm.weights), *reach(swarm.values[rows]))
    deviation = np.zeros_like(swarm.values)
    if isinstance(few.predictor, ProbabilisticPredictor):
        deviation = few.predictor.deviation(swarm.weights)
    predicted[rows], deviation[rows] = few.predicted, few.deviation
    return HeldOut(few.predictor, predicted, deviation, len(rows))


def _settled(estimator: AnyEstimator, predictor: Predictor) -> AnyEstimator:
    """The method with the ridge that it chose: one of five, from all runs, tells nothing of any of them."""
    if isinstance(estimator, Law) and isinstance(predictor, FittedLaw):
        return estimator.settled(predictor)
    return estimator
