"""Held-out scores: cross-validation, leave-one-out, and the three numbers that they are told in."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import AnyEstimator, Predictor, ProbabilisticPredictor, SelfScoredPredictor
from mixlaws.progress import through
from mixlaws.scales import known_scales, predict_runs, scales_of
from mixlaws.swarm import Swarm, mixture_numbers, require_mixtures


@dataclass(frozen=True)
class Scores:
    """How well held-out predictions follow measured values.

    Args:
        spearman: rank correlation; None where it is undefined or an artefact (a constant predictor's
            leave-one-out predictions are anti-correlated with the data by construction).
        mae: mean absolute error, in the unit of the target.
        r2: 1 - squared error / variance; None where the measured values do not vary.

    Of runs of several scales, ranks and variance are those within a scale: what scales differ by is no merit
    of a prediction of mixtures.
    """

    spearman: float | None
    mae: float
    r2: float | None


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Held-out predictions of every run of a swarm.

    Args:
        measured: (n, t) values of the swarm.
        predicted: (n, t) predictions by fits that did not see the run.
        folds: (n,) fold in which each run was held out.
        constant: (t,) whether fits vary less between mixtures than they differ from each other.
            Then a held-out prediction tells which run was left out, and nothing of its mixture.
        scales: (n,) number of the scale of each run, at which it was predicted; None where there is one.
        deviation: (n, t) standard deviations that the same fits told; None where the method knows none, and
            for runs of several scales.
    """

    measured: FloatArray
    predicted: FloatArray
    folds: IntArray
    constant: tuple[bool, ...]
    scales: IntArray | None = None
    deviation: FloatArray | None = None

    @property
    def parts(self) -> int:
        """How many parts the runs were held out in."""
        return len(np.unique(self.folds))

    def scores(self) -> list[Scores]:
        """One row of scores per target."""
        return [
            score(self.measured[:, t], self.predicted[:, t], constant=flat, scales=self.scales)
            for t, flat in enumerate(self.constant)
        ]

    def objective_scores(self, coefficients: FloatArray, /) -> Scores:
        """Scores of the combination (t,) of targets that a proposal minimises.

        Per-target scores look excellent for every method, since a domain's own share dominates its
        loss; the decision turns on this combination.
        """
        flat = all(c for c, coefficient in zip(self.constant, coefficients, strict=True) if coefficient > 0)
        measured, predicted = self.measured @ coefficients, self.predicted @ coefficients
        return score(measured, predicted, constant=flat, scales=self.scales)


def score(
    measured: FloatArray,
    predicted: FloatArray,
    /,
    *,
    constant: bool = False,
    scales: IntArray | None = None,
) -> Scores:
    """Score (n,) predictions against (n,) measured values, within each scale (n,) if there are several.

    Ranks of several scales are averaged, each by its runs beyond the first.
    """
    error = predicted - measured
    numbers = np.zeros(len(measured), dtype=np.int64) if scales is None else scales
    parts = [numbers == number for number in np.unique(numbers)]
    variance = sum(float(((measured[part] - measured[part].mean()) ** 2).sum()) for part in parts)
    ranks = [(int(part.sum()) - 1, spearman(measured[part], predicted[part])) for part in parts]
    known = [(runs, rank) for runs, rank in ranks if rank is not None and not constant]
    return Scores(
        spearman=sum(runs * rank for runs, rank in known) / sum(runs for runs, _ in known) if known else None,
        mae=float(np.abs(error).mean()),
        r2=1 - float((error**2).sum()) / variance if variance > 0 else None,
    )


def spearman(left: FloatArray, right: FloatArray, /) -> float | None:
    """Rank correlation of two (n,) arrays, ties sharing their mean rank; None if either is constant."""
    a, b = rankdata(left), rankdata(right)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else None


def affine_calibrated_r2(measured: FloatArray, predicted: FloatArray, /) -> float | None:
    """R² of (n,) predictions after the best line a + b * predicted with b >= 0.

    Between model sizes or lengths of training the level of a loss shifts, and bare R² tells of nothing but
    that shift. The line takes it away; it may not turn the order round, so that predictions which rank
    mixtures backwards get 0. Two parameters are fitted to the very data: it says how well order and
    spacing agree, and is no held-out score.

    Returns:
        The value, in 0 to 1; None where the measured values do not vary.
    """
    a, b = measured - measured.mean(), predicted - predicted.mean()
    if not (a**2).sum() > 0:
        return None
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return max(float((a * b).sum()) / size, 0.0) ** 2 if size > 0 else 0.0


