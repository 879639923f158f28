"""Runs of two stages: a stated mixture at the end, and a first stage that makes the whole run the best.

    w = (1 - s) u + s v

with s the second stage's share of the tokens, u and v the mixtures of the stages, and w their token-weighted
mean. Proxy runs of one stage tell of w alone: of what the order brings they say nothing. So v is stated, or
is the optimum of another objective; w is the optimum of the study's objective among the means that are
possible, and u follows. Predictions are those of a run that mixes w throughout.

Bounds and groups hold for each stage; caps and the distance from the prior hold for w, so that a scarce
domain may be saved for the end. In terms of w they are constraints of the same kind,

    (1 - s) l + s v <= w <= (1 - s) u_max + s v,    and alike for the sums of groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.estimator import AnyProposer, Predictor
from mixlaws.feasible.constraints import PriorDistance
from mixlaws.problem import MixtureProblem

ORDER_NOTE = (
    "The prediction is that of a run which mixes the token-weighted mean throughout: runs of one stage say "
    "nothing of what the order brings."
)
_TOLERANCE = 1e-6  # of a stated mixture, which may be rounded


@dataclass(frozen=True, eq=False)
class SecondObjective:
    """A second stage that is looked for: the best one for other coefficients of the targets.

    Args:
        share: s, its share of the final tokens.
        coefficients: (t,) weights of the targets.
        distance: bound on its distance from the prior; None for that of the problem.
    """

    share: float
    coefficients: FloatArray
    distance: PriorDistance | None = None

    def found(
        self, proposer: AnyProposer, predictor: Predictor, problem: MixtureProblem, rng: np.random.Generator
    ) -> "SecondStage":
        """The second stage that a proposer expects to be best, with all scarce tokens to itself.

        Raises:
            InfeasibleError: nothing satisfies the constraints of the stage.
        """
        posed = replace(
            second_problem(problem, self.share),
            coefficients=self.coefficients, distance=self.distance or problem.distance,
        )  # fmt: skip
        return SecondStage(self.share, proposer.propose(predictor, posed, count=1, rng=rng)[0].weights)


@dataclass(frozen=True, eq=False)
class SecondStage:
    """What is stated of the second stage.

    Args:
        share: s, its share of the final tokens.
        weights: (d,) its mixture.
    """

    share: float
    weights: FloatArray

    def __post_init__(self) -> None:
        _check_share(self.share)

    def mean_problem(self, problem: MixtureProblem, /) -> MixtureProblem:
        """The problem whose mixtures are the token-weighted means that are possible.

        Raises:
            InfeasibleError: the second stage breaks bounds, groups or a cap by itself, or leaves no mean.
        """
        s, v = self.share, self.weights
        stage = stage_problem(problem)
        if not stage.feasible.contains(v[None, :], tolerance=_TOLERANCE)[0]:
            raise InfeasibleError(
                "the second stage's mixture is outside the bounds or groups of the problem, which hold for "
                "each stage: change the mixture, or loosen them"
            )
        short = np.flatnonzero(s * v > problem.caps + _TOLERANCE)
        if len(short) and problem.final_tokens is not None:
            j = short[0]
            raise InfeasibleError(
                f"the second stage alone reads domain {problem.domains.names[j]!r} for {s * v[j]:.6g} of the "
                f"run, and its tokens allow {problem.caps[j]:.6g}: give it less, or make the stage shorter"
            )
        groups = []
        for group in problem.groups:
            part = s * float(v[group.members(problem.domains)].sum())
            low, high = ((1 - s) * bound + part for bound in (group.lower, group.upper))
            groups.append(replace(group, lower=low, upper=min(high, 1.0)))
        return replace(
            problem,
            lower=np.minimum((1 - s) * problem.lower + s * v, problem.caps),
            upper=np.minimum((1 - s) * problem.upper + s * v, 1.0),
            groups=tuple(groups),
        )

    def stages(self, problem: MixtureProblem, mean: FloatArray, /) -> tuple[FloatArray, FloatArray]:
        """(d,) mixtures of both stages, from the token-weighted mean (d,) of the run."""
        first = (mean - self.share * self.weights) / (1 - self.share)
        # What is divided by 1 - s is rounding too.
        return stage_problem(problem).feasible.project(np.maximum(first, 0.0)), self.weights


def stage_problem(problem: MixtureProblem, /) -> MixtureProblem:
    """What holds for one stage: bounds and groups."""
    return replace(problem, final_tokens=None, distance=None)


def second_problem(problem: MixtureProblem, share: float, /) -> MixtureProblem:
    """What the second stage may be where it is looked for: bounds, groups, distance, all scarce tokens."""
    _check_share(share)
    if problem.final_tokens is None:
        return problem
    return replace(problem, final_tokens=max(round(problem.final_tokens * share), 1))


def whole_steps(share: float, steps: int, /) -> float:
    """The share of a second stage that begins with a step: what is planned is then what is trained.

    Raises:
        InvalidInputError: one of the stages would have no step.
    """
    _check_share(share)
    second = round(share * steps)
    if not 0 < second < steps:
        raise InvalidInputError(f"{share:g} of {steps} steps leave a stage without a step: use more steps")
    return second / steps


def schedule_document(
    domains: DomainSet,
    stages: Sequence[FloatArray],
    /,
    *,
    share: float,
    steps: int,
    samples_per_step: int,
    max_epochs: Mapping[str, float] | None = None,
) -> JsonObject:
    """The schedule of two stages that a training job can follow without a service.

    Args:
        domains: the domains.
        stages: (d,) mixtures of the first and the second stage.
        share: of the second stage, in whole steps.
        steps: steps of the run.
        samples_per_step: samples of a step, over all ranks.
        max_epochs: how often domains may be read, by name.
    """
    begins = (0, steps - round(share * steps))
    limits = max_epochs or {}
    return {
        "schema": "mixture-schedule/v1", "job": "proposal", "attempt": 0, "version": 1,
        "samples_per_step": samples_per_step, "lead_steps": 0, "ttl_steps": 0, "frozen": False,
        "domains": [
            {"name": name, "tokens": count, "max_epochs": limits.get(name)}
            for name, count in zip(domains.names, domains.tokens, strict=True)
        ],
        "stages": [
            {"effective_step": begin, "weights": domains.to_mapping(weights), "version": at, "reason": reason}
            for at, (begin, weights, reason) in enumerate(
                zip(begins, stages, ("first stage", "second stage"), strict=True)
            )
        ],
    }  # fmt: skip


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidInputError(f"the second stage's share is {share}: use a value between 0 and 1")
