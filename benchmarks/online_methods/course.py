"""One training run that a policy steers in process, until its FLOPs are spent.

Reports are made every few steps, and where a stage of the plan ends, with what the policy needs; plans take
effect a lead after them, within guards, as with a service. The learning rate follows the share of the run's
FLOPs that is spent, so that it ends low for whoever pays for much else than steps, too.
"""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from benchmarks.online_methods.ledger import Ledger
from benchmarks.online_methods.measures import measures
from benchmarks.online_methods.scene import Scene
from mixclient import Sampler, Schedule
from mixlaws.arrays import FloatArray
from mixlaws.driving import Drive, PlanFollower
from mixlaws.feedback import Feedback
from mixlaws.policy import AnyPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.steering.guards import Guards
from proxy_training.corpus import Corpus
from proxy_training.cost import TRAINING
from proxy_training.mixture_stream import MixtureStream
from proxy_training.model import Decoder
from proxy_training.probes.batch import ProbeBatch
from proxy_training.spec import TrainSpec
from proxy_training.train import TrainingDivergedError, learning_rate, optimiser_of, stepped, untrained

LOOKING = "looking"  # name of what is measured in the ledger
_ROUNDING = 1e-9  # of sums of FLOPs
Told = Callable[[Feedback], None]


@dataclass(frozen=True)
class Pace:
    """How a run reports.

    Args:
        lead: steps from a report to its effect.
        looks: how often to look inside the model, evenly and at the end of reports; None looks where a stage
            of the plan ends, and at the start.
        guards: around the policy.
    """

    lead: int = 20
    looks: int | None = None
    guards: Guards = field(default_factory=Guards)


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
    return Course(run.scene.model, run.drive.state, run.step, run.shares)


class _Run:
    def __init__(
        self, spec: TrainSpec, corpus: Corpus, policy: AnyPolicy, ledger: Ledger, pace: Pace, seed: int,
        reference: Decoder | None, what: str,
    ) -> None:  # fmt: skip
        problem = MixtureProblem.create(corpus.domains)
        self.scene = Scene(spec, corpus, untrained(spec, corpus, seed=seed), reference)
        self.drive = Drive(policy, policy.init(problem))
        self.step = 0
        self._stepwise, self._looks = measures(policy.signals, self.scene)
        tokens = self.scene.step_tokens
        self._training_flops = TRAINING * self.scene.model.parameter_count() * tokens
        self._measuring_flops = sum(measure.flops for measure in self._stepwise)
        self.step_flops = self._training_flops + self._measuring_flops
        # What it would be without looks: they take from the steps, not from the fall of the rate.
        self._spec = replace(spec, tokens=tokens * int(ledger.left / self.step_flops * (1 + _ROUNDING)))
        self._pace, self._ledger, self._what, self._seed = pace, ledger, what, seed
        self._before, self._rate = ledger.spent, 0.0
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
        return self._ledger.left * (1 + _ROUNDING) >= flops

    def report(self) -> Feedback | None:
        """Train until the next report; what to tell of it, or None where the FLOPs ended before it."""
        self._follower.follow(self.drive.plan, self.step)
        done, every = self._follower.stages_done, self._spec.report_every
        found = self._look() if self.step == 0 and self._pace.looks is None else {}
        # A stage may end with the next step: what the untrained model says comes with a report of one step.
        weights, steps = self._follower.train(self.step, 1 if found else every - self.step % every)
        weights = self._limits.within(weights)
        for _ in range(steps):
            if not self.affords(self.step_flops):
                return None
            self._train(weights)
        look = self._looks_now(ended=self._follower.stages_done not in (done, None))
        if look:
            found |= self._look()
        for measure in self._stepwise:
            found |= measure.found(look=look)
        feedback = Feedback(
            self.step, weights=weights, steps=steps, version=self._follower.version,
            stages_done=self._follower.stages_done, **found,
        )  # fmt: skip
        return self._limits.admit(feedback)

    def _looks_now(self, *, ended: bool) -> bool:
        if self._pace.looks is None:
            return ended
        reports = self._spec.steps / self._spec.report_every / self._pace.looks
        return self.step % (self._spec.report_every * max(1, round(reports))) == 0

    def _train(self, weights: FloatArray) -> None:
        spec, named = self._spec, self.scene.corpus.domains.to_mapping(weights)
        sampler = Sampler(Schedule.static(named, samples_per_step=spec.batch), seed=self._seed)
        domains = sampler.step(self.step)
        batch = ProbeBatch(torch.from_numpy(self._stream.batch(domains)), torch.tensor(domains))
        clock = int((self._ledger.spent - self._before) / self.step_flops)
        self._rate = learning_rate(spec, min(clock, spec.steps - 1))
        with ExitStack() as watched:
            for measure in self._stepwise:
                watched.enter_context(measure.watching())
            losses = stepped(self.scene.model, self._optimiser, batch.tokens, rate=self._rate)
        if not math.isfinite(losses.mean().item()):
            raise TrainingDivergedError(f"the loss is no number at step {self.step}: lower the learning rate")
        for measure in self._stepwise:
            measure.note(batch, losses)
        self._ledger.pay(self._what, self._training_flops)
        self._ledger.pay(LOOKING, self._measuring_flops)
        self.step += 1

    def _look(self) -> dict[str, Any]:
        """Fields of a feedback that take passes of their own, if a step can still follow from them."""
        cost = sum(look.flops for look in self._looks.values())
        if not self._looks or not self.affords(cost + self.step_flops):
            return {}
        self._ledger.pay(LOOKING, cost)
        return {field: look.take(self.step, self._rate) for field, look in self._looks.items()}
