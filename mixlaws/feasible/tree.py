"""Nested sums under bounds, and the search for the level at which they hold.

Groups that are apart or nested make a tree with the whole mixture at its root. A separable problem

    min_x  sum_j h_j(x_j)    subject to  a_k <= sum of the units under node k <= b_k,  l <= x <= u

is solved by one level for each node: x_j(y) = argmin h_j(x) - y x grows with y, and so does every sum. Where
all units below a node share a level, its sum is S_k(y) of them, each child counted as clip(S(y), a, b); the
root's level is where that is 1, which tells each child its sum, and so on downwards. A jump of x_j(y) is no
obstacle: there the two sides are blended, so that sums hold to rounding. The projections onto the feasible
set in both geometries and its cheapest vertex are all of this form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray

Response: TypeAlias = Callable[[FloatArray], FloatArray]
"""Levels (n, i, m) to the units' shares (n, i, m), each growing with its level, within the units' bounds."""

_ROUNDING = 1e-12  # of a sum of bounds
_FINEST = 56  # halvings: beyond the precision of a double
_FEW_ROWS = 64
_MANY_LEVELS = 31  # tried at once where rows are few and calls would cost more than numbers


@dataclass(frozen=True, eq=False)
class _Floor:
    """The nodes of one depth.

    Args:
        nodes: their numbers.
        place: (m,) which of them each unit lies below.
        home: the units that lie directly in one of them.
        children: nodes one floor down, each with the place of its parent.
    """

    nodes: IntArray
    place: IntArray
    home: IntArray
    children: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes, children before parents; the last one is the root, whose sum is 1.

    Args:
        lower: (k,) smallest admissible sums.
        upper: (k,) largest admissible sums.
        parent: (k,) number of the node that a node lies directly in; -1 for the root.
        home: (m,) number of the node that a unit lies directly in.
    """

    lower: FloatArray
    upper: FloatArray
    parent: IntArray
    home: IntArray

    @classmethod
    def of(
        cls, members: Sequence[BoolArray], lower: Sequence[float], upper: Sequence[float], m: int
    ) -> "Tree":
        """The tree of nested sets of units, (m,) masks with the bounds of their sums."""
        order = sorted(range(len(members)), key=lambda k: int(members[k].sum()))
        masks = np.array([members[k] for k in order] + [np.ones(m, dtype=bool)])
        root = len(order)

        def holder(mask: BoolArray, after: int) -> int:
            return next(k for k in range(after, root + 1) if np.all(masks[k] | ~mask))

        parent = [holder(masks[k], k + 1) for k in range(root)] + [-1]
        home = [holder(np.arange(m) == j, 0) for j in range(m)]
        return cls(
            np.array([lower[k] for k in order] + [1.0]), np.array([upper[k] for k in order] + [1.0]),
            np.array(parent, dtype=np.int64), np.array(home, dtype=np.int64),
        )  # fmt: skip

    def possible(self, lower: FloatArray, upper: FloatArray, /) -> bool:
        """Whether units within bounds (m,) can meet all sums."""
        if np.any(lower > upper + _ROUNDING):
            return False
        least, most = self._sums(lower, np.maximum), self._sums(upper, np.minimum)
        return bool(np.all(least <= self.upper + _ROUNDING) and np.all(most >= self.lower - _ROUNDING))

    def _sums(self, bounds: FloatArray, tighter: Callable[..., FloatArray]) -> FloatArray:
        """(k,) sums of extreme shares, with the bounds of the nodes below."""
        total = np.asarray(bounds @ self._directly)
        own = self.lower if tighter is np.maximum else self.upper
        for node, parent in enumerate(self.parent[:-1]):
            total[parent] += tighter(total[node], own[node])
        return total

    def sums(self, shares: FloatArray, /) -> FloatArray:
        """(..., k) sums of shares (..., m), where children count within their bounds."""
        total = np.asarray(shares @ self._directly)
        for node, parent in enumerate(self.parent[:-1]):
            total[..., parent] += self._bounded(total[..., node], node)
        return total

    def _bounded(self, total: FloatArray, node: int) -> FloatArray:
        # np.clip takes five times as long.
        return np.asarray(np.minimum(np.maximum(total, self.lower[node]), self.upper[node]))

    def meet(self, response: Response, low: FloatArray, high: FloatArray, width: float, /) -> FloatArray:
        """(n, m) shares whose sums hold.

        Args:
            response: shares at levels.
            low: (n,) levels at which every unit rests at its lower bound.
            high: (n,) levels at which every unit rests at its upper bound.
            width: how far apart levels may be between which responses are blended.
        """
        halvings = min(np.log2(max(float((high - low).max()) / width, 2.0)), _FINEST)
        found = np.zeros((len(low), len(self.home)))
        targets = np.ones((len(low), len(self.parent)))
        for floor in self._floors:
            nodes, place = floor.nodes, floor.place
            wanted = targets[:, nodes]
            ends = self._narrowed(response, floor, wanted, low, high, halvings)
            sides = [response(end[:, None, place])[:, 0] for end in ends]
            sums = [self.sums(side) for side in sides]
            below, above = (total[:, nodes] for total in sums)
            rise = above - below
            part = np.clip(np.divide(wanted - below, rise, out=0 * rise, where=rise > 0), 0.0, 1.0)
            blend = part[:, place[floor.home]]
            found[:, floor.home] = (1 - blend) * sides[0][:, floor.home] + blend * sides[1][:, floor.home]
            for child, at in floor.children:
                bounded = [self._bounded(total[:, child], child) for total in sums]
                targets[:, child] = (1 - part[:, at]) * bounded[0] + part[:, at] * bounded[1]
        return found

    def _narrowed(
        self, response: Response, floor: "_Floor", wanted: FloatArray,
        low: FloatArray, high: FloatArray, halvings: float,
    ) -> tuple[FloatArray, FloatArray]:  # fmt: skip
        """(n, nodes) levels next to each other, of which one gives too little and the other enough."""
        inside = _MANY_LEVELS if len(low) <= _FEW_ROWS else 1
        steps = np.arange(1, inside + 1)[:, None] / (inside + 1)
        rows, columns = np.ogrid[: wanted.shape[0], : wanted.shape[1]]
        below, above = (
            np.broadcast_to(low[:, None], wanted.shape),
            np.broadcast_to(high[:, None], wanted.shape),
        )
        for _ in range(int(np.ceil(halvings / np.log2(inside + 1)))):
            levels = below[:, None, :] + (above - below)[:, None, :] * steps
            sums = self.sums(response(levels[:, :, floor.place]))[:, :, floor.nodes]
            short = (sums < wanted[:, None, :]).sum(axis=1)
            edges = np.concatenate([below[:, None, :], levels, above[:, None, :]], axis=1)
            below, above = edges[rows, short, columns], edges[rows, short + 1, columns]
        return below, above

    @cached_property
    def _directly(self) -> FloatArray:
        """(m, k) which unit lies directly in which node."""
        return np.asarray(self.home[:, None] == np.arange(len(self.parent)), dtype=np.float64)

    @cached_property
    def _floors(self) -> Sequence["_Floor"]:
        """From the root down."""
        floors = []
        nodes = np.array([len(self.parent) - 1])
        while len(nodes):
            place = np.zeros(len(self.home), dtype=np.int64)  # of no matter where a unit lies below none
            for at, node in enumerate(nodes):
                place[self._below(int(node))] = at
            children = np.flatnonzero(np.isin(self.parent, nodes))
            where = {int(node): at for at, node in enumerate(nodes)}
            held = tuple((int(child), where[int(self.parent[child])]) for child in children)
            floors.append(_Floor(nodes, place, np.flatnonzero(np.isin(self.home, nodes)), held))
            nodes = children
        return floors

    def _below(self, node: int) -> BoolArray:
        """(m,) the units of a node and of all nodes in it."""
        held = {node}
        for other in range(node - 1, -1, -1):
            if self.parent[other] in held:
                held.add(other)
        return np.isin(self.home, list(held))
