"""Which constraints make a feasible set empty: a smallest set of them that has no common mixture.

Source: QuickXplain (Junker 2004). It asks of O(k log(n / k)) parts of n constraints whether they can be met,
and what it returns is irreducible: without any one of its k members the others can be met.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray
from mixlaws.domains import DomainSet
from mixlaws.feasible.constraints import Group
from mixlaws.feasible.feasible_set import FeasibleSet, GroupBounds


@dataclass(frozen=True)
class Constraint:
    """One constraint that can be left out.

    Args:
        text: what people call it, with its value.
        domain: index of the domain it bounds, if any.
        group: number of the group that it belongs to, if any.
        lower: whether it bounds from below.
        upper: whether it bounds from above; with neither, it is proportions, or the distance.
    """

    text: str
    domain: int | None = None
    group: int | None = None
    lower: bool = False
    upper: bool = False


def constraints(
    full: FeasibleSet, domains: DomainSet, groups: Sequence[Group], scarce: BoolArray, /
) -> list[Constraint]:
    """Everything that a feasible set demands beyond the simplex.

    Args:
        full: the set.
        domains: its domains.
        groups: its groups with their names.
        scarce: (d,) whether the upper bound of a domain comes of its tokens.
    """
    told: list[Constraint] = []
    for at, name in enumerate(domains.names):
        low, high = full.lower[at], full.upper[at]
        reason = " (its tokens)" if scarce[at] else ""
        told += _sides(f"domain {name!r}", low, high, reason, domain=at)
    for number, group in enumerate(groups):
        told += _sides(f"group {group.name!r}", group.lower, group.upper, "", group=number)
        if group.keep_proportions:
            told.append(Constraint(f"group {group.name!r} in proportion to the prior", group=number))
    if full.distance is not None:
        measure = full.distance.measure.upper()
        told.append(Constraint(f"{measure} distance from the prior at most {full.distance.most:.6g}"))
    return told


def reduced(full: FeasibleSet, kept: Sequence[Constraint], /) -> FeasibleSet:
    """The feasible set of some of the constraints."""
    lower, upper = np.zeros_like(full.lower), np.ones_like(full.upper)
    bounds = [{"lower": 0.0, "upper": 1.0} for _ in full.groups]
    proportions = set()
    distance = None
    for one in kept:
        if one.domain is not None:
            lower[one.domain] = full.lower[one.domain] if one.lower else lower[one.domain]
            upper[one.domain] = full.upper[one.domain] if one.upper else upper[one.domain]
        elif one.group is None:
            distance = full.distance
        elif one.lower or one.upper:
            sides = [side for side, held in (("lower", one.lower), ("upper", one.upper)) if held]
            bounds[one.group] |= {side: getattr(full.groups[one.group], side) for side in sides}
        else:
            proportions.add(one.group)
    groups = tuple(
        GroupBounds(group.members, keeps=number in proportions, **bounds[number])
        for number, group in enumerate(full.groups)
    )
    return FeasibleSet(lower, upper, full.prior, groups, distance)


def conflict(full: FeasibleSet, everything: Sequence[Constraint], /) -> list[Constraint]:
    """A smallest set of constraints without a common mixture, of an empty set's constraints."""

    def impossible(kept: Sequence[Constraint]) -> bool:
        return reduced(full, kept).empty

    def explained(known: list[Constraint], new: bool, rest: list[Constraint]) -> list[Constraint]:
        if new and impossible(known):
            return []
        if len(rest) == 1:
            return rest
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        later = explained(known + first, True, second)
        return explained(known + later, bool(later), first) + later

    return explained([], False, list(everything))


def _sides(
    what: str, low: float, high: float, reason: str, *, domain: int | None = None, group: int | None = None
) -> list[Constraint]:
    if low == high:
        return [Constraint(f"{what} frozen at {low:.6g}", domain, group, lower=True, upper=True)]
    sides = []
    if low > 0:
        sides.append(Constraint(f"{what} at least {low:.6g}", domain, group, lower=True))
    if high < 1:
        sides.append(Constraint(f"{what} at most {high:.6g}{reason}", domain, group, upper=True))
    return sides
