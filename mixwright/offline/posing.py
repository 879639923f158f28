"""The problem of an offline proposal: bounds, caps and prior, from options and the runs themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import Swarm
from mixwright.problems import CommandError

NATURAL = "natural"


@dataclass(frozen=True)
class Constraints:
    """What a user asks of a mixture.

    Args:
        prior: shares by domain, or "natural" for those of the tokens; None for a default.
        tokens: tokens that every domain holds; None if unknown.
        final_tokens: tokens of the run that the mixture is for.
        max_epochs: how often a domain may be read in it.
    """

    prior: Mapping[str, float] | str | None
    tokens: Mapping[str, float] | None
    final_tokens: int | None
    max_epochs: float | None
    lower: Mapping[str, float]
    upper: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem, with the words for its prior, and whether it knows the tokens of its domains."""

    problem: MixtureProblem
    prior_name: str
    counted: bool


def pose(swarm: Swarm, asked: Constraints, coefficients: FloatArray) -> Posed:
    """The problem over the domains of a swarm.

    Without a prior it is the natural mixture where tokens are known, else the mean of the runs' mixtures:
    the centre of what was tried, and never the uniform mixture by accident.

    Raises:
        CommandError: an option needs another one.
        MixlawsError: a domain is unknown or lacks a value, or nothing satisfies all bounds.
    """
    known = asked.tokens is not None
    if (asked.final_tokens is None) != (asked.max_epochs is None):
        raise CommandError("--final-tokens and --max-epochs make caps together: give both or neither")
    if asked.final_tokens is not None and not known:
        raise CommandError(
            "--final-tokens needs to know how much there is of each domain: give --tokens FILE"
        )
    if asked.prior == NATURAL and not known:
        raise CommandError(
            "--prior natural needs to know how much there is of each domain: give --tokens FILE"
        )
    domains = swarm.domains
    if asked.tokens is not None:
        counts = domains.to_array(asked.tokens)
        domains = DomainSet(domains.names, tuple(int(count) for count in counts))
    if isinstance(asked.prior, Mapping):
        prior, name = as_weights(domains.to_array(asked.prior), tolerance=FILE_TOLERANCE), "prior"
    elif known:
        prior, name = domains.natural, "natural"
    else:
        prior, name = np.asarray(swarm.weights.mean(axis=0)), "mean of the runs"
    epochs = None if asked.max_epochs is None else np.full(len(domains), asked.max_epochs)
    problem = MixtureProblem(
        domains=domains,
        prior=prior,
        lower=domains.to_array(asked.lower, missing=0.0),
        upper=domains.to_array(asked.upper, missing=1.0),
        final_tokens=asked.final_tokens,
        max_epochs=epochs,
        coefficients=coefficients,
    )
    return Posed(problem, name, known)
