"""Vectors of Aioli: the released trainer with its model and data replaced, round by round."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, evaluated, numbers, problem
from mixlaws.arrays import FloatArray
from mixlaws.policies.aioli import Aioli
from mixlaws.policies.aioli_state import AioliState


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file."""
    defaults = raw["params"].get("defaults", {}) if isinstance(raw["params"], dict) else {}
    for case in raw["cases"]:
        yield Case(case["id"], _case({**defaults, **case["params"]}, case["rounds"]), raw["tolerance"])


def _case(params: Raw, rounds: list[Raw]) -> float:
    policy = Aioli(
        eta=params["eta"],
        ema=params["ema"],
        concentration=params["one_hot_factor"],
        sweeps=params["lp_rounds"],
        probe_steps=params["lp_steps"],
        normalised=params["aioli_normalize_A"],
        diagonal=params.get("aioli_diagonal", False),
    )
    state = policy.init(problem(len(rounds[0]["loss_0"])))
    worst = 0.0
    for row in rounds:
        mixtures = numbers(row["sweep_mixtures"])
        losses = np.vstack([row["loss_0"], row["sweep_losses"]])
        state = replace(state, order=tuple(int(domain) for domain in mixtures.argmax(axis=1)))
        probes = [stage.weights for stage in policy.stages(state)][-1 - len(mixtures) : -1]
        matrix = policy.interactions(_effects(state.order, losses) / params["lp_rounds"])
        state = _round(policy, state, losses)
        pairs = [
            (probes, mixtures),
            (matrix, row["expected_A"]),
            (state.weights, row["expected_proportions"]),
        ]
        pairs.append((np.exp(state.scores), row["expected_weights"]))
        worst = max(worst, *(deviation(got, expected) for got, expected in pairs))
    return worst


def _round(policy: Aioli, state: AioliState, losses: FloatArray) -> AioliState:
    """The state after the evaluations of a round, which follow its plan stage by stage."""
    before = len(policy.stages(state)) - len(losses)
    for number, row in enumerate(losses):
        state = policy.update(state, evaluated(number, state.weights, row, stages_done=before + number))
    return state


def _effects(order: tuple[int, ...], losses: FloatArray) -> FloatArray:
    """(d, d) what losses fell by in the probes of each domain."""
    effects = np.zeros((losses.shape[1],) * 2)
    for domain, fall in zip(order, losses[:-1] - losses[1:], strict=True):
        effects[:, domain] += fall
    return effects
