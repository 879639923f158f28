"""The fit of Kaplan's law in stages, each on the part of the data that tells its constants.

1. α_N, N_c: the loss to which each model size converges, a power law of N.
2. B*, α_B: at one loss level the steps of runs of one size are S = S_min + E_min / B, a line in 1/B; the
   critical batch size is E_min / S_min, a power law of the level.
3. α_S, S_c: with B_crit known, S_min of every observation; the loss above the converged one is a power
   law of it.

Order by Su et al. 2024, arXiv:2403.06563 (unverified). Runs to convergence are dear, so the converged loss
is not asked for: it is the floor of L = C + A S^(-α) at the largest batch of each size, with one α for all.
"""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import CurveTooShortError, FitError
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.power_law import fit_power_laws

_LEVELS = 12  # loss levels of one model size
_LEAST = 2  # model sizes, batch sizes or levels: a line has two points


def staged_start(part: LossCurves, target: int) -> FloatArray:
    """(6,) parameters of one target of one mixture, in the order of `kaplan.PARAMETERS`.

    Raises:
        CurveTooShortError: fewer than two model sizes, or no size with two batch sizes.
        FitError: losses do not fall, or the critical batch size does not grow as they fall.
    """
    losses = part.values[:, target]
    batches = part.tokens if part.batch_tokens is None else part.batch_tokens
    steps = part.tokens / batches
    if losses.min() <= 0:
        raise FitError(f"a loss is {losses.min():.6g}, and Kaplan's law describes losses > 0 alone")
    alpha_n, log_n_c = _converged(part.model_parameters, batches, steps, losses)
    alpha_b, log_b_star = _critical_batch(part.model_parameters, batches, steps, losses)
    critical = np.exp(log_b_star - np.log(losses) / alpha_b)
    least_steps = steps / (1 + critical / batches)
    above = losses - np.exp(alpha_n * (log_n_c - np.log(part.model_parameters)))
    # Near convergence the difference is noise, and its logarithm is worse.
    usable = above > 0.02 * losses
    if usable.sum() < _LEAST:
        raise FitError("the losses lie at their converged values: Kaplan's law needs earlier checkpoints")
    slope, height = np.polyfit(np.log(least_steps[usable]), np.log(above[usable]), 1)
    if not slope < 0:
        raise FitError("the loss does not fall with steps: look at the curves")
    return np.array([alpha_n, log_n_c, alpha_b, log_b_star, -slope, height / -slope])


def _converged(
    sizes: FloatArray, batches: FloatArray, steps: FloatArray, losses: FloatArray
) -> tuple[float, float]:
    """α_N and log N_c from the floors of the curves at the largest batch of each size."""
    known = np.unique(sizes)
    if len(known) < _LEAST:
        raise CurveTooShortError(method="Kaplan's law", what="model size", needed=_LEAST, got=len(known))
    rows = [np.flatnonzero((sizes == size) & (batches == batches[sizes == size].max())) for size in known]
    longest = max(len(row) for row in rows)
    if longest <= _LEAST:
        raise CurveTooShortError(method="Kaplan's law", what="checkpoints of a run", needed=3, got=longest)
    x, y, mask = (
        np.ones((len(known), longest)),
        np.zeros((len(known), longest)),
        np.zeros((len(known), longest)),
    )
    for k, row in enumerate(rows):
        x[k, : len(row)], y[k, : len(row)], mask[k, : len(row)] = steps[row], losses[row], 1.0
    floors = fit_power_laws(x, y, mask, np.zeros(len(known), dtype=np.int64)).floor
    if floors.min() <= 0:
        raise FitError("a curve has no floor yet: train the small models longer")
    slope, height = np.polyfit(np.log(known), np.log(floors), 1)
    if not slope < 0:
        raise FitError("larger models do not converge to lower losses: look at the curves")
    return float(-slope), float(height / -slope)


def _critical_batch(
    sizes: FloatArray, batches: FloatArray, steps: FloatArray, losses: FloatArray
) -> tuple[float, float]:
    """α_B and log B* from lines of steps over 1/B at levels of the loss."""
    found: list[tuple[float, float]] = []
    several = 0
    for size in np.unique(sizes):
        runs = [np.flatnonzero((sizes == size) & (batches == b)) for b in np.unique(batches[sizes == size])]
        several = max(several, len(runs))
        if len(runs) >= _LEAST:
            found += _levels(runs, batches, steps, losses)
    if several < _LEAST:
        raise CurveTooShortError(
            method="Kaplan's law", what="batch size of a model size", needed=2, got=several
        )
    if len(found) < _LEAST:
        raise FitError("runs of different batches share no loss levels: train the small batches longer")
    levels, critical = np.log(np.array(found)).T
    slope, height = np.polyfit(levels, critical, 1)
    if not slope < 0:
        raise FitError("the critical batch size does not grow as the loss falls: use batches further apart")
    return float(-1 / slope), float(height)


def _levels(
    runs: list[np.ndarray], batches: FloatArray, steps: FloatArray, losses: FloatArray
) -> list[tuple[float, float]]:
    """Pairs of a loss level and the critical batch size there, of runs of one size."""
    curves = []
    for row in runs:
        order = row[np.argsort(steps[row])]
        lowest = np.minimum.accumulate(losses[order])  # noise must not make a level be reached twice
        curves.append((np.log(steps[order]), lowest))
    top, bottom = min(lowest[0] for _, lowest in curves), max(lowest[-1] for _, lowest in curves)
    if not top > bottom:
        return []
    inverse = np.array([1 / batches[row[0]] for row in runs])
    found = []
    for level in np.linspace(bottom, top, _LEVELS + 2)[1:-1]:
        needed = np.exp([np.interp(-level, -lowest, log_steps) for log_steps, lowest in curves])
        columns = np.stack([np.ones_like(inverse), inverse], axis=1) / needed[:, None]  # relative errors
        (least_steps, least_tokens), *_ = np.linalg.lstsq(columns, np.ones_like(needed), rcond=None)
        if least_steps > 0 and least_tokens > 0:
            found.append((float(level), float(least_tokens / least_steps)))
    return found
