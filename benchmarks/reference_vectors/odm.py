"""Vectors of online data mixing: the released classes, Exp3, and the formula of the paper."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, numbers, problem, told
from mixlaws.arrays import FloatArray
from mixlaws.policies.odm import Odm

_EVERY = "expected_reward_state_every_"


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file."""
    inputs = [case for case in raw["cases"] if "losses" in case and "kind" not in case]
    for case in raw["cases"]:
        if "kind" in case:
            yield Case(case["id"], _case(raw, case, inputs), raw["tolerance"])
    if "gate" in raw:
        yield Case("gate", _gate(raw["gate"]), 0.0)
    if "warmup_case" in raw:
        yield Case("warmup_case", _warm_up(raw["warmup_case"]["rows"]), raw["tolerance"])


def _case(raw: Raw, case: Raw, inputs: list[Raw]) -> float:
    params = {**raw["params"], **case.get("params", {})}
    given = _inputs(case, inputs)
    losses, present = numbers(given["losses"]), np.array(given["present"], dtype=bool)
    variant: Any = case["method"] if case["method"] in {"smoothed_mean", "exp3"} else "paper"
    policy = Odm(
        variant=variant,
        update_kind=case["kind"],
        smoothing=params["smoothing_factor"],
        reward_scale=params["exp3_reward_scale"],
        warmup_steps=params["warmup_steps"],
        update_every=params["update_frequency"],
    )
    state = policy.init(problem(losses.shape[1], prior=case.get("initial_weights")))
    worst = 0.0
    for t, expected in enumerate(case["expected_weights"]):
        seen = present[t].copy()
        if case["kind"] == "single" and seen.any():
            candidates = np.flatnonzero(seen)
            seen = np.arange(len(seen)) == candidates[t % len(candidates)]
        counts = np.where(seen, 1024, 0)
        step = params["iteration_of_first_update"] + t
        drawn_with = state.weights
        if variant == "paper":  # Algorithm 1 computes the mixture of a step before it draws with it
            drawn_with = policy.update(state, told(step, state.weights, losses[t], counts)).weights
        state = policy.update(state, told(step, drawn_with, losses[t], counts))
        worst = max(worst, deviation(state.weights, expected))
        if "expected_eps" in case:
            worst = max(worst, deviation(state.exploration, case["expected_eps"][t]))
        for key in (key for key in case if key.startswith(_EVERY)):
            every = int(key.removeprefix(_EVERY))
            if (t + 1) % every == 0:
                worst = max(worst, deviation(state.rewards, case[key][t // every]))
    return worst


def _inputs(case: Raw, inputs: list[Raw]) -> Raw:
    """The inputs that a case names, or those of its size, or its own."""
    if "losses" in case:
        return case
    wanted, d = str(case.get("losses_ref")), len(case["expected_weights"][0])
    named = [given for given in inputs if str(given["id"]).split(".")[-1] == wanted or given["id"] == wanted]
    sized = [given for given in inputs if len(given["losses"][0]) == d]
    return (named or sized)[0]


def _gate(gate: Raw) -> float:
    """How often the update gate is open when it should be closed, or closed when it should be open."""
    policy = Odm(warmup_steps=gate["warmup_steps"], update_every=gate["update_frequency"])
    state = policy.init(problem(2))
    losses, counts = np.array([3.0, 2.0]), np.array([1024, 1024])
    wrong = 0
    for iteration, opens in enumerate(gate["requires_update"], start=1):
        moved = policy.update(state, told(iteration, state.weights, losses, counts)) is not state
        wrong += moved != bool(opens)
    return float(wrong)


def _warm_up(rows: list[list[float]]) -> float:
    """Deviation of warm-up rows, and of domains that were never drawn; losses of the others are not given."""
    table = numbers(rows)
    iterations, weights = table[:, 0].astype(int), table[:, 1:]
    held = (weights == weights[0]).all(axis=1)
    d = weights.shape[1]
    unseen = np.abs(weights[~held] - _floors(iterations[~held], d)).max(axis=0) < 1e-8
    policy = Odm(warmup_steps=int(iterations[held].max()))
    state = policy.init(problem(d, prior=weights[0].tolist()))
    worst = 0.0
    for iteration, expected, before in zip(iterations, weights, held, strict=True):
        losses, counts = np.linspace(2.0, 3.0, d), np.where(unseen, 0, 1024)
        state = policy.update(state, told(int(iteration), state.weights, losses, counts))
        compared = np.ones(d, dtype=bool) if before else unseen
        worst = max(worst, deviation(state.weights[compared], expected[compared]))
    return worst


def _floors(iterations: FloatArray, d: int) -> FloatArray:
    return np.asarray(np.sqrt(np.log(d) / (d * iterations))[:, None])
