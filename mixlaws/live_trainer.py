"""A simulated trainer: follows plans, draws in exact shares, and tells noisy losses of known curves.

It draws whole sequences; what does not fill one is carried on. The mean loss of k sequences has the deviation
`noise` / sqrt(k). An evaluation set stays the same, so that most of its error cancels in differences. The
excess of a token over the reference model is normal around that of its domain. Products of gradients follow
from the curves to first order and without noise: a step of domain i alone, B tokens at the learning rate r,
lowers the loss of domain t by r <g_i, g_t> = -B dL_t / dn_i. Influence is the derivative of the mean loss,
without noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from mixlaws.arrays import FloatArray
from mixlaws.driving import PlanFollower
from mixlaws.feedback import Evaluation, Feedback, Signal, TokenSums
from mixlaws.learning_truth import LearningTruth
from mixlaws.measurements import GradientProducts, Influence
from mixlaws.policy import Stage
from mixlaws.steering.guards import BoundGuards

SEQUENCE = 1024  # tokens
_EVALUATED = 1024  # sequences of each domain in the evaluation set
_LEARNING_RATE = 5e-4
MEASURED = frozenset(
    {
        Signal.LOSSES,
        Signal.SEQUENCES,
        Signal.EXCESS,
        Signal.EXCESS_CLIPPED,
        Signal.EVALUATIONS,
        Signal.GRAD_PRODUCTS,
        Signal.INFLUENCE,
    }
)


@dataclass(frozen=True)
class Pace:
    """How a simulated trainer works.

    Args:
        steps: optimiser steps of a run.
        batch: sequences of a step.
        report_every: steps between reports; one is made too where a stage ends or a plan takes effect.
        evaluate_every: steps between evaluations; one is made too where a stage ends, and at the start.
        lead: steps from a report to its effect.
        noise: deviation of the mean loss of a sequence, nats per token.
        drift: deviation between two evaluations of one model, nats per token.
        spread: deviation of a token's excess over the reference model, nats.
    """

    steps: int = 6000
    batch: int = 256
    report_every: int = 10
    evaluate_every: int = 300
    lead: int = 20
    noise: float = 0.5
    drift: float = 0.001
    spread: float = 1.0

    @property
    def tokens(self) -> int:
        """Tokens of a run."""
        return self.steps * self.batch * SEQUENCE


class LiveTrainer:
    """A run under way.

    Args:
        truth: the curves.
        reference: (d,) losses of the reference model.
        pace: how it works.
        signals: what is to be reported; without any, a report comes only where a stage ends.
        rng: of all noise.
    """

    def __init__(
        self, truth: LearningTruth, reference: FloatArray, pace: Pace, signals: frozenset[Signal],
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.truth, self.reference, self.pace, self.signals, self.rng = truth, reference, pace, signals, rng
        self.step, self.follower = 0, PlanFollower(lead=pace.lead)
        self.read = np.zeros(len(reference))
        self._owed = np.zeros(len(reference))  # sequences that the shares stand for and no batch has held
        self._set_error = rng.normal(0, pace.noise / np.sqrt(_EVALUATED), len(reference))

    def report(self, plan: Sequence[Stage], guards: BoundGuards) -> Feedback:
        """Train until the next report, and tell what was measured."""
        pace, follower = self.pace, self.follower
        follower.follow(plan, self.step)
        # The losses of the untrained model come with a report of one step: a stage may end with the next.
        evaluation = self._evaluation() if self.step == 0 else None
        every = pace.report_every if self.signals else pace.steps  # no report matters to whoever needs none
        until = 1 if evaluation is not None else every - self.step % every
        done = follower.stages_done
        weights, steps = follower.train(self.step, min(until, pace.steps - self.step))
        weights = guards.within(weights)
        sequences = self._drawn(weights * pace.batch * steps)
        counts = sequences * SEQUENCE
        losses = self.truth.losses(self.read + counts / 2)
        losses += pace.noise * self.rng.standard_normal(len(losses)) / np.sqrt(np.maximum(sequences, 1))
        self.read += counts
        self.step += steps
        ended = follower.stages_done not in (done, None)
        influence = None
        if ended or self.step % pace.evaluate_every == 0:
            evaluation, influence = self._evaluation(), self._influence()
        excess, clipped = self._excess(losses)
        return guards.admit(
            Feedback(
                self.step, losses * counts, counts, weights,
                steps=steps, version=follower.version, stages_done=follower.stages_done,
                sequence_counts=sequences, excess=TokenSums(excess * counts, counts),
                excess_clipped=TokenSums(clipped * counts, counts), evaluation=evaluation,
                grad_products=self._products(),
                influence=influence,
            )
        )  # fmt: skip

    def _drawn(self, wanted: FloatArray) -> np.ndarray:
        """(d,) whole sequences."""
        self._owed += wanted
        whole = np.floor(self._owed + 1e-9).astype(np.int64)
        self._owed -= whole
        return whole

    def _evaluation(self) -> Evaluation | None:
        if Signal.EVALUATIONS not in self.signals:
            return None
        counts = np.full(len(self.read), _EVALUATED * SEQUENCE)
        losses = self.truth.losses(self.read) + self._set_error
        losses += self.pace.drift * self.rng.standard_normal(len(losses))
        return Evaluation(losses * counts, counts, self.step, "held-out")

    def _products(self) -> GradientProducts | None:
        if Signal.GRAD_PRODUCTS not in self.signals:
            return None
        budget, d = self.truth.budget, len(self.read)
        falls = -self.truth.jacobian(self.read[None, :] / budget)[0].T / budget
        products = falls * self.pace.batch * SEQUENCE / _LEARNING_RATE
        return GradientProducts(
            products,
            np.sqrt(np.diag(products)),
            np.full(d, self.pace.batch),
            _LEARNING_RATE,
            tuple(f"target-{index:03}" for index in range(d)),
        )

    def _influence(self) -> Influence | None:
        """How much a sample of each domain would lower the mean loss."""
        if Signal.INFLUENCE not in self.signals:
            return None
        budget, sample = self.truth.budget, _EVALUATED * SEQUENCE
        slopes = self.truth.jacobian((self.read / budget)[None, :])[0].mean(axis=0)
        return Influence(-slopes[:, None] * (sample / budget), ("mean loss",), "derivative", sample)

    def _excess(self, losses: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(d,) mean excess of tokens over the reference, and the mean of its positive part."""
        mean, spread = losses - self.reference, self.pace.spread
        density = np.exp(-0.5 * (mean / spread) ** 2) / np.sqrt(2 * np.pi)
        return mean, mean * ndtr(mean / spread) + spread * density
