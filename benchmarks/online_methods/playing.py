"""One method once: what it needs beforehand, the run, and its scores on text that nothing was chosen by."""

import time
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from benchmarks.online_methods.course import Pace, Told, steered
from benchmarks.online_methods.ledger import Ledger
from benchmarks.online_methods.methods import REHEARSAL, Facts, Method
from mixlaws.arrays import FloatArray
from mixlaws.policies.handwritten import Handwritten, PlannedStage
from mixlaws.policies.natural import NaturalPolicy
from mixlaws.policy import AnyPolicy
from mixlaws.steering.guards import Guards
from proxy_training.corpus import Corpus
from proxy_training.cost import TRAINING
from proxy_training.spec import TrainSpec
from proxy_training.train import scored, untrained

Row = dict[str, Any]
REHEARSED_EVERY = 2  # steps: what steers a rehearsal is beside its trainer, and is published for every step
_FLOOR = Guards(floor=0.005)  # a share of zero would end the reports of a domain


@runtime_checkable
class Averaged(Protocol):
    """A policy whose output is the mean of its weights over a small run."""

    def average(self, state: Any, /) -> FloatArray:
        """(d,) that mean."""
        ...


@dataclass(frozen=True)
class Setup:
    """What is the same for all methods.

    Args:
        target: the model that is scored; its tokens say how many FLOPs there are: those of a run that only
            trains.
        rehearsal: the small model of methods that rehearse.
    """

    target: TrainSpec
    rehearsal: TrainSpec

    def flops(self, corpus: Corpus) -> float:
        """What every method may spend."""
        parameters = untrained(self.target, corpus, seed=0).parameter_count()
        return TRAINING * parameters * self.target.steps * self.target.batch * self.target.context


def play(method: Method, setup: Setup, corpus: Corpus, *, seed: int, told: Told = lambda _: None) -> Row:
    """Train by a method, and score.

    Args:
        method: what chooses the text.
        setup: sizes.
        corpus: the text.
        seed: of everything; methods with the same one begin with the same weights and text.
        told: hears every feedback that the method's policy hears.

    Raises:
        TrainingDivergedError: a loss is no number.
    """
    started = time.perf_counter()
    ledger = Ledger(setup.flops(corpus))
    policy = method.made(Facts(setup.target.steps, corpus.vocabulary, corpus.domains.names))
    pace = Pace(looks=method.looks, guards=_FLOOR)
    if method.rehearsed:
        now = replace(pace, lead=0)
        policy = _rehearsed(method, policy, setup.rehearsal, corpus, ledger, pace=now, seed=seed, told=told)
        course = steered(setup.target, corpus, policy, ledger, pace=Pace(), seed=seed)
    else:
        course = steered(setup.target, corpus, policy, ledger, pace=pace, seed=seed, told=told)
    losses = scored(course.model, setup.target, corpus).losses
    values = np.array(list(losses.values()))
    return {
        "losses": losses,
        "mean": float(values.mean()),
        "natural_weighted": float(values @ corpus.domains.natural),
        "worst": float(values.max()),
        "shares": corpus.domains.to_mapping(course.shares),
        "steps": course.steps,
        "flops": dict(ledger.entries),
        "budget": ledger.budget,
        "seconds": time.perf_counter() - started,
    }


def _rehearsed(
    method: Method, policy: AnyPolicy, spec: TrainSpec, corpus: Corpus, ledger: Ledger, *,
    pace: Pace, seed: int, told: Told,
) -> AnyPolicy:  # fmt: skip
    """The mean weights of a small run that a policy steered, to be kept."""
    reference = None
    if method.reference:
        part = ledger.part(REHEARSAL / 2)
        natural = steered(spec, corpus, NaturalPolicy(), part, pace=Pace(), seed=seed, what="reference")
        ledger.take(part)
        reference = natural.model
    part = ledger.part(REHEARSAL / 2 if method.reference else REHEARSAL)
    course = steered(
        spec, corpus, policy, part, pace=pace, seed=seed, reference=reference, what="rehearsal", told=told
    )
    ledger.take(part)
    if not isinstance(policy, Averaged):
        raise TypeError(f"{method.policy} has no average to keep: let it steer the run itself")
    weights = corpus.domains.to_mapping(policy.average(course.state))
    return Handwritten(plan=(PlannedStage(weights),))
