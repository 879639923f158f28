"""From a state to the stages that a trainer follows: holds before policy, guards around it, budgets last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, frozen
from mixlaws.errors import FitError
from mixlaws.policy import Stage
from mixlaws.steering.budgets import Placed, within_budgets
from mixlaws.steering.plans import SAME, digest, lasting, starts
from mixlaws.steering.setting import Setting
from mixlaws.steering.state import SteeringState

_DRIFT = 0.05  # of the way to a domain's end that its forecast may move before it is published again


@dataclass(frozen=True, eq=False)
class PublishedStage:
    """A stage of a schedule.

    Args:
        effective_step: first optimiser step of it.
        weights: (d,) shares of samples.
        reason: who or what chose the weights.
    """

    effective_step: int
    weights: FloatArray
    reason: str


@dataclass(frozen=True, eq=False)
class Publication:
    """Stages that replace everything published from a step on.

    Args:
        effective_step: that step; what was to begin there or later no longer does.
        stages: in rising order of steps.
    """

    effective_step: int
    stages: tuple[PublishedStage, ...]


@dataclass(frozen=True, eq=False)
class _Wish:
    """What should be followed, before guards; `guarded` tells whether trust region and limits apply."""

    stages: Sequence[Stage]
    reason: str
    guarded: bool = True


def publication(
    setting: Setting, state: SteeringState, effective: int
) -> tuple[SteeringState, Publication | None]:
    """State with its publication; the same state and None if what is published already says it."""
    wish = _wish(setting, state, effective)
    name = digest(wish.stages) if len(wish.stages) > 1 else None
    known = name is not None and name == state.plan
    anchor = state.before if known else state.anchor
    mixtures = [_limited(setting, stage.weights, anchor, wish) for stage in wish.stages]
    if name is None:
        known = len(state.starts) == 1 and bool(np.abs(mixtures[0] - state.anchor).max() <= SAME)
    begin = state.starts if known else starts(wish.stages, effective)
    whole = _cooled(begin, mixtures, wish.stages, setting.guards.cooldown_step)
    plan = _from(whole, effective)
    ended = {index: step for index, step in state.zeros.items() if step <= effective}
    placed, zeros = _budgeted(setting, state, plan, effective, ended)
    placed_already = known and state.stale is None
    if placed_already and not _drifted(state.zeros, zeros, effective, setting.lead_steps):
        return state, None
    stages = _told(
        setting, placed, zeros, wish.reason if not state.stale else f"{wish.reason}; {state.stale}"
    )
    begun = whole[0].effective_step <= effective  # not so after a late stage: it was placed further ahead
    if placed_already and begun and not any(step <= effective for step in zeros.values()):
        stages = stages[1:]  # what holds there already
        if not stages:
            return state, None
    changed = replace(
        state,
        anchor=frozen(whole[-1].weights), before=frozen(anchor), plan=name, starts=begin,
        zeros={**zeros, **ended}, stale=None,
    )  # fmt: skip
    return changed, Publication(effective, tuple(stages))


def _wish(setting: Setting, state: SteeringState, effective: int) -> _Wish:
    cooldown = setting.guards.cooldown_step
    if state.hold is not None:
        weights = state.anchor if state.hold.weights is None else state.hold.weights
        return _Wish([Stage(weights)], state.hold.reason, guarded=False)
    if cooldown is not None and effective >= cooldown:
        return _Wish([Stage(state.anchor)], "cool-down", guarded=False)
    if state.shadow:
        return _Wish([Stage(setting.problem.prior)], "prior")
    if effective < setting.guards.warmup_steps:
        return _Wish([Stage(setting.problem.prior)], "warm-up")
    stages = setting.policy.stages(state.policy)
    for stage in stages:
        # A weight that is no number fails both comparisons, an infinite one the second.
        if not (stage.weights.min() >= 0 and abs(stage.weights.sum() - 1) <= 1e-6):
            raise FitError(f"weights off the simplex, {stage.weights.tolist()[:8]}")
    first = not state.starts and np.array_equal(stages[0].weights, setting.problem.prior)
    return _Wish(stages, "prior" if first else setting.name)


def _limited(setting: Setting, weights: FloatArray, anchor: FloatArray, wish: _Wish) -> FloatArray:
    if not wish.guarded:
        return weights
    return setting.bound.near(setting.bound.within(weights), anchor)


def _cooled(
    begin: Sequence[int], mixtures: Sequence[FloatArray], stages: Sequence[Stage], cooldown: int | None
) -> list[Placed]:
    """A plan without the stages that would begin in the cool-down; a probe does not last through it."""
    plan = [Placed(step, weights) for step, weights in zip(begin, mixtures, strict=True)]
    if cooldown is None or plan[-1].effective_step < cooldown:
        return plan
    kept = [place for place in plan if place.effective_step < cooldown] or plan[:1]
    at = lasting(stages, len(kept) - 1)
    if at == len(kept) - 1:
        return kept
    return [*kept, Placed(max(cooldown, kept[-1].effective_step + 1), mixtures[at])]


def _from(plan: Sequence[Placed], effective: int) -> list[Placed]:
    """What of a plan holds from a step on."""
    begun = [stage for stage in plan if stage.effective_step <= effective]
    later = [stage for stage in plan if stage.effective_step > effective]
    return [Placed(effective, begun[-1].weights), *later] if begun else later


def _budgeted(
    setting: Setting,
    state: SteeringState,
    plan: list[Placed],
    effective: int,
    ended: Mapping[int, int],
) -> tuple[list[Placed], dict[int, int]]:
    """A plan that reads no more of a domain than its budget allows, and where domains newly end."""
    retired, zeroed = list(state.retired), setting.bound.zeroed
    if not (retired or ended or np.isfinite(setting.budget).any()):
        return plan, {}
    rate = state.tokens_per_step
    # Before this takes effect the trainer goes on from the last report as it was told.
    left = setting.budget - state.consumed - state.anchor * rate * max(0, effective - state.step)
    left = np.maximum(left, 0.0)
    left[list(ended)] = 0.0
    open_to_all = np.ones(len(left), dtype=bool)
    open_to_all[retired] = False
    if not np.any(left[open_to_all] > 0):
        left[open_to_all] = np.inf  # with nothing left to go to, repeating is better than to stop
    left[retired] = 0.0
    if retired:
        plan = [Placed(stage.effective_step, zeroed(stage.weights, open_to_all)) for stage in plan]
    placed, zeros = within_budgets(
        plan, left, rate, effective,
        until=effective + max(setting.ttl_steps, 1), reserve=setting.lead_steps, zeroed=zeroed,
    )  # fmt: skip
    return placed, {at: step for at, step in zeros.items() if at not in state.retired and at not in ended}


def _drifted(before: Mapping[int, int], now: Mapping[int, int], effective: int, lead: int) -> bool:
    """Whether a domain ends at a step that the schedule does not say yet."""
    for index, step in now.items():
        told = before.get(index)
        if told is None or abs(step - told) > max(lead, _DRIFT * (told - effective)):
            return True
    return False


def _told(
    setting: Setting, placed: Sequence[Placed], zeros: Mapping[int, int], reason: str
) -> list[PublishedStage]:
    """Stages with their reasons; those that change nothing are left out."""
    names = setting.problem.domains.names
    told: list[PublishedStage] = []
    for stage in placed:
        if told and np.abs(stage.weights - told[-1].weights).max() <= SAME:
            continue
        dry = [names[index] for index, step in zeros.items() if step == stage.effective_step]
        why = f"{reason}; {', '.join(dry)} runs dry" if dry else reason
        told.append(PublishedStage(stage.effective_step, frozen(stage.weights), why))
    return told
