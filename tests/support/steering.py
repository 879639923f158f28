"""A trainer that follows a policy's plan and reports random numbers."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from mixlaws.domains import DomainSet
from mixlaws.driving import Drive, PlanFollower
from mixlaws.feedback import Evaluation, Feedback, TokenSums
from mixlaws.measurements import (
    BenchmarkScores,
    ExpertCounts,
    GradientNorms,
    GradientProducts,
    Gram,
    Influence,
)
from mixlaws.policy import AnyPolicy, Stage
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from mixlaws.steering.guards import BoundGuards, Guards

NOT_NUMBERS = (np.nan, np.inf, -np.inf)
PROBED = 0.05  # how often gradients and what else is not free are measured


def example(name: str, domains: DomainSet, *, updates: int = 0) -> AnyPolicy:
    """A policy with its defaults, with what has none, and with few fits in that many updates."""
    ado = {"fit_every": max(4000, updates // 5), "ignore_steps": 200}
    needed: dict[str, dict[str, Any]] = {
        "ado": ado,
        "portfolio": {"members": {"ado": ado, "odm": {}, "stratified": {}, "temperature": {}}},
        "unimax": {"budget_tokens": 2 * sum(domains.tokens)},
        "velocitune": {"target_losses": dict.fromkeys(domains.names, 1.0)},
    }
    return POLICIES[name](**needed.get(name, {}))


def guarded(d: int, *, floor: float = 0.0) -> BoundGuards:
    """Guards around that many domains, whatever their names."""
    known = DomainSet(tuple(f"domain-{index}" for index in range(d)), (1,) * d)
    return Guards(floor=floor).bind(MixtureProblem.create(known))


class Trainer:
    """Reports random measurements of every kind, some of them absent or not finite.

    Args:
        d: number of domains.
        seed: of everything that is random.
        pace: steps of a feedback; less where a stage ends.
        broken: how often a number is not finite.
    """

    def __init__(self, d: int, *, seed: int, pace: int = 1, broken: float = 0.001) -> None:
        self.d, self.pace, self.broken = d, pace, broken
        self.rng, self.probes = np.random.default_rng(seed), np.random.default_rng([seed, 1])
        self.step = 0
        self.follower = PlanFollower()

    def report(self, plan: list[Stage], guards: BoundGuards) -> Feedback:
        """Train some steps of a plan, from its start if it is new, and tell what was measured."""
        self.follower.follow(plan, self.step)
        before = self.follower.stages_done
        weights, steps = self.follower.train(self.step, self.pace)
        self.step += steps
        done = self.follower.stages_done
        counts = self.rng.integers(0, 3, self.d) * 512
        evaluates = done != before or self.rng.random() < 0.1
        evaluation = (
            Evaluation(*self._sums(np.full(self.d, 2048)), self.step, "held-out") if evaluates else None
        )
        excess, clipped = self._sums(counts), self._sums(counts)
        sums, _ = self._sums(counts)
        return guards.admit(
            Feedback(
                self.step,
                sums,
                counts,
                guards.within(weights),
                steps=steps,
                version=self.follower.version,
                stages_done=done,
                loss_squares=sums**2,
                sequence_counts=counts // 256,
                excess=TokenSums(excess[0] - 4.0 * counts, counts),
                excess_clipped=TokenSums(*clipped),
                evaluation=evaluation,
                **self._probed(counts),
            )
        )

    def _probed(self, counts: np.ndarray) -> dict[str, Any]:
        if self.probes.random() > PROBED:
            return {}
        return measurements(self.probes.standard_normal((self.d, 3)), counts)

    def _sums(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = 2.5 + self.rng.random(self.d) + 3 / np.sqrt(self.step)
        wrong = self.rng.random(self.d) < self.broken
        return np.where(wrong, self.rng.choice(NOT_NUMBERS, self.d), losses * counts), counts


def followed(drive: Drive, trainer: Trainer, count: int) -> Iterator[Feedback]:
    """Feedbacks of a trainer that follows a policy, each before the policy is told of it."""
    guards = guarded(trainer.d, floor=0.001)
    for _ in range(count):
        feedback = trainer.report(drive.plan, guards)
        yield feedback
        drive.tell(feedback)


def permuted(feedback: Feedback, order: np.ndarray) -> Feedback:
    """The same feedback with domains in another order."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(feedback):
        value = getattr(feedback, field.name)
        changed[field.name] = value[order] if isinstance(value, np.ndarray) else _permuted(value, order)
    return dataclasses.replace(feedback, **changed)


def _permuted(measured: Any, order: np.ndarray) -> Any:
    if not dataclasses.is_dataclass(measured) or isinstance(measured, type):
        return measured
    arrays = {field.name: getattr(measured, field.name) for field in dataclasses.fields(measured)}
    changed = {name: array[order] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    if isinstance(measured, Gram):
        changed["products"] = changed["products"][:, order]
    return dataclasses.replace(measured, **changed)


def measurements(vectors: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    """Further kinds, as of domains whose mean gradients are these (d, 3) rows; none where a count is 0."""
    gradients = np.where(counts[:, None] > 0, vectors, np.nan)
    added, targets = gradients * counts[:, None], np.eye(2, vectors.shape[1])
    square_norms = np.sum(gradients**2, axis=1)
    names = ("exams", "proofs")
    return {
        "gram": Gram(added @ added.T, counts, "head"),
        "grad_products": GradientProducts(
            gradients @ targets.T, np.sqrt(square_norms), counts, learning_rate=1e-3, targets=names
        ),
        "grad_norms": GradientNorms(square_norms, 2 * square_norms, 64),
        "expert_counts": ExpertCounts(np.nan_to_num(np.abs(added)), layer=3, gate="soft"),
        "advantages": TokenSums(np.nan_to_num(square_norms) * counts, counts),
        "bench_scores": BenchmarkScores({"exams": float(np.nanmean(vectors))}, "newest"),
        "influence": Influence(gradients @ targets.T, names, "first-order", 1000),
    }
