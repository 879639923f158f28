"""The problem of an offline proposal: bounds, caps and prior, from options and the runs themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.estimator import Predictor
from mixlaws.feasible.constraints import Group, PriorDistance
from mixlaws.problem import MixtureProblem
from mixlaws.repeated_shares import with_repetition
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
        max_epochs: how often a domain may be read in it; of all domains, or by name.
        frozen: shares that stay as stated, or as in the prior where None.
        groups: domains that are bounded together.
        distance: bound on the distance from the prior.
        per_efold: by how much targets fall for each e-fold of training tokens, for repetition at its worth.
        repetition: "cap" or "smooth".
    """

    prior: Mapping[str, float] | str | None
    tokens: Mapping[str, float] | None
    final_tokens: int | None
    max_epochs: float | Mapping[str, float] | None
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    frozen: Mapping[str, float | None] = field(default_factory=dict)
    groups: Sequence[Group] = ()
    distance: PriorDistance | None = None
    repetition: str = "cap"
    per_efold: float | None = None


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem, with the words for its prior, and whether it knows the tokens of its domains."""

    problem: MixtureProblem
    prior_name: str
    counted: bool


def with_stated(asked: Constraints, stated: Mapping[str, Any]) -> Constraints:
    """What was asked for, and for the rest what a study states; files state nothing."""
    if not stated:
        return asked
    epochs = {d["name"]: d["max_epochs"] for d in stated["domains"] if d["max_epochs"] is not None}
    capped = asked.final_tokens is None and asked.max_epochs is None and stated["final_tokens"] and epochs
    return replace(
        asked,
        prior=asked.prior or stated["prior"],
        tokens=asked.tokens or {d["name"]: d["tokens"] for d in stated["domains"]},
        final_tokens=stated["final_tokens"] if capped else asked.final_tokens,
        max_epochs=epochs if capped else asked.max_epochs,
        lower={**stated["lower"], **asked.lower},
        upper={**stated["upper"], **asked.upper},
    )


def pose(swarm: Swarm, asked: Constraints, coefficients: FloatArray) -> Posed:
    """The problem over the domains of a swarm.

    Without a prior it is the natural mixture where tokens are known, else the mean of the runs' mixtures:
    the centre of what was tried, and never the uniform mixture by accident.

    Raises:
        CommandError: an option needs another one.
        MixlawsError: a domain is unknown or lacks a value, or nothing satisfies all bounds.
    """
    known = asked.tokens is not None
    _check_repetition(asked)
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
    epochs = asked.max_epochs
    problem = MixtureProblem.create(
        domains,
        prior=domains.to_mapping(prior),
        lower=asked.lower,
        upper=asked.upper,
        final_tokens=asked.final_tokens,
        max_epochs=dict.fromkeys(domains.names, epochs) if isinstance(epochs, float) else epochs,
        coefficients=coefficients,
        frozen=asked.frozen,
        groups=asked.groups,
        distance=asked.distance,
    )
    return Posed(problem, name, known)


def repeated(predictor: Predictor, asked: Constraints, problem: MixtureProblem) -> Predictor:
    """The predictor, with repeated tokens at their worth where that was asked for instead of caps.

    Raises:
        InvalidInputError: the predictor needs the loss per e-fold of tokens, or knows it by itself.
    """
    if asked.repetition == "cap" or asked.final_tokens is None:
        return predictor
    return with_repetition(
        predictor, problem.domains, final_tokens=asked.final_tokens, per_efold=asked.per_efold
    )


def _check_repetition(asked: Constraints) -> None:
    if asked.repetition == "cap":
        if (asked.final_tokens is None) != (asked.max_epochs is None):
            raise CommandError("--final-tokens and --max-epochs make caps together: give both or neither")
        if asked.per_efold is not None:
            raise CommandError("--per-efold belongs to --repetition smooth: give both or neither")
    elif asked.repetition != "smooth":
        raise CommandError(f"--repetition is {asked.repetition!r}: use cap or smooth")
    elif asked.final_tokens is None or asked.max_epochs is not None:
        raise CommandError("--repetition smooth needs --final-tokens, and replaces --max-epochs")
