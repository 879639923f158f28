"""The problem that designs, proposers and policies solve: domains, prior, constraints, objective."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import FloatArray
from mixlaws.arrays import frozen as read_only
from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.feasible.conflict import conflict, constraints
from mixlaws.feasible.constraints import Group, PriorDistance, check_groups
from mixlaws.feasible.feasible_set import FeasibleSet, GroupBounds
from mixlaws.simplex import as_weights, check_bounds

_ROUNDING = 1e-12  # of a sum of bounds
_MOST_NAMED = 8  # domains in a message


@dataclass(frozen=True, eq=False)
class MixtureProblem:
    """What a good mixture is, and which mixtures are allowed.

    A domain of N tokens that may be read at most E times in a final run of R tokens has the cap
    N * E / R: the largest admissible weight. Caps belong to the final run, never to the proxy runs.

    Args:
        domains: the domains of axis d.
        prior: (d,) natural mixture; by token counts unless given.
        lower: (d,) smallest admissible weights; 0 unless given.
        upper: (d,) largest admissible weights before caps; 1 unless given.
        final_tokens: tokens of the run that the mixture is for; None means that no cap applies.
        max_epochs: (d,) how often each domain may be read in that run; unlimited unless given.
        coefficients: (t,) weights of the targets in the objective, scaled to sum to 1, since a KL term would
            weigh less beside larger ones; None means equal.
        groups: domains that are bounded together; any two groups are apart or nested.
        distance: hard bound on how far a mixture may be from the prior.

    Raises:
        WeightsError: the prior is off the simplex.
        InvalidInputError: a group is unusable, or overlaps another one.
        InfeasibleError: no mixture satisfies all constraints; the message names those that conflict.
    """

    domains: DomainSet
    prior: FloatArray
    lower: FloatArray
    upper: FloatArray
    final_tokens: int | None = None
    max_epochs: FloatArray | None = None
    coefficients: FloatArray | None = None
    groups: tuple[Group, ...] = ()
    distance: PriorDistance | None = None

    def __post_init__(self) -> None:
        d = len(self.domains)
        for name in ("prior", "lower", "upper", "max_epochs"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != (d,):
                raise InvalidInputError(f"{name} has shape {np.shape(value)}: expected ({d},)")
        if self.final_tokens is not None and self.final_tokens <= 0:
            raise InvalidInputError(f"final_tokens is {self.final_tokens}: expected at least 1")
        object.__setattr__(self, "prior", read_only(as_weights(self.prior)))
        object.__setattr__(self, "lower", read_only(self.lower))
        object.__setattr__(self, "upper", read_only(self.upper))
        self._check_coefficients()
        narrow = np.flatnonzero((self.lower > self.caps) & (self.lower <= self.upper))
        if len(narrow):
            name, low, cap = self.domains.names[narrow[0]], self.lower[narrow[0]], self.caps[narrow[0]]
            raise InfeasibleError(
                f"domain {name!r} has the lower bound {low:.6g}, and its tokens allow only {cap:.6g}: "
                "lower the bound, allow more epochs, or shorten the final run"
            )
        self._check_room()
        check_bounds(self.lower, self.caps)
        object.__setattr__(self, "groups", tuple(self.groups))
        check_groups(self.groups, self.domains, self.prior)
        self._check_common()

    def _check_common(self) -> None:
        """Name the constraints that conflict, groups and distance among them."""
        if self.feasible.bounds_alone or not self.feasible.empty:
            return
        everything = constraints(self.feasible, self.domains, self.groups, self.caps < self.upper)
        told = [one.text for one in conflict(self.feasible, everything)]
        raise InfeasibleError(
            f"no mixture satisfies all of these: {_listed(told)}: loosen one of them", constraints=told
        )

    def _check_room(self) -> None:
        """Name the domains whose bounds together admit no mixture."""
        names, caps = self.domains.names, self.caps
        crossed = np.flatnonzero(self.lower > self.upper)
        if len(crossed):
            first = crossed[0]
            raise InfeasibleError(
                f"domain {names[first]!r} has the lower bound {self.lower[first]:.6g} above its upper bound "
                f"{self.upper[first]:.6g}: loosen one of them"
            )
        if self.lower.sum() > 1 + _ROUNDING:
            told = _named(names, self.lower, np.full(len(names), "lower bound"))
            raise InfeasibleError(
                f"the lower bounds sum to {self.lower.sum():.6g} > 1: {told}: lower some of them"
            )
        if np.isfinite(caps).all() and caps.sum() < 1 - _ROUNDING:
            told = _named(names, caps, np.where(caps < self.upper, "its tokens", "upper bound"))
            raise InfeasibleError(
                f"the upper bounds and caps sum to {caps.sum():.6g} < 1: {told}: "
                "raise bounds, allow more epochs, or shorten the final run"
            )

    def on_prior_support(self) -> "MixtureProblem":
        """The same problem without the domains that the prior leaves out: there a KL term is infinite.

        Raises:
            InvalidInputError: such a domain has a lower bound above 0.
            InfeasibleError: the other domains cannot hold a mixture.
        """
        absent = self.prior <= 0
        stuck = np.flatnonzero(absent & (self.lower > 0))
        if len(stuck):
            raise InvalidInputError(
                f"domain {self.domains.names[stuck[0]]!r} has the prior 0 and the lower bound "
                f"{self.lower[stuck[0]]:.6g}, where the KL term is infinite: give it a share of the prior, "
                "drop the bound, or set the strength of the KL term to 0"
            )
        return replace(self, upper=np.where(absent, 0.0, self.upper)) if absent.any() else self

    def _check_coefficients(self) -> None:
        if self.coefficients is None:
            return
        row = np.asarray(self.coefficients, dtype=np.float64)
        if row.ndim != 1 or not np.all(np.isfinite(row)) or row.min(initial=0) < 0 or row.sum() <= 0:
            raise InvalidInputError(
                f"coefficients are {row.tolist()}: use finite values >= 0, one for each target, not all 0"
            )
        object.__setattr__(self, "coefficients", read_only(row / row.sum()))

    @classmethod
    def create(
        cls,
        domains: DomainSet,
        *,
        prior: Mapping[str, float] | None = None,
        lower: Mapping[str, float] | None = None,
        upper: Mapping[str, float] | None = None,
        final_tokens: int | None = None,
        max_epochs: Mapping[str, float] | None = None,
        coefficients: FloatArray | None = None,
        frozen: Mapping[str, float | None] | None = None,
        groups: Sequence[Group] = (),
        distance: PriorDistance | None = None,
    ) -> "MixtureProblem":
        """Build a problem from named values; a domain without a bound is free.

        A frozen domain keeps the weight that is named, or that of the prior where it is None.
        """
        return cls(
            domains=domains,
            prior=domains.natural if prior is None else domains.to_array(prior),
            lower=domains.to_array(lower or {}, missing=0.0),
            upper=domains.to_array(upper or {}, missing=1.0),
            final_tokens=final_tokens,
            max_epochs=None if max_epochs is None else domains.to_array(max_epochs, missing=np.inf),
            coefficients=coefficients,
            groups=tuple(groups),
            distance=distance,
        ).freeze(frozen or {})

    def freeze(self, frozen: Mapping[str, float | None], /) -> "MixtureProblem":
        """The same problem with domains that keep the weight that is named, or the prior's where it is None.

        Raises:
            UnknownDomainError: a domain does not exist.
            InfeasibleError: a weight is outside the bounds of its domain, or leaves no mixture.
        """
        lower, upper = self.lower.copy(), self.upper.copy()
        for name, share in frozen.items():
            at = self.domains.index(name)
            held = float(self.prior[at]) if share is None else share
            if not lower[at] <= held <= upper[at]:
                raise InfeasibleError(
                    f"domain {name!r} is frozen at {held:.6g}, outside its bounds {lower[at]:.6g} and "
                    f"{upper[at]:.6g}: freeze it within them, or loosen them"
                )
            lower[at] = upper[at] = held
        return replace(self, lower=lower, upper=upper) if frozen else self

    @property
    def epochs_by_name(self) -> Mapping[str, float]:
        """How often each domain may be read, where that is limited."""
        if self.max_epochs is None:
            return {}
        return {
            name: times for name, times in self.domains.to_mapping(self.max_epochs).items() if times < np.inf
        }

    @cached_property
    def feasible(self) -> FeasibleSet:
        """The mixtures that satisfy all constraints."""
        groups = tuple(
            GroupBounds(group.members(self.domains), group.lower, group.upper, group.keep_proportions)
            for group in self.groups
        )
        return FeasibleSet(self.lower, self.caps, self.prior, groups, self.distance)

    @cached_property
    def caps(self) -> FloatArray:
        """(d,) largest admissible weights: the upper bounds and what the tokens of a domain allow."""
        if self.final_tokens is None or self.max_epochs is None:
            return self.upper
        available = np.array(self.domains.tokens, dtype=np.float64) * self.max_epochs / self.final_tokens
        return read_only(np.minimum(self.upper, available))

    def objective(self, values: FloatArray, /) -> FloatArray:
        """Combine targets (..., t) into the objective (...)."""
        if self.coefficients is None:
            return np.asarray(values.mean(axis=-1))
        return np.asarray(values @ self.coefficients)

    def without_caps(self) -> "MixtureProblem":
        """The same problem for proxy runs, which are far too short to run a domain dry."""
        return replace(self, final_tokens=None)

    def within(self, weights: FloatArray, /) -> "MixtureProblem":
        """The same problem inside the box that a set of mixtures (n, d) spans.

        A predictor is only evidence where runs were made; a proposal outside their box is a guess.

        Raises:
            InfeasibleError: the box and the caps have no mixture in common.
        """
        lower = np.maximum(self.lower, weights.min(axis=0))
        upper = np.minimum(self.upper, weights.max(axis=0))
        try:
            return replace(self, lower=np.minimum(lower, 1.0), upper=upper)
        except (InfeasibleError, InvalidInputError) as error:
            raise InfeasibleError(f"bounds and caps exclude the sampled region ({error})") from None


def _listed(told: Sequence[str]) -> str:
    more = f"; and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    return "; ".join(told[:_MOST_NAMED]) + more


def _named(names: Sequence[str], bounds: FloatArray, reasons: npt.NDArray[np.str_]) -> str:
    """The domains that a sum is made of, largest first, each with its bound and where that comes from."""
    order = [at for at in np.argsort(-bounds, kind="stable") if bounds[at] > 0]
    told = [f"{names[at]} {bounds[at]:.4g} ({reasons[at]})" for at in order[:_MOST_NAMED]]
    return ", ".join(told) + (f" and {len(order) - _MOST_NAMED} more" if len(order) > _MOST_NAMED else "")
