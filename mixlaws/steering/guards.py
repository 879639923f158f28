"""Guards around a policy: what reaches it, and what may leave it. The arithmetic of a policy stays exact.

inward      domains with a non-finite measurement count as not observed, absurd means are held at a ceiling
outward     w <- (1 - gamma) w + gamma prior, with 0 for domains that are out and their share spread
            w <- the nearest mixture, by ratio, with floor_i <= w_i <= ceiling_i for every domain
            w <- the furthest mixture on the way from the last one that is within the trust region
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.problem import MixtureProblem
from mixlaws.steering.admission import admitted
from mixlaws.steering.limits import Spread, limited, spread_out
from mixlaws.steering.trust_region import held_back

Limit: TypeAlias = float | Mapping[str, float]

_ROUNDING = 1e-12  # of a sum of limits


@dataclass(frozen=True)
class Guards:
    """What holds around a job whatever its policy says: a configuration, of scalars and named numbers.

    Args:
        floor: smallest weight of any domain, or of those that are named; the others have 0.
        ceiling: largest weight of any domain, or of those that are named; the others have 1.
        loss_ceiling: mean losses beyond it, in either direction, are held at it, nats per token. exp(20) is a
            perplexity of 5e8, beyond any vocabulary; without it one bad batch owns the mixture of an exp-loss
            policy.
        tempering: gamma, the part of every mixture that is the prior.
        trust_kl: largest KL(new || old) of an update, nats; None for any.
        trust_ratio: largest factor by which a weight may change in an update, > 1; None for any.
        warmup_steps: steps at the prior before the policy is followed: early losses fall by nats and tell
            nothing of a mixture.
        cooldown_step: from this step on the weights stay as they are; None for never.
        spread: who gets the share of a domain that is out: the others by their weights, by their prior, or
            in equal parts.
        freeze_after_non_finite: feedbacks in a row with a non-finite loss that freeze a job; None for never.
        loss_spike: nats above the running mean loss of a domain that freeze a job; None for never.

    Raises:
        InvalidInputError: a value is out of its range.
    """

    floor: Limit = 0.0
    ceiling: Limit = 1.0
    loss_ceiling: float = 20.0
    tempering: float = 0.0
    trust_kl: float | None = None
    trust_ratio: float | None = None
    warmup_steps: int = 0
    cooldown_step: int | None = None
    spread: Spread = "proportional"
    freeze_after_non_finite: int | None = 3
    loss_spike: float | None = None

    def __post_init__(self) -> None:
        cooldown, streak, spreads = self.cooldown_step, self.freeze_after_non_finite, get_args(Spread)
        for name, good, use in (
            ("floor", _all_shares(self.floor), "weights from 0 to 1"),
            ("ceiling", _all_shares(self.ceiling), "weights from 0 to 1"),
            ("loss_ceiling", self.loss_ceiling > 0, "nats > 0"),
            ("tempering", 0 <= self.tempering <= 1, "a part from 0 to 1"),
            ("trust_kl", _above(self.trust_kl, 0), "nats > 0, or none"),
            ("trust_ratio", _above(self.trust_ratio, 1), "a factor > 1, or none"),
            ("warmup_steps", self.warmup_steps >= 0, "0 or more steps"),
            (
                "cooldown_step",
                cooldown is None or cooldown >= max(self.warmup_steps, 0),
                f"a step not before the end of the warm-up, {self.warmup_steps}, or none",
            ),
            ("spread", self.spread in spreads, f"one of {', '.join(spreads)}"),
            ("freeze_after_non_finite", streak is None or streak >= 1, "1 or more feedbacks, or none"),
            ("loss_spike", _above(self.loss_spike, 0), "nats > 0, or none"),
        ):
            if not good:
                raise InvalidInputError(f"{name} is {getattr(self, name)!r}: use {use}")

    def bind(self, problem: MixtureProblem) -> "BoundGuards":
        """The guards of a job with these domains and this prior.

        Raises:
            UnknownDomainError: a limit names a domain that does not exist.
            InvalidInputError: the limits admit no mixture.
        """
        domains = problem.domains
        floor, ceiling = (
            domains.to_array(limit, missing=missing)
            if isinstance(limit, Mapping)
            else np.full(len(domains), float(limit))
            for limit, missing in ((self.floor, 0.0), (self.ceiling, 1.0))
        )
        crossed = np.flatnonzero(floor > ceiling)
        if len(crossed):
            name, low, high = domains.names[crossed[0]], floor[crossed[0]], ceiling[crossed[0]]
            raise InvalidInputError(f"domain {name!r} has floor {low:g} above ceiling {high:g}: loosen one")
        if floor.sum() > 1 + _ROUNDING or ceiling.sum() < 1 - _ROUNDING:
            raise InvalidInputError(
                f"{len(domains)} domains with floors that sum to {floor.sum():.6g} and ceilings that sum to "
                f"{ceiling.sum():.6g} admit no mixture: lower floors, or raise ceilings, until 1 lies between"
            )
        return BoundGuards(self, domains.names, problem.prior, frozen(floor), frozen(ceiling))

    def admit(self, feedback: Feedback) -> Feedback:
        """The feedback without measurements that are no numbers, and with no mean beyond the ceiling."""
        return admitted(feedback, self.loss_ceiling)


@dataclass(frozen=True, eq=False)
class BoundGuards:
    """Guards of a job whose domains are known, made by `Guards.bind`. Nothing here fails on a mixture.

    Args:
        guards: the configuration.
        names: of axis d.
        prior: (d,) natural mixture.
        floor: (d,) smallest weights.
        ceiling: (d,) largest weights.
    """

    guards: Guards
    names: tuple[str, ...]
    prior: FloatArray
    floor: FloatArray
    ceiling: FloatArray

    def admit(self, feedback: Feedback) -> Feedback:
        """The feedback as `Guards.admit` lets it through."""
        return self.guards.admit(feedback)

    def within(self, weights: FloatArray, active: BoolArray | None = None) -> FloatArray:
        """(d,) weights tempered toward the prior, then as `zeroed` gives them.

        Args:
            weights: (d,) what the policy says.
            active: (d,) which domains may be drawn; None for all. Where none may, the weights are unchanged.
        """
        gamma = self.guards.tempering
        if gamma > 0 and (active is None or active.any()):
            weights = (1 - gamma) * weights + gamma * self.prior
        return self.zeroed(weights, active)

    def zeroed(self, weights: FloatArray, active: BoolArray | None = None) -> FloatArray:
        """(d,) weights with 0 for what is not active and its share spread, within floors and ceilings.

        Floors and ceilings hold for what is active; what is nearest by ratio is taken, and weights to which
        nothing applies are the very same. Floors of the active always fit. Where ceilings of the active sum
        to less than 1, they give way: all are raised by one factor until they sum to 1, or dropped if they
        are all 0.

        Args:
            weights: (d,) a mixture.
            active: (d,) which domains may be drawn; None for all. Where none may, the weights are unchanged.
        """
        if active is None or active.all():
            return limited(weights, self.floor, self.ceiling)
        if not active.any():
            return weights
        spread = spread_out(weights, active, self.prior, self.guards.spread)
        return limited(spread, np.where(active, self.floor, 0.0), np.where(active, self.ceiling, 0.0))

    def near(self, weights: FloatArray, anchor: FloatArray) -> FloatArray:
        """(d,) the furthest point on the segment from the anchor to the weights within the trust region.

        Domains whose new weight is exactly 0 leave at once, since they are out: only the rest is held back,
        measured from the anchor as `zeroed` gives it without them. Shares of the anchor below .001 count as
        .001, else no domain at 0 could come back. Floors and ceilings that hold at both ends hold on the way.

        Args:
            weights: (d,) the mixture wanted.
            anchor: (d,) the mixture in force.
        """
        guards = self.guards
        if guards.trust_kl is None and guards.trust_ratio is None:
            return weights
        stays = weights > 0
        if not stays.all() and anchor[~stays].any():
            anchor = self.zeroed(anchor, stays)
        return held_back(weights, anchor, kl=guards.trust_kl, ratio=guards.trust_ratio)


def _all_shares(limit: Limit) -> bool:
    values = limit.values() if isinstance(limit, Mapping) else (limit,)
    return all(0 <= value <= 1 for value in values)


def _above(value: float | None, bound: float) -> bool:
    return value is None or (value > bound and math.isfinite(value))