def law_fidelity(predictor: Predictor, swarm: Swarm, coefficients: FloatArray, /) -> float | None:
    """How well a law's assumption describes the losses it claims to: R² on the very runs it was fitted to.

    It is no held-out score. Where it is low, losses have not the form of the law, and more runs will not
    help; where it is high and the held-out R² is low, the law has more freedom than the runs can settle.
    Source: Chen et al. 2024, arXiv:2411.05735, who average over targets; here it is that of the objective,
    as the held-out scores beside it are.

    Args:
        predictor: a law that was fitted to the swarm.
        swarm: the runs.
        coefficients: (t,) of the objective.

    Returns:
        At most 1; None where the objective does not vary.
    """
    return score(swarm.values @ coefficients, predictor.predict(swarm.weights) @ coefficients).r2


def cross_validate(
    estimator: AnyEstimator, swarm: Swarm, /, *, folds: int | None = None, rng: np.random.Generator
) -> CrossValidation:
    """Predict each run of a swarm by a fit that did not see it.

    Runs of one and the same mixture are held out together, at all scales: a repeat that stays in the training
    part would tell its twin's value. A method that knows scales predicts each run at its own; one that does
    not is scored all the same within each scale.

    Args:
        estimator: what to fit; each fold gets a generator of its own.
        swarm: the runs.
        folds: how many parts to split the distinct mixtures into; None leaves one mixture out at a time.
        rng: splits the mixtures and seeds the fits.

    Raises:
        RunsAlikeError: fewer than three distinct mixtures.
        SwarmTooSmallError: too few runs for the estimator in a fold.
    """
    distinct = require_mixtures(swarm, method="cross-validation", needed=3)
    groups = mixture_numbers(swarm.weights)
    parts = distinct if folds is None else min(folds, distinct)
    if parts < 2:
        raise InvalidInputError(f"folds is {folds}: use at least 2, or None for leave-one-out")
    fold_of_group = rng.permutation(distinct) % parts
    fold = fold_of_group[groups]
    predicted, deviation = np.empty_like(swarm.values), np.full_like(swarm.values, np.nan)
    level, spread = np.empty((parts, len(swarm.targets))), np.empty((parts, len(swarm.targets)))
    scales, numbers = scales_of(swarm)
    for part, fold_rng in through(enumerate(rng.spawn(parts))):
        kept = np.flatnonzero(fold != part)
        predictor = estimator.fit(swarm.take(kept), rng=fold_rng)
        everywhere, left_out = predictor.predict(swarm.weights), np.flatnonzero(fold == part)
        predicted[left_out] = predict_runs(predictor, swarm.take(left_out), known=known_scales(estimator))
        if isinstance(predictor, ProbabilisticPredictor):
            deviation[left_out] = predictor.deviation(swarm.weights[left_out])
        level[part], spread[part] = everywhere.mean(axis=0), everywhere.std(axis=0)
    # Medians: one fit that runs wild says nothing of the others.
    moved = np.median(np.abs(level - np.median(level, axis=0)), axis=0)
    flat = np.median(spread, axis=0) <= moved + 1e-9 * np.median(np.abs(level), axis=0)
    constant = tuple(bool(f) for f in flat)
    one_scale = len(scales) == 1
    return CrossValidation(
        swarm.values,
        predicted,
        fold,
        constant,
        None if one_scale else numbers,
        deviation if one_scale and np.all(np.isfinite(deviation)) else None,
    )


def held_out(
    estimator: AnyEstimator,
    predictor: Predictor,
    swarm: Swarm,
    /,
    *,
    folds: int | None,
    rng: np.random.Generator,
) -> CrossValidation:
    """Predict every run by a fit that did not see it, at no cost where the method has done so already.

    Args:
        estimator: the method.
        predictor: its fit to all runs.
        swarm: the runs.
        folds: parts, for methods that have not; None leaves one mixture out at a time.
        rng: splits the mixtures and seeds the fits.
    """
    if isinstance(predictor, SelfScoredPredictor) and predictor.held_out is not None:
        return predictor.held_out
    return cross_validate(estimator, swarm, folds=folds, rng=rng)


def pooled_deviation(weights: FloatArray, values: FloatArray) -> tuple[FloatArray, int]:
    """Noise of repeated runs, pooled over mixtures.

    A deviation from two runs is often tiny by luck; pooling over mixtures mends that.

    Args:
        weights: (n, d) mixtures; of several scales with the scale (`scales.apart`).
        values: (n, t) values of the runs.

    Returns:
        (t,) standard deviations and their degrees of freedom; NaN with 0 where nothing is repeated.
    """
    groups = mixture_numbers(weights)
    squares = np.zeros(values.shape[1])
    freedom = 0
    for group in range(int(groups.max()) + 1):
        rows = values[groups == group]
        squares += ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
        freedom += len(rows) - 1
    return (np.sqrt(squares / freedom), freedom) if freedom else (np.full(values.shape[1], np.nan), 0)
