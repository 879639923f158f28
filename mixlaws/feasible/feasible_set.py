"""The feasible set of a problem, and everything that is asked of it: one place for all proposers and designs.

    { w : l <= w <= u,  sum(w) = 1,  a_k <= w(G_k) <= b_k,  proportions kept,  distance(w, q) <= r }

Without groups and distance it is the capped simplex, and answers are those of `mixlaws.simplex`. With groups
they come from a tree search over units. The distance is priced: projections and cheapest mixtures are taken
at the price at which it holds. What rounding leaves over is drawn towards the feasible mixture that is
nearest to the prior; the set is convex, so that the way there leads through it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feasible.constraints import Measure, PriorDistance, distances
from mixlaws.feasible.responses import Boxed
from mixlaws.feasible.tree import Tree
from mixlaws.feasible.units import Units
from mixlaws.optimality import kkt_gap
from mixlaws.simplex import fill, project

_TINY = 1e-300
_ROUNDING = 1e-12  # of a distance
_HALVINGS = 50
_DEAREST = 60.0  # log of a share that is nothing: a price beyond it buys no nearness


@dataclass(frozen=True, eq=False)
class GroupBounds:
    """A group as arrays: (d,) which domains, bounds of their sum, and whether proportions are kept."""

    members: BoolArray
    lower: float = 0.0
    upper: float = 1.0
    keeps: bool = False


@dataclass(frozen=True, eq=False)
class FeasibleSet:
    """All mixtures that satisfy the constraints.

    Args:
        lower: (d,) smallest weights.
        upper: (d,) largest weights, caps included.
        prior: (d,) the prior.
        groups: groups that are apart or nested.
        distance: bound on the distance from the prior.
    """

    lower: FloatArray
    upper: FloatArray
    prior: FloatArray
    groups: tuple[GroupBounds, ...] = ()
    distance: PriorDistance | None = None

    @property
    def bounds_alone(self) -> bool:
        """Whether it is a capped simplex."""
        return not self.groups and self.distance is None

    @cached_property
    def empty(self) -> bool:
        """Whether no mixture satisfies all constraints."""
        boxed = self._boxed
        if not boxed.tree.possible(boxed.lower, boxed.upper):
            return True
        return self.distance is not None and self._far(self.nearest) > _ROUNDING

    def contains(self, weights: FloatArray, /, *, tolerance: float = 0.0) -> BoolArray:
        """(n,) whether mixtures (n, d) satisfy every constraint within a tolerance."""
        inside = np.all((weights <= self.upper + tolerance) & (weights >= self.lower - tolerance), axis=1)
        for group in self.groups:
            total = weights[:, group.members].sum(axis=1)
            inside &= (total <= group.upper + tolerance) & (total >= group.lower - tolerance)
            if group.keeps:
                inner = self.prior[group.members] / self.prior[group.members].sum()
                off = np.abs(weights[:, group.members] - total[:, None] * inner)
                inside &= off.max(axis=1) <= tolerance
        if self.distance is not None:
            inside &= distances(weights, self.prior, self.distance.measure) <= self.distance.most + tolerance
        return np.asarray(inside)

    def project(self, points: FloatArray, /) -> FloatArray:
        """Feasible mixtures near points (d,) or (n, d): the nearest ones but for the distance from the prior.

        Under groups the norm is Euclidean as well. What is beyond the distance from the prior then goes
        straight towards the feasible mixture that is nearest to the prior.
        """
        if self.bounds_alone:
            return project(points, self.lower, self.upper)
        rows = np.atleast_2d(points)
        inner = self._units.inner
        near = self._boxed.nearest(self._units.gather(rows * inner), self._units.gather(inner * inner))
        return self._drawn_near(self._units.expand(near)).reshape(points.shape)

    def fill(self, shares: FloatArray, /) -> FloatArray:
        """(d,) the feasible mixture of least KL from positive shares (d,): ratios stay where they can."""
        if self.bounds_alone:
            return fill(shares, self.lower, self.upper)
        logs = self._logs(shares)
        free = self._units.expand(self._boxed.nearest_in_kl(logs))
        if self.distance is None or self._far(free) <= 0:
            return free
        priced: Callable[[float], FloatArray] = self._priced(logs)

        def excess(price: float) -> float:
            return self._far(priced(price))

        most = (
            1.0 if self.distance.measure is Measure.KL else float(np.ptp(logs - self._prior_logs)) + _DEAREST
        )
        if excess(most) >= 0:
            return self._drawn_near(priced(most)[None, :]).reshape(-1)
        price = float(brentq(excess, 0.0, most, xtol=1e-13 * most, rtol=1e-13))
        return self._drawn_near(priced(price)[None, :]).reshape(-1)

    def gap(self, gradient: FloatArray, weights: FloatArray, /) -> float:
        """How far weights (d,) may be from optimal under a gradient (d,): max <g, w - v> over feasible v.

        Under a distance it is an upper bound of that, from the price of the distance: the dual problem.
        """
        if self.bounds_alone:
            return kkt_gap(gradient, weights, self.lower, self.upper)
        slopes = gradient - gradient.min()  # a common constant cancels, and its rounding with it
        units = self._units.gather(slopes * self._units.inner)
        bound = float(units @ self._boxed.cheapest(units))
        if self.distance is not None and (size := float(np.ptp(units))) > 0:
            found = minimize_scalar(
                lambda log: -self._dual(units, size * np.exp(log)), bounds=(-18.0, 12.0), method="bounded"
            )
            bound = max(bound, -float(found.fun))
        return float(slopes @ weights) - bound

    @cached_property
    def nearest(self) -> FloatArray:
        """(d,) the mixture nearest to the prior that satisfies all constraints but the distance.

        In KL unless the distance is of L1.
        """
        if self.distance is not None and self.distance.measure is Measure.L1:
            return self._units.expand(self._boxed.cheapest(np.zeros(len(self._units)), 1.0))
        return self._units.expand(self._boxed.nearest_in_kl(self._prior_logs))

    def _drawn_near(self, rows: FloatArray) -> FloatArray:
        """(n, d) rows beyond the distance, moved to it on the way to the nearest mixture."""
        if self.distance is None:
            return rows
        measure, most = self.distance.measure, self.distance.most
        beyond = np.flatnonzero(distances(rows, self.prior, measure) > most + _ROUNDING)
        far, near = rows[beyond], np.zeros(len(beyond))
        kept = np.ones(len(beyond))
        for _ in range(_HALVINGS):
            middle = 0.5 * (near + kept)
            moved = (1 - middle[:, None]) * far + middle[:, None] * self.nearest
            enough = distances(moved, self.prior, measure) <= most
            kept, near = np.where(enough, middle, kept), np.where(enough, near, middle)
        drawn = rows.copy()
        drawn[beyond] = (1 - kept[:, None]) * far + kept[:, None] * self.nearest
        return drawn

    def _far(self, weights: FloatArray) -> float:
        """By how much a mixture (d,) is beyond the distance."""
        if self.distance is None:
            return -np.inf
        return float(distances(weights[None, :], self.prior, self.distance.measure)[0]) - self.distance.most

    def _priced(self, logs: FloatArray) -> "Callable[[float], FloatArray]":
        """Projections in KL by price; for KL itself a price from 0 to 1 is the share of the prior."""
        expand, boxed = self._units.expand, self._boxed
        if self.distance is not None and self.distance.measure is Measure.L1:
            return lambda price: expand(boxed.nearest_in_kl(logs, price))
        return lambda share: expand(boxed.nearest_in_kl((1 - share) * logs + share * self._prior_logs))

    def _dual(self, units: FloatArray, price: float) -> float:
        """Lower bound of the cost of every feasible mixture for slopes (m,) of units."""
        if self.distance is None:
            raise InvalidInputError("a price needs a distance")
        if self.distance.measure is Measure.L1:
            found = self._boxed.cheapest(units, price)
        else:
            found = self._boxed.nearest_in_kl(self._prior_logs - units / price)
        return float(units @ found) + price * self._far(self._units.expand(found))

    def _logs(self, shares: FloatArray) -> FloatArray:
        """(m,) logarithms from which a unit has the KL that its domains have from the shares."""
        inner = self._units.inner
        used = inner > 0
        ratios = np.log(np.maximum(shares, _TINY)) - np.log(np.where(used, inner, 1.0))
        return self._units.gather(np.where(used, inner * ratios, 0.0))

    @cached_property
    def _prior_logs(self) -> FloatArray:
        return np.asarray(np.log(np.maximum(self._boxed.prior, _TINY)))

    @cached_property
    def _units(self) -> Units:
        return Units.create(self.prior, [group.members for group in self.groups if group.keeps])

    @cached_property
    def _boxed(self) -> Boxed:
        units = self._units
        upper = self.upper
        if self.distance is not None and self.distance.measure is Measure.KL:
            upper = np.where(self.prior > 0, upper, 0.0)  # beyond the prior's support KL is infinite
        least, most = units.bounds(self.lower, upper)
        nodes = []
        for group in self.groups:
            inside = units.share(group.members)
            if inside is None:
                mask = np.zeros(len(units), dtype=bool)
                mask[units.of[group.members]] = True
                nodes.append((mask, group.lower, group.upper))
                continue
            unit, share = inside
            if share > 0:
                least[unit] = max(least[unit], group.lower / share)
                most[unit] = min(most[unit], group.upper / share)
            elif group.lower > 0:
                least[unit] = np.inf  # domains without a share of their unit can never hold anything
        masks, lowest, highest = zip(*nodes, strict=True) if nodes else ((), (), ())
        tree = Tree.of(masks, lowest, highest, len(units))
        return Boxed(tree, least, most, units.gather(self.prior))
