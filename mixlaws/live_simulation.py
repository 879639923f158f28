"""Simulated training runs that a policy steers, on known learning curves, and the regret of policies.

Regret is the mean final loss, over domains and without noise, minus that of the best fixed mixture. Curves
do not depend on the order of tokens (`mixlaws.learning_truth`), so that regret is never negative. The mean
final loss is convex in a fixed mixture: the best one is found by a convex search, whose duality gap bounds
how far it is off.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.driving import Drive
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.learning_truth import LearningTruth
from mixlaws.live_trainer import LiveTrainer, Pace
from mixlaws.policy import AnyPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.steering.guards import Guards

_LARGEST_GAP = 1e-5  # nats that the optimum may be off


@dataclass(frozen=True, eq=False)
class Outcome:
    """A run that has ended.

    Args:
        shares: (d,) share of each domain in the tokens that were read.
        weights: (r, d) weights in force, one row for each feedback.
        steps: (r,) steps that each feedback covers.
    """

    shares: FloatArray
    weights: FloatArray
    steps: FloatArray


@dataclass(frozen=True, eq=False)
class LiveSimulation:
    """An environment for policies.

    Args:
        problem: the domains, with the natural mixture as prior; a policy sees no more than that.
        truth: the learning curves; its budget is that of the pace.
        pace: how the trainer works.

    Raises:
        InvalidInputError: the truth's budget is another one.
    """

    problem: MixtureProblem
    truth: LearningTruth
    pace: Pace

    def __post_init__(self) -> None:
        if self.truth.budget != self.pace.tokens:
            raise InvalidInputError(
                f"the truth is one of {self.truth.budget:.6g} tokens, a run reads {self.pace.tokens:.6g}: "
                "give both the same budget"
            )

    @property
    def uniform(self) -> FloatArray:
        """(d,) equal weights."""
        d = len(self.problem.domains)
        return np.full(d, 1 / d)

    @cached_property
    def reference(self) -> FloatArray:
        """(d,) losses of the reference model: those of uniform training."""
        return self.final_losses(self.uniform)

    @cached_property
    def optimum(self) -> FloatArray:
        """(d,) the best fixed mixture, by a convex search.

        Raises:
            FitError: the search stopped too far from the optimum.
        """
        # The truth is convex, so that random starts add nothing.
        search, rng = ConvexProposer(kl=0.0, starts=0), np.random.default_rng(0)
        found = search.propose(self.truth, self.problem, count=1, rng=rng)[0]
        gap = float(str(found.details["gap"]))
        if not gap <= _LARGEST_GAP:
            raise FitError(f"the best mixture may be off by {gap:.2g} nats: use scales nearer to the budget")
        return found.weights

    def final_losses(self, shares: FloatArray) -> FloatArray:
        """(d,) losses of a whole run with these shares (d,) of tokens, nats per token."""
        return np.asarray(self.truth.predict(shares[None, :])[0])

    def regret(self, shares: FloatArray) -> float:
        """How much worse a run with these shares (d,) ends than the best fixed mixture, nats per token."""
        return float((self.final_losses(shares) - self.final_losses(self.optimum)).mean())

    def play(self, policy: AnyPolicy, *, rng: np.random.Generator, guards: Guards | None = None) -> Outcome:
        """A run that a policy steers."""
        limits = (guards or Guards()).bind(self.problem)
        drive = Drive(policy, policy.init(self.problem))
        trainer = LiveTrainer(self.truth, self.reference, self.pace, policy.signals, rng)
        weights, steps = [], []
        while trainer.step < self.pace.steps:
            feedback = trainer.report(drive.plan, limits)
            drive.tell(feedback)
            weights.append(feedback.weights)
            steps.append(feedback.steps)
        return Outcome(trainer.read / trainer.read.sum(), np.array(weights), np.array(steps, dtype=float))
