"""Mixture reuse: domains that a change leaves alone become one virtual domain of fixed relative weights.

    q_j = rho p_j  for a reused domain j,    q_c = r_c  for a recomputed one,    r = (rho, r_c ...)

Only r is optimised: c (m + 1) proxy runs for m recomputed domains, where c per domain are usual.

    capacity   N_v = min_j N_j / p_j, never the sum: the domain that runs dry first ends all of them
    cap        rho <= min_j kappa_j N_j / (R p_j)       bounds   max_j l_j / p_j <= rho <= min_j u_j / p_j
    prior      the sum of the members' priors

The KL term of the reduced problem misses rho KL(p || q0|reused) of the full one (`divergence.py`). A prior
whose virtual entry is scaled by exp(-KL(p || q0|reused)) brings it back, up to a constant: `tilted`.

What reuse costs grows with how far p is from the relative weights of the full optimum, times how strongly
reused and recomputed domains serve the same targets (`coupling.py`).

Source: Olmix, Chen et al. 2026, arXiv:2602.12237, section 4, and the released configurations. The tilted
prior is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, frozen
from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.reuse.divergence import divergence
from mixlaws.simplex import normalise


@dataclass(frozen=True, eq=False)
class Collapse:
    """A problem of d domains reduced to 1 + m: the virtual domain, then the recomputed ones in their order.

    Args:
        full: the problem after the change.
        reused: (f,) indices of the reused domains along axis d.
        relative: (f,) their weights relative to each other, summing to 1.
        name: of the virtual domain.
    """

    full: MixtureProblem
    reused: IntArray
    relative: FloatArray
    name: str = "reused"

    @classmethod
    def create(cls, full: MixtureProblem, old: Mapping[str, float], /, *, name: str = "reused") -> "Collapse":
        """Reuse the old weights of some domains of a problem; those that are not named are recomputed.

        Args:
            full: the problem after the change.
            old: weights of the reused domains in the old mixture; only their ratios matter.
            name: of the virtual domain; no domain of the problem may have it.

        Raises:
            UnknownDomainError: a reused domain is not in the problem.
            WeightsError: a weight is negative or not finite, or all are zero.
            InvalidInputError: no domain is reused or recomputed, or the name is taken.
        """
        if not old or len(old) >= len(full.domains):
            raise InvalidInputError(
                f"{len(old)} of {len(full.domains)} domains are reused: reuse at least one, and leave one "
                "to recompute; where only removals happened, carry the mixture over instead"
            )
        if name in full.domains.indices:
            raise InvalidInputError(f"a domain is called {name!r}: give the virtual domain another name")
        weights = full.domains.to_array(old, missing=np.nan)
        reused = np.flatnonzero(~np.isnan(weights))
        if len(reused) < len(old):
            raise InvalidInputError("a weight of a reused domain is NaN: give the weight it had")
        return cls(full, reused, frozen(normalise(weights[reused])), name)

    @cached_property
    def recomputed(self) -> IntArray:
        """(m,) indices of the recomputed domains along axis d."""
        return np.setdiff1d(np.arange(len(self.full.domains)), self.reused)

    @cached_property
    def matrix(self) -> FloatArray:
        """(d, 1 + m) the linear map from reduced to full weights."""
        matrix = np.zeros((len(self.full.domains), 1 + len(self.recomputed)))
        matrix[self.reused, 0] = self.relative
        matrix[self.recomputed, 1 + np.arange(len(self.recomputed))] = 1.0
        return frozen(matrix)

    def expand(self, reduced: FloatArray, /) -> FloatArray:
        """Full weights (..., d) of reduced ones (..., 1 + m)."""
        return np.asarray(reduced @ self.matrix.T)

    def gather(self, weights: FloatArray, /) -> FloatArray:
        """Reduced weights (..., 1 + m) of full ones (..., d), whatever the reused domains' ratios are."""
        share = weights[..., self.reused].sum(axis=-1, keepdims=True)
        return np.concatenate([share, weights[..., self.recomputed]], axis=-1)

    @cached_property
    def within(self) -> float:
        """KL(p || q0|reused), nats: how far the reused relative weights are from the prior's."""
        base = self.full.prior[self.reused]
        return divergence(self.relative, base / base.sum()) if base.sum() > 0 else float("inf")

    @cached_property
    def problem(self) -> MixtureProblem:
        """The reduced problem: every mixture that it allows expands to one that the full problem allows.

        Raises:
            InfeasibleError: bounds and caps leave no mixture with these relative weights.
            InvalidInputError: the full problem has groups or a distance.
        """
        full, some = self.full, self.relative > 0
        if not full.feasible.bounds_alone:
            raise InvalidInputError(
                "reuse knows bounds and caps alone: leave groups and the distance from the prior out of the "
                "full problem, and pose them on the reduced one"
            )
        members, ratios = self.reused[some], self.relative[some]
        stuck = self.reused[~some][full.lower[self.reused[~some]] > 0]
        if len(stuck):
            raise InfeasibleError(
                f"domain {full.domains.names[stuck[0]]!r} has a lower bound, and the old weight 0: "
                "recompute it"
            )
        lower = float((full.lower[members] / ratios).max())
        upper = min(float((full.upper[members] / ratios).min()), 1.0)
        if lower > upper:
            raise InfeasibleError(
                f"the reused domains together need a weight of at least {lower:.6g} and at most {upper:.6g}: "
                "recompute those whose bounds are tight"
            )
        held = np.array(full.domains.tokens, dtype=np.float64)[members] / ratios
        capacity = int(held.min())
        tokens = (capacity, *(full.domains.tokens[j] for j in self.recomputed))
        domains = DomainSet((self.name, *(full.domains.names[j] for j in self.recomputed)), tokens)
        epochs = None
        if full.max_epochs is not None:
            # Over the whole tokens of the capacity, so that the product is the exact cap.
            virtual = float((full.max_epochs[members] * held).min()) / capacity
            epochs = np.append(virtual, full.max_epochs[self.recomputed])
        return replace(
            full,
            domains=domains,
            prior=self.gather(full.prior),
            lower=np.append(lower, full.lower[self.recomputed]),
            upper=np.append(upper, full.upper[self.recomputed]),
            max_epochs=epochs,
        )

    def tilted(self) -> MixtureProblem:
        """The reduced problem with a prior whose KL is that of the full problem, up to a constant.

        Raises:
            InvalidInputError: the prior leaves out a reused domain that has a weight.
        """
        if not np.isfinite(self.within):
            raise InvalidInputError(
                "the prior leaves out a domain that is reused, so that KL is infinite: give it a share"
            )
        scale = np.append(np.exp(-self.within), np.ones(len(self.recomputed)))
        return replace(self.problem, prior=normalise(self.problem.prior * scale))


def carry_over(problem: MixtureProblem, old: Mapping[str, float], /) -> FloatArray:
    """(d,) the old mixture on the domains that are left, after removals: no run is needed.

    Weights keep their ratios; where the greater shares exceed a cap, the excess goes to the others.

    Args:
        problem: the problem after the removals.
        old: weight of every domain that is left; only their ratios matter.

    Raises:
        UnknownDomainError: a domain is not in the problem.
        MissingDomainError: a domain has no old weight: add it by a `Collapse` instead.
        InfeasibleError: the domains with a weight cannot hold the whole mixture.
    """
    return problem.feasible.fill(normalise(problem.domains.to_array(old)))
