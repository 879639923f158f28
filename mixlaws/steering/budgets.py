"""Epoch budgets: when domains run dry under a plan, and the plan that takes them out before they do.

A step reads w_i r tokens of domain i, where r are the tokens of a step. A domain of T_i tokens that may be
read E_i times has the budget T_i E_i.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.problem import MixtureProblem

# Steps: what a budget of tokens over a share loses to rounding; a step more or less would follow from it.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Placed:
    """A stage of a plan in steps of the job; it holds until the next one.

    Args:
        effective_step: first step of it.
        weights: (d,) shares of tokens.
    """

    effective_step: int
    weights: FloatArray


def budget(problem: MixtureProblem, /) -> FloatArray:
    """(d,) tokens that may be read of each domain; infinite where its epochs are not limited."""
    tokens = np.array(problem.domains.tokens, dtype=np.float64)
    return np.full(len(tokens), np.inf) if problem.max_epochs is None else tokens * problem.max_epochs


def dry_steps(
    plan: Sequence[Placed], left: FloatArray, tokens_per_step: float, step: int
) -> list[int | None]:
    """For each domain the first step at whose start its tokens are used up; None if that never comes.

    Args:
        plan: stages in rising steps; the last one is without end, the first one holds before its step too.
        left: (d,) tokens that may still be read from `step` on; infinite where unlimited.
        tokens_per_step: tokens of a step.
        step: the first step that is counted.
    """
    times = _dry_times(plan, left, tokens_per_step, step)
    return [_whole(time) if math.isfinite(time) else None for time in times.tolist()]


def within_budgets(
    plan: Sequence[Placed],
    left: FloatArray,
    tokens_per_step: float,
    step: int,
    *,
    until: int,
    reserve: int,
    zeroed: Callable[[FloatArray, BoolArray], FloatArray],
) -> tuple[list[Placed], dict[int, int]]:
    """The plan in which no domain runs dry before a step: it is at zero `reserve` steps ahead of that.

    A share that is spread lets others run dry earlier, so that each boundary is found under the plan that the
    one before left. From a reserve of 1 on no budget is overdrawn; with 0, by less than a step. What lies
    before `step` stays as it is, as does a plan under which nothing runs dry. Once all domains are at zero
    there is nothing left to read: from there the plan holds as it was given, whatever it reads again.

    Args:
        plan: stages in rising steps; the last one is without end, the first one holds before its step too.
        left: (d,) tokens that may still be read from `step` on; infinite where unlimited.
        tokens_per_step: tokens of a step.
        step: first step that may change.
        until: first step that no longer matters.
        reserve: steps between zero and dry, so that a domain is not drawn dry while news of it travel.
        zeroed: weights (d,) with 0 for the domains that are not active (d,), their share spread.

    Returns:
        The plan, and for the index of each domain that is brought to zero the step from which it is.
    """
    over: list[Placed] = []
    rest, active, at_zero = list(plan), np.ones(len(left), dtype=bool), dict[int, int]()
    while active.any():
        times = _dry_times(rest, left, tokens_per_step, step)
        due = np.flatnonzero(active & (times < until - _ROUNDING))
        ends = np.array([max(step, _whole(times[at]) - reserve) for at in due], dtype=np.int64)
        boundary = int(ends.min(initial=until))
        if boundary >= until:
            break
        for start, end, weights in _spans(rest, step):
            left = left - weights * tokens_per_step * max(0, min(end, boundary) - start)
        out = due[ends == boundary]
        at_zero |= dict.fromkeys(out.tolist(), boundary)
        active = active & ~np.isin(np.arange(len(left)), out)
        over += [stage for stage in rest if stage.effective_step < boundary]
        rest = _from(plan, boundary)
        if active.any():
            rest = [Placed(s.effective_step, zeroed(s.weights, active)) for s in rest]
        step = boundary
    return over + rest, at_zero


def _whole(time: float) -> int:
    """The first step that starts at a time or after it."""
    return math.ceil(time - _ROUNDING)


def _from(plan: Sequence[Placed], step: int) -> list[Placed]:
    """What of a plan holds from a step on."""
    first = max((at for at, stage in enumerate(plan) if stage.effective_step <= step), default=0)
    return [Placed(max(step, stage.effective_step), stage.weights) for stage in plan[first:]]


def _spans(plan: Sequence[Placed], step: int) -> Iterator[tuple[float, float, FloatArray]]:
    """Start, end and weights of what holds from a step on; the end of the last one is infinite."""
    begun = _from(plan, step)
    starts = [float(step), *(stage.effective_step for stage in begun[1:]), math.inf]
    for stage, start, end in zip(begun, starts[:-1], starts[1:], strict=True):
        yield start, end, stage.weights


def _dry_times(plan: Sequence[Placed], left: FloatArray, tokens_per_step: float, step: int) -> FloatArray:
    """(d,) when each domain is used up, in steps and parts of them; infinite for never."""
    times = np.where(left <= 0, float(step), np.inf)
    for start, end, weights in _spans(plan, step):
        rates = weights * tokens_per_step
        lasts = np.full(len(left), np.inf)
        with np.errstate(over="ignore"):  # of a rate near 0 it lasts for ever
            np.divide(np.maximum(left, 0.0), rates, out=lasts, where=rates > 0)
        times = np.minimum(times, np.where(lasts <= end - start + _ROUNDING, start + lasts, np.inf))
        left = left - rates * (end - start) if end < math.inf else left
    return times
