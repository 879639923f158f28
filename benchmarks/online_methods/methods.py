"""The methods that are compared, with what each is told for runs as short as these.

Hyperparameters are those of the policies, which are the published ones, but for those that count steps, and
those that are meant for another vocabulary: a run has two thousand steps here and not a hundred thousand.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mixlaws.policy import AnyPolicy
from mixlaws.registry import POLICIES, method
from mixwright.demo.plan import PROXY

REHEARSAL = 0.2  # of the FLOPs, of which a reference model takes one half and the small run the other

EVERY_REPORT = 10**9  # looks: more than any run has reports


@dataclass(frozen=True)
class Facts:
    """What a method may be told before a run.

    Args:
        steps: of a run that only trains.
        vocabulary: tokens of the tokeniser.
        domains: their names.
    """

    steps: int
    vocabulary: int
    domains: Sequence[str]


@dataclass(frozen=True)
class Method:
    """A way to choose what is read.

    Args:
        policy: registered name.
        arguments: of the policy.
        looks: how often it is told what is looked at now and then; None for the ends of its own stages.
        rehearsed: whether it steers a small run first, whose mean weights the large one then keeps, as
            published; else it steers the large run.
        reference: whether that small run is held against a reference model.
        said: what it was told, for people.
    """

    policy: str
    arguments: Callable[[Facts], Mapping[str, Any]] = lambda _: {}
    looks: int | None = None
    rehearsed: bool = False
    reference: bool = False
    said: str = ""

    def made(self, facts: Facts) -> AnyPolicy:
        """The policy for a run."""
        return method("policy", POLICIES, self.policy)(**self.arguments(facts))


def _ado(facts: Facts) -> Mapping[str, Any]:
    tenth = max(1, facts.steps // 10)
    return {"start_step": tenth, "ignore_steps": tenth, "fit_every": tenth, "fit_rows": 1}


def _aioli(facts: Facts) -> Mapping[str, Any]:
    return {"sweeps": 2, "probe_steps": 4, "round_steps": facts.steps // 4}


def _doremi(facts: Facts) -> Mapping[str, Any]:
    return {"initial_score": math.log(facts.vocabulary)}


def _doge(_: Facts) -> Mapping[str, Any]:
    return {"mu": 20 * PROXY.learning_rate}


def _rnb(facts: Facts) -> Mapping[str, Any]:
    return {"proportions": dict.fromkeys(facts.domains, 1.0)}


def _portfolio(facts: Facts) -> Mapping[str, Any]:
    members: dict[str, Mapping[str, Any]] = {
        "ado": _ado(facts),
        "odm": {},
        "stratified": {},
        "temperature": {},
    }
    return {"members": members, "warmup_steps": facts.steps // 20}


METHODS: Mapping[str, Method] = {
    "natural": Method("natural"),
    "uniform": Method("stratified"),
    "odm": Method("odm"),
    "ado": Method("ado", _ado, said="starts after a tenth of the run, fits every tenth, to every report"),
    "aioli": Method("aioli", _aioli, said="two sweeps of probes of 4 steps in each quarter of the run"),
    "doremi": Method(
        "doremi", _doremi, rehearsed=True, reference=True,
        said="a small reference of the natural mixture and a small run, a tenth of the FLOPs each; updates "
        "every other step",
    ),
    "doge": Method(
        "doge", _doge, looks=EVERY_REPORT, rehearsed=True,
        said="a small run, a fifth of the FLOPs; mu 20 times its learning rate, as published; updates every "
        "other step",
    ),
    "rnb": Method("rnb", _rnb, looks=20, said="20 rounds; all domains alike in what is evaluated"),
    "tikmix_d": Method("tikmix_d", looks=4, said="influence after each quarter of the run"),
    "portfolio": Method(
        "portfolio", _portfolio,
        said="of ado as above, odm, equal shares and temperature; learns nothing of the warm-up",
    ),
}  # fmt: skip
