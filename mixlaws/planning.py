"""How many proxy runs until a decision is within so many nats of the optimum, from the runs so far.

The method is refitted on nested random subsets, each subset's best mixture is judged by the fit of all runs
(by draws of it, where it can draw), and the curve of these regrets is carried on: see `learning_curve`. The
same method decides and judges, so that a misfit which more runs do not mend is not seen here; held-out
scores show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.designs.sobol import SobolDesign
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.estimator import AnyEstimator, DifferentiablePredictor, Predictor, ProbabilisticPredictor
from mixlaws.learning_curve import LearningCurve, learning_curve
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import average_of_best
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate, pooled_deviation

MINIMUM_RUNS = 8
_SHARES = (0.3, 0.4, 0.5, 0.65, 0.8)  # of all runs; a subset that is nearly the whole tells nothing new
_LEAST_SIZES = 3
_FAR = 30.0  # times as many runs as there are: a curve over a factor of three reaches no further
_VAGUE = 100.0  # high end of an interval over its low end, beyond which it says nothing
_DRAWS = 64
_CANDIDATES = 2048
_TOP = 16
_ITERATIONS = 300
_FOLDS = 8
_CERTAIN = 2.0  # standard errors of a rank correlation of values that have nothing in common
_DEVIATIONS = 1.4826  # standard deviations in the median absolute error of normal noise

Status = Literal["reached", "planned", "out_of_reach", "unknown"]


@dataclass(frozen=True)
class Point:
    """What subsets of one size led to.

    Args:
        runs: of each subset.
        regret: mean over subsets, nats per token.
        error: mean absolute error of the objective on the runs outside of the subset.
    """

    runs: int
    regret: float
    error: float


@dataclass(frozen=True, eq=False)
class Plan:
    """An answer.

    Args:
        status: what can be said.
        verdict: the same in words.
        within: the regret that is asked for, nats per token.
        runs: there are.
        needed: runs in all; None where it cannot be told.
        interval: 80 % interval of it.
        regret: expected with the runs that there are, and its 80 % interval.
        prior_regret: of the prior, by the fit of all runs: what is at stake, nats per token.
        noise: deviation of the objective between repeats of a mixture; without repeats, of held-out runs
            from their prediction, which is more.
        noise_is_measured: whether there are repeats.
        confirmation: runs of each of two mixtures after which a difference as asked for is two standard
            errors.
        points: the measured curve.
        curve: the fitted one.
    """

    status: Status
    verdict: str
    within: float
    runs: int
    needed: int | None
    interval: tuple[float, float] | None
    regret: float
    regret_interval: tuple[float, float]
    prior_regret: float
    noise: float
    noise_is_measured: bool
    confirmation: int
    points: Sequence[Point]
    curve: LearningCurve


def plan(
    estimator: AnyEstimator,
    swarm: Swarm,
    problem: MixtureProblem,
    /,
    *,
    within: float,
    chains: int = 8,
    rng: np.random.Generator,
) -> Plan:
    """Plan the number of runs.

    Args:
        estimator: the method that decides; not one that chooses a method anew for every subset.
        swarm: the runs so far, of one scale.
        problem: what is decided; mixtures stay in the box that the runs span.
        within: the regret to reach, nats per token.
        chains: random orders of the runs, each with a subset of every size.
        rng: draws them.

    Raises:
        InvalidInputError: the regret is not positive, or there are fewer than two chains.
        SwarmTooSmallError: fewer than eight runs, or too few for three sizes of subsets.
    """
    if not (np.isfinite(within) and within > 0):
        raise InvalidInputError(f"the regret to reach is {within}: use a finite value > 0, nats per token")
    if chains < 2:
        raise InvalidInputError(f"chains is {chains}: use at least 2")
    if len(swarm) < MINIMUM_RUNS:
        raise SwarmTooSmallError(method="a plan", needed=MINIMUM_RUNS, got=len(swarm))
    fit_rng, subset_rng, judge_rng, fold_rng, curve_rng = rng.spawn(5)
    whole = estimator.fit(swarm, rng=fit_rng)
    decide = _Decision.create(problem.within(swarm.weights), swarm, judge_rng)
    sizes, mixtures, errors = _decisions(estimator, swarm, decide, chains, subset_rng)
    best = decide(whole)
    regrets = _regrets(whole, problem, mixtures, best, judge_rng)
    sampled = isinstance(whole, ProbabilisticPredictor)
    curve = learning_curve(
        np.array(sizes, dtype=np.float64), regrets, subtracted=None if sampled else len(swarm), rng=curve_rng
    )
    points = [
        Point(size, float(regrets[:, at].mean()), float(errors[:, at].mean()))
        for at, size in enumerate(sizes)
    ]
    quality = _quality(estimator, swarm, problem, fold_rng)
    prior, least = problem.objective(whole.predict(np.stack([problem.prior, best])))
    return _answer(points, curve, len(swarm), within, quality, max(float(prior - least), 0.0))


@dataclass(frozen=True, eq=False)
class _Decision:
    """What is proposed from a predictor: its minimum in the box, the same candidates for all."""

    problem: MixtureProblem
    candidates: FloatArray
    seed: int

    @classmethod
    def create(cls, problem: MixtureProblem, swarm: Swarm, rng: np.random.Generator) -> "_Decision":
        inside = problem.feasible.contains(swarm.weights)
        drawn = SobolDesign().design(problem, count=_CANDIDATES, rng=rng)
        return cls(problem, np.concatenate([drawn, swarm.weights[inside]]), int(rng.integers(2**32)))

    def __call__(self, predictor: Predictor, /) -> FloatArray:
        """(d,) the mixture; without a pull towards the prior, which would hide what runs do not tell."""
        if not isinstance(predictor, DifferentiablePredictor):
            return average_of_best(predictor, self.problem, self.candidates, top=_TOP)
        # The same starts for every subset: they are not what differs between subsets.
        rng = np.random.default_rng(self.seed)
        proposer = ConvexProposer(kl=0.0, starts=1, iterations=_ITERATIONS)
        return proposer.propose(predictor, self.problem, count=1, rng=rng)[0].weights


def _decisions(
    estimator: AnyEstimator, swarm: Swarm, decide: _Decision, chains: int, rng: np.random.Generator
) -> tuple[list[int], FloatArray, FloatArray]:
    """Sizes of k subsets, (chains, k, d) mixtures that they lead to, (chains, k) errors on other runs."""
    sizes = sorted({round(share * len(swarm)) for share in _SHARES})
    refusal: SwarmTooSmallError | None = None
    found: dict[int, list[tuple[FloatArray, float]]] = {}
    for chain_rng in rng.spawn(chains):
        order = chain_rng.permutation(len(swarm))
        for size, child in zip(sizes, chain_rng.spawn(len(sizes)), strict=True):
            try:
                predictor = estimator.fit(swarm.take(order[:size]), rng=child)
            except SwarmTooSmallError as error:
                refusal = error
                continue
            rest = swarm.take(order[size:])
            error_there = decide.problem.objective(predictor.predict(rest.weights) - rest.values)
            found.setdefault(size, []).append((decide(predictor), float(np.abs(error_there).mean())))
    # A method may refuse a subset for its distinct mixtures: a size counts if all chains have it.
    whole = [size for size in sizes if len(found.get(size, ())) == chains]
    if len(whole) < _LEAST_SIZES:
        needed = int(np.ceil((refusal.needed if refusal else MINIMUM_RUNS) / _SHARES[-_LEAST_SIZES]))
        raise SwarmTooSmallError(
            method="a plan with this method, which is fitted to half of the runs and more,",
            needed=needed,
            got=len(swarm),
        )
    mixtures = np.array([[found[size][chain][0] for size in whole] for chain in range(chains)])
    return whole, mixtures, np.array([[found[size][chain][1] for size in whole] for chain in range(chains)])


def _regrets(
    whole: Predictor,
    problem: MixtureProblem,
    mixtures: FloatArray,
    best: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """(chains, k, j) regrets of (chains, k, d) mixtures, by j draws of the fit of all runs or by it alone."""
    together = np.concatenate([mixtures.reshape(-1, len(best)), best[None, :]])
    judged = whole.predict(together)[None]
    if isinstance(whole, ProbabilisticPredictor):
        judged = whole.sample(together, count=_DRAWS, rng=rng)
    objective = problem.objective(judged)
    return np.asarray(
        (objective - objective.min(axis=1, keepdims=True))[:, :-1].T.reshape(*mixtures.shape[:2], -1)
    )


@dataclass(frozen=True)
class _Quality:
    """Deviation between runs, whether repeats measured it, and whether the method ranks unseen runs."""

    noise: float
    measured: bool
    ranks: bool


def _quality(
    estimator: AnyEstimator, swarm: Swarm, problem: MixtureProblem, rng: np.random.Generator
) -> _Quality:
    held_out = cross_validate(estimator, swarm, folds=_FOLDS, rng=rng)
    measured, predicted = problem.objective(held_out.measured), problem.objective(held_out.predicted)
    # Medians: a fold whose fit runs wild says nothing of the others.
    error = float(np.median(np.abs(measured - predicted)))
    deviation, freedom = pooled_deviation(swarm.weights, measured[:, None])
    noise = float(deviation[0]) if freedom else _DEVIATIONS * error
    coefficients = problem.objective(np.eye(len(swarm.targets)))
    rank = held_out.objective_scores(coefficients).spearman
    return _Quality(noise, freedom > 0, rank is not None and rank > _CERTAIN / np.sqrt(len(swarm)))


def _answer(
    points: Sequence[Point],
    curve: LearningCurve,
    runs: int,
    within: float,
    quality: _Quality,
    prior_regret: float,
) -> Plan:
    low, high = curve.runs_interval(within)
    status = _status(curve, runs, within, quality)
    told = status in {"reached", "planned"}
    needed = max(int(np.ceil(curve.runs_for(within))), 1) if told else None
    return Plan(
        status=status,
        verdict=_verdict(status, curve, runs, within, quality),
        within=within,
        runs=runs,
        needed=needed,
        interval=(low, high) if told else None,
        regret=curve.regret(runs),
        regret_interval=curve.regret_interval(runs),
        prior_regret=prior_regret,
        noise=quality.noise,
        noise_is_measured=quality.measured,
        confirmation=max(int(np.ceil(8 * (quality.noise / within) ** 2)), 1),
        points=points,
        curve=curve,
    )


def _status(curve: LearningCurve, runs: int, within: float, quality: _Quality) -> Status:
    low, high = curve.runs_interval(within)
    if not quality.ranks:
        return "unknown"
    if low > _FAR * runs:
        return "out_of_reach"
    if high <= runs:
        return "reached"
    if high > _VAGUE * low or curve.runs_for(within) > _FAR * runs:
        return "unknown"
    return "reached" if curve.runs_for(within) <= runs else "planned"


def _verdict(status: Status, curve: LearningCurve, runs: int, within: float, quality: _Quality) -> str:
    low, high = curve.runs_interval(within)
    known = "" if quality.measured else "at most "
    noise = f"a run has a noise of {known}{quality.noise:.2g} nats"
    if status == "unknown" and not quality.ranks:
        return (
            f"these {runs} runs cannot tell: the method does not surely rank runs that it has not seen, so "
            f"that its decision is no evidence; {noise}"
        )
    if status == "unknown":
        return (
            f"these {runs} runs cannot tell: anything from {low:.0f} to {high:.0f} runs may be needed for "
            f"{within:g} nats; make more runs and ask again, or ask for less"
        )
    if status == "out_of_reach":
        return (
            f"{within:g} nats are out of reach: {noise}, and even {_FAR * runs:.0f} runs would not be "
            f"enough; with {runs} runs expect {curve.regret(runs):.2g} nats"
        )
    if status == "reached":
        return f"{runs} runs are enough for {within:g} nats: expect {curve.regret(runs):.2g} nats or so"
    needed = curve.runs_for(within)
    return (
        f"about {needed:.0f} runs in all, {needed - runs:.0f} more than there are, for {within:g} nats "
        f"(80 % interval {low:.0f} to {high:.0f}); {noise}"
    )
