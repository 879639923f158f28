"""One training run that a policy steers in process, until its FLOPs are spent.

Reports are made every few steps, and where a stage of the plan ends, with what the policy needs; plans take
effect a lead after them, within guards, as with a service. The learning rate follows the share of the run's
FLOPs that is spent, so that it ends low for whoever pays for much else than steps, too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from benchmarks.online_methods.ledger import Ledger
from benchmarks.online_methods.measures import EachStep, Scene, Snapshot, measures
from mixclient import Sampler, Schedule
from mixlaws.arrays import FloatArray
from mixlaws.driving import Drive, PlanFollower
from mixlaws.feedback import Evaluation, Feedback
from mixlaws.policy import AnyPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.steering.guards import Guards
from proxy_training.corpus import Corpus
from proxy_training.cost import TRAINING
from proxy_training.mixture_stream import MixtureStream
from proxy_training.model import Decoder
from proxy_training.spec import TrainSpec
from proxy_training.train import TrainingDivergedError, learning_rate, optimiser_of, stepped, untrained

Told = Callable[[Feedback], None]


@dataclass(frozen=True)
class Pace:
    """How a run reports.

    Args:
        lead: steps from a report to its effect.
        look_every: steps between looks inside the model, each at the end of a report; None looks where a
            stage of the plan ends, and at the start.
        guards: around the policy.
    """

    lead: int = 20
    look_every: int | None = None
    guards: Guards = Guards()


@dataclass(frozen=True, eq=False)
class Course:
    """A run that has ended.

    Args:
        model: after its last step.
        state: of the policy.
        steps: optimiser steps.
        shares: (d,) of all tokens.
    """

    model: Decoder
    state: Any
    steps: int
    shares: FloatArray


def steered(
    spec: TrainSpec,
    corpus: Corpus,
    policy: AnyPolicy,
    ledger: Ledger,
    *,
    pace: Pace,
    seed: int,
    reference: Decoder | None = None,
    what: str = "training",
    told: Told = lambda _: None,
) -> Course:
    """Train while a policy steers, until what the ledger has left is spent.

    Args:
        spec: the model and its training; for its tokens stands what the FLOPs allow.
        corpus: text to train on.
        policy: the rule.
        ledger: pays for steps and for what is measured.
        pace: of reports.
        seed: initial weights and order of the text.
        reference: what excess losses are in excess of.
        what: name of the steps in the ledger.
        told: hears every feedback that the policy hears.

    Raises:
        TrainingDivergedError: the loss is NaN or infinite.
        ValueError: the policy needs a signal that is not measured here, or the FLOPs allow no step.
    """
    run = _Run(spec, corpus, policy, ledger, pace, seed, reference, what)
    while run.affords(run.step_flops):
        feedback = run.report()
        if feedback is not None:
            told(feedback)
            run.drive.tell(feedback)
    return Course(run.scene.model, run.drive.state, run.step, np.array(run.shares))


class _Run:
    def __init__(
        self, spec: TrainSpec, corpus: Corpus, policy: AnyPolicy, ledger: Ledger, pace: Pace, seed: int,
        reference: Decoder | None, what: str,
    ) -> None:  # fmt: skip
        problem = MixtureProblem.create(corpus.domains)
        self.scene = Scene(spec, corpus, untrained(spec, corpus, seed=seed), seed, reference)
        self.each_step, self.snapshots = measures(policy.signals, self.scene)
        self.drive = Drive(policy, policy.init(problem))
        self.step = 0
        tokens = spec.batch * spec.context
        self.step_flops = TRAINING * self.scene.model.parameter_count() * tokens
        self.step_flops += sum(measure.flops(tokens) for measure in self.each_step)
        self._spec = replace(spec, tokens=tokens * int(ledger.left / self.step_flops * (1 + 1e-9)))
        self._pace, self._ledger, self._what, self._seed = pace, ledger, what, seed
        self._before = ledger.spent
        self._limits = pace.guards.bind(problem)
        self._follower = PlanFollower(lead=pace.lead)
        self._optimiser = optimiser_of(self.scene.model, spec)
        self._stream = MixtureStream(corpus, context=spec.context, seed=seed)

    @property
    def shares(self) -> FloatArray:
        """(d,) of the tokens that were read."""
        drawn = np.array(self._stream.tokens_drawn, dtype=np.float64)
        return np.asarray(drawn / drawn.sum())

    def affords(self, flops: float) -> bool:
        """Whether so many FLOPs are left."""
        return self._ledger.left * (1 + 1e-9) >= flops

    def report(self) -> Feedback | None:
        """Train until the next report; what to tell of it, or None where the FLOPs ended before it."""
        first = self.step == 0
        self._follower.follow(self.drive.plan, self.step)
        done, every = self._follower.stages_done, self._spec.report_every
        looks = self._look() if first else {}
        # A stage may end with the next step: what the untrained model says comes with a report of one step.
        weights, steps = self._follower.train(self.step, 1 if looks else every - self.step % every)
        weights = self._limits.within(weights)
        for measure in self.each_step:
            measure.begin()
        for _ in range(steps):
            if not self.affords(self.step_flops):
                return None
            self._train(weights)
        every = self._pace.look_every
        ended = self._follower.stages_done not in (done, None)
        if ended if every is None else self.step % every == 0:
            looks |= self._look()
        found: dict[str, Any] = {"loss_sums": np.zeros(len(weights)), "token_counts": np.zeros(len(weights), int)}
        for measure in self.each_step:
            found |= measure.found()
        feedback = Feedback(
            self.step, weights=weights, steps=steps, version=self._follower.version,
            stages_done=self._follower.stages_done, **found, **looks,
        )  # fmt: skip
        return self._limits.admit(feedback)

    def _train(self, weights: FloatArray) -> None:
        named = self.scene.corpus.domains.to_mapping(weights)
        spec = self._spec
        sampler = Sampler(Schedule.static(named, samples_per_step=spec.batch), seed=self._seed)
        domains = sampler.step(self.step)
        tokens = torch.from_numpy(self._stream.batch(domains))
        clock = int((self._ledger.spent - self._before) / self.step_flops)
        losses = stepped(
            self.scene.model, self._optimiser, tokens, rate=learning_rate(spec, min(clock, spec.steps - 1))
        )
        if not math.isfinite(losses.mean().item()):
            raise TrainingDivergedError(f"the loss is no number at step {self.step}: lower the learning rate")
        for measure in self.each_step:
            measure.note(tokens, torch.tensor(domains), losses)
        self._ledger.pay(self._what, self.step_flops)
        self.step += 1

    def _look(self) -> Mapping[str, Any]:
        """Fields of a feedback that take passes of their own, if steps can still follow from them."""
        cost = sum(look.flops() for look in self.snapshots)
        if not self.snapshots or not self.affords(cost + self.step_flops):
            return {}
        self._ledger.pay("looking", cost)
        return {look.signal.field: look.take(self.step) for look in self.snapshots}
