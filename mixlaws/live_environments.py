"""Named environments for online policies, and the arguments that policies need in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.learning_truth import LearningTruth
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import Pace
from mixlaws.other_truths import LogarithmicTruth, ShiftedTruth
from mixlaws.policies.handwritten import PlannedStage
from mixlaws.policy import AnyPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES, method

NOISE = "noise"  # name of the domain that teaches nothing
_PLENTY = 100  # runs that a domain of endless data would fill


def noise(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Four domains that can be learnt, and noise of a high loss with the prior .1."""
    tokens = rng.lognormal(0, 0.7, 4)
    tokens = np.append(0.9 * tokens / tokens.sum(), 0.1) * _PLENTY * pace.tokens
    drawn = _curves(4, rng)
    drawn = {key: np.append(value, value.mean()) for key, value in drawn.items()}
    drawn["height"][-1], drawn["floor"][-1] = 0.0, 7.0
    return _environment(pace, tokens, drawn, np.eye(5), last=NOISE)


def transfer(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains; all of them learn from the first, and a little from each other."""
    effects = rng.uniform(0, 0.05, (5, 5))
    effects[:, 0] = rng.uniform(0.05, 0.3, 5)
    np.fill_diagonal(effects, 1.0)
    tokens = rng.lognormal(0, 1, 5) * _PLENTY * pace.tokens
    return _environment(pace, tokens, _curves(5, rng), effects)


def finite(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains, three of them so small that equal shares would repeat them 20 to 200 times."""
    repeats = np.append(np.exp(rng.uniform(np.log(20), np.log(200), 3)), [0.5, 0.2])
    return _environment(pace, pace.tokens / 5 / repeats, _curves(5, rng), np.eye(5))


def alike(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains with the same curve and unequal token counts: equal shares are best."""
    same = {key: np.full(5, value[0]) for key, value in _curves(1, rng).items()}
    return _environment(pace, rng.lognormal(0, 1, 5) * _PLENTY * pace.tokens, same, np.eye(5))


Environment = Callable[[np.random.Generator, Pace], LiveSimulation]
ENVIRONMENTS: Mapping[str, Environment] = {
    "noise": noise,
    "transfer": transfer,
    "finite": finite,
    "alike": alike,
}


def narrow(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Three domains in a short run with rare, late and noisy reports."""
    pace = replace(pace, steps=pace.steps // 3, report_every=50, lead=100, noise=2 * pace.noise)
    return _environment(pace, rng.lognormal(0, 1, 3) * _PLENTY * pace.tokens, _curves(3, rng), np.eye(3))


def dozen(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Twelve domains in groups of three that teach each other."""
    effects = np.where(np.arange(12)[:, None] // 3 == np.arange(12) // 3, rng.uniform(0, 0.3, (12, 12)), 0.0)
    np.fill_diagonal(effects, 1.0)
    return _environment(pace, rng.lognormal(0, 1, 12) * _PLENTY * pace.tokens, _curves(12, rng), effects)


def wide(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Twenty-two domains of very unequal token counts; most mixtures repeat the smallest of them."""
    tokens = rng.lognormal(0, 1.5, 22)
    return _environment(pace, 4 * pace.tokens * tokens / tokens.sum(), _curves(22, rng), np.eye(22))


def logarithmic(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains whose curves are no power laws."""
    curves = _curves(5, rng) | {"exponent": rng.uniform(0.05, 0.12, 5)}
    tokens = rng.lognormal(0, 1, 5) * _PLENTY * pace.tokens
    return _environment(pace, tokens, curves, np.eye(5), family=LogarithmicTruth)


def shifted(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains whose losses jump in mid-run."""
    tokens = rng.lognormal(0, 1, 5) * _PLENTY * pace.tokens
    return _environment(pace, tokens, _curves(5, rng), np.eye(5), family=ShiftedTruth)


def settled(rng: np.random.Generator, pace: Pace) -> LiveSimulation:
    """Five domains of which there is as much as the best mixture wants: the natural one is the best."""
    curves = _curves(5, rng)
    tokens = np.full(5, _PLENTY * pace.tokens)
    best = _environment(pace, tokens, curves, np.eye(5)).optimum
    return _environment(pace, np.maximum(best, 0.01) * tokens, curves, np.eye(5))


# Other numbers of domains, paces and families of curves than those above, to judge what was tuned on them.
OTHERS: Mapping[str, Environment] = {
    "narrow": narrow,
    "dozen": dozen,
    "wide": wide,
    "logarithmic": logarithmic,
    "shifted": shifted,
    "settled": settled,
}


@dataclass(frozen=True)
class Suited:
    """A policy with the arguments that suit an environment, and what these are."""

    policy: AnyPolicy
    told: str


def suited(name: str, world: LiveSimulation, /) -> Suited:
    """A registered policy for an environment; defaults that count steps are meant for longer runs than these.

    Raises:
        UnknownMethodError: there is no such policy.
    """
    names, steps = world.problem.domains.names, world.pace.steps
    made = method("policy", POLICIES, name)

    def named(row: FloatArray) -> dict[str, float]:
        return dict(zip(names, row.tolist(), strict=True))

    def graph() -> dict[str, dict[str, float]]:
        taught = np.where(world.truth.height[:, None] > 0, world.truth.transfer, 0.0)
        return {trained: named(column) for trained, column in zip(names, taught.T, strict=True)}

    ado = {"start_step": steps // 20, "ignore_steps": steps // 20, "fit_every": steps // 10}
    needed: dict[str, Callable[[], tuple[dict[str, Any], str]]] = {
        "ado": lambda: (ado, "starts after a 20th of the run, fits every 10th"),
        "portfolio": lambda: (
            {"members": {"ado": ado, "odm": {}, "stratified": {}, "temperature": {}}},
            "ado with the arguments above",
        ),
        "dga": lambda: ({}, "products: exact, to first order"),
        "doge": lambda: ({}, "products: exact, to first order"),
        "handwritten": lambda: (
            {"plan": (PlannedStage(named(world.optimum)),)},
            "the best fixed mixture, by hand",
        ),
        "skillit": lambda: (
            {"graph": graph(), "update_every": steps // 20},
            "graph: the true transfer; updates every 20th of the run",
        ),
        "unimax": lambda: ({"budget_tokens": world.pace.tokens}, "budget: the tokens of the run"),
        "velocitune": lambda: (
            {"target_losses": named(world.reference), "update_every": steps // 20},
            "targets: the final losses of uniform training; updates every 20th of the run",
        ),
    }
    arguments, told = needed[name]() if name in needed else ({}, "")
    return Suited(made(**arguments), told)


def _curves(d: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    return {
        "floor": rng.uniform(1.2, 2.6, d),
        "height": rng.uniform(6, 9, d),
        "scale": np.exp(rng.uniform(np.log(3e5), np.log(3e7), d)),
        "exponent": rng.uniform(0.2, 0.5, d),
    }


def _environment(
    pace: Pace, tokens: FloatArray, curves: dict[str, FloatArray], effects: FloatArray, last: str = "",
    family: type[LearningTruth] = LearningTruth,
) -> LiveSimulation:  # fmt: skip
    d = len(tokens)
    names = [f"domain-{index}" for index in range(d)]
    names[-1] = last or names[-1]
    domains = DomainSet(tuple(names), tuple(int(count) for count in tokens))
    held = np.array(domains.tokens, dtype=np.float64)
    truth = family(**curves, transfer=effects, unique=held, budget=float(pace.tokens))
    return LiveSimulation(MixtureProblem.create(domains), truth, pace)
