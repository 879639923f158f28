"""Constraints beyond the bounds of single domains: on groups of domains, and on the way from the prior."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError

_TINY = 1e-300  # keeps logarithms finite where a weight is zero


class Measure(StrEnum):
    """How the distance of a mixture w from the prior q is measured."""

    KL = "kl"  # sum_j w_j log(w_j / q_j), nats
    L1 = "l1"  # sum_j |w_j - q_j|, twice the total variation: 0 to 2


@dataclass(frozen=True)
class Group:
    """Domains whose weights are bounded together.

    Args:
        name: what messages call it.
        domains: names of its domains.
        lower: smallest admissible sum of their weights.
        upper: largest admissible sum; equal to the smallest one, the group is frozen.
        keep_proportions: whether weights inside the group keep the proportions of the prior.

    Raises:
        InvalidInputError: it has no domain, one twice, or bounds that are no shares.
    """

    name: str
    domains: tuple[str, ...]
    lower: float = 0.0
    upper: float = 1.0
    keep_proportions: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "domains", tuple(self.domains))
        if not self.domains:
            raise InvalidInputError(f"group {self.name!r} has no domain: name at least one")
        if not 0 <= self.lower <= self.upper <= 1:
            raise InvalidInputError(
                f"group {self.name!r} is bounded by {self.lower:g} and {self.upper:g}: "
                "use 0 <= lower <= upper <= 1"
            )

    def members(self, domains: DomainSet, /) -> BoolArray:
        """(d,) which domains belong to it.

        Raises:
            UnknownDomainError: it names a domain that does not exist.
            InvalidInputError: it names one twice.
        """
        at = [domains.index(name) for name in self.domains]
        if len(set(at)) < len(at):
            raise InvalidInputError(f"group {self.name!r} names a domain twice: name it once")
        mask = np.zeros(len(domains), dtype=bool)
        mask[at] = True
        return mask


@dataclass(frozen=True)
class PriorDistance:
    """A hard bound on how far a mixture may be from the prior.

    Args:
        measure: how distance is measured.
        most: the largest admissible distance, in nats for KL.

    Raises:
        InvalidInputError: the bound is not positive; then the prior would be the only mixture.
    """

    measure: Measure
    most: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "measure", Measure(self.measure))
        if not (np.isfinite(self.most) and self.most > 0):
            raise InvalidInputError(
                f"the largest {self.measure.upper()} distance from the prior is {self.most}: use a value > 0"
            )


def distances(weights: FloatArray, prior: FloatArray, measure: Measure, /) -> FloatArray:
    """(n,) distances of mixtures (n, d) from a prior (d,); KL is infinite outside the prior's support."""
    if measure is Measure.L1:
        return np.asarray(np.abs(weights - prior).sum(axis=1))
    logs = np.log(np.maximum(weights, _TINY)) - np.log(np.maximum(prior, _TINY))
    outside = (weights > 0) & (prior <= 0)
    return np.asarray(np.where(outside.any(axis=1), np.inf, (weights * logs).sum(axis=1)))


def check_groups(groups: Sequence[Group], domains: DomainSet, prior: FloatArray, /) -> None:
    """Check that groups fit each other: any two of them are apart, or one lies within the other.

    Raises:
        InvalidInputError: names repeat, two groups overlap, or proportions of an absent prior are asked for.
    """
    members = [group.members(domains) for group in groups]
    for at, (group, mask) in enumerate(zip(groups, members, strict=True)):
        if group.keep_proportions and prior[mask].sum() <= 0:
            raise InvalidInputError(
                f"group {group.name!r} keeps the proportions of the prior, which gives nothing to any of its "
                "domains: give them a share of the prior"
            )
        for other, others in zip(groups[:at], members[:at], strict=True):
            if group.name == other.name:
                raise InvalidInputError(f"two groups are called {group.name!r}: give each its own name")
            shared = mask & others
            if shared.any() and not (np.array_equal(shared, mask) or np.array_equal(shared, others)):
                name = domains.names[int(shared.argmax())]
                raise InvalidInputError(
                    f"groups {other.name!r} and {group.name!r} share domain {name!r}, and neither holds the "
                    "other: groups must be apart or nested"
                )
