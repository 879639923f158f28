"""Mixtures that no fit made, which a proposal has to beat as well as the prior.

By token counts: the natural mixture, temperature sampling, UniMax. By what was measured of the domains: each
rule whose statistics are there, with its default hyperparameters. Beside them whatever mixtures a user names.
All but the latter are filled into the bounds and caps of the problem, so that they could be trained.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError, MixlawsError
from mixlaws.problem import MixtureProblem
from mixlaws.registry import SAMPLING
from mixlaws.sampling.natural import Natural
from mixlaws.sampling.rule import NOTHING, SamplingRule, Statistics
from mixlaws.simplex import as_weights

_ROUNDING = 1e-6  # of shares in files and requests


@dataclass(frozen=True, eq=False)
class Rivals:
    """Mixtures to compare with.

    Args:
        mixtures: (d,) each, by name.
        left_out: rules that could be asked and gave no mixture, with the reason.
    """

    mixtures: Mapping[str, FloatArray]
    left_out: Mapping[str, str]


def rivals(
    problem: MixtureProblem,
    statistics: Statistics = NOTHING,
    /,
    *,
    named: Mapping[str, FloatArray] | None = None,
    counted: bool = True,
) -> Rivals:
    """Ask every rule that has what it needs.

    Args:
        problem: what a proposal is made for.
        statistics: what was measured of its domains.
        named: (d,) mixtures of the user, by name; bounds do not hold for them.
        counted: whether the problem knows the tokens of its domains; without them no rule by counts is asked.

    Raises:
        InvalidInputError: a named mixture has the name of a rule.
        WeightsError: a named mixture is off the simplex.
    """
    mixtures: dict[str, FloatArray] = {}
    left_out: dict[str, str] = {}
    for name, rule in _askable(problem, statistics, counted=counted):
        try:
            mixtures[name] = rule.mixture(problem, statistics)
        except MixlawsError as error:
            left_out[name] = str(error)
    return Rivals(mixtures | check_named(problem, named or {}), left_out)


def check_named(problem: MixtureProblem, named: Mapping[str, FloatArray], /) -> dict[str, FloatArray]:
    """Mixtures of the user, made to sum to 1 exactly.

    Raises:
        InvalidInputError: one has the name of a rule.
        WeightsError: one is off the simplex.
    """
    for name, weights in named.items():
        if name in SAMPLING:
            raise InvalidInputError(f"a mixture to compare with is called {name!r}, as a rule is: rename it")
        if weights.shape != problem.prior.shape:
            raise InvalidInputError(
                f"mixture {name!r} has shape {weights.shape}: expected {problem.prior.shape}"
            )
    return {name: as_weights(weights) for name, weights in named.items()}


def admissible(weights: FloatArray, problem: MixtureProblem, /) -> bool:
    """Whether a mixture (d,) keeps all constraints: one that does not may look better than any that does."""
    return bool(problem.feasible.contains(weights[None, :], tolerance=_ROUNDING)[0])


def _askable(
    problem: MixtureProblem, statistics: Statistics, *, counted: bool
) -> Iterator[tuple[str, SamplingRule]]:
    """Rules that have what they need; the natural mixture only where it is not the prior anyway."""
    for name, cls in SAMPLING.items():
        rule = cls()
        known = all(getattr(statistics, statistic) is not None for statistic in rule.needs)
        twice = cls is Natural and np.allclose(problem.prior, problem.domains.natural)
        if known and (rule.needs or counted) and not twice:
            yield name, rule
