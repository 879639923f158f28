"""The methods that are compared, with what each is told for runs as short as these.

Hyperparameters are those of the policies, which are the published ones, but for those that count steps, and
those that are meant for another vocabulary: a run has two thousand steps here and not a hundred thousand.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mixlaws.policy import AnyPolicy
from mixlaws.registry import POLICIES, method

REHEARSAL = 0.2  # of the FLOPs, of which a reference model takes one half and the small run the other


@dataclass(frozen=True)
class Method:
    """A way to choose what is read.

    Args:
        policy: registered name.
        arguments: of the policy, by the steps of a run that only trains, and the vocabulary.
        looks: how often it is told what is looked at now and then; None for wherever a stage of its plan ends.
        rehearsed: whether it steers a small run first, whose mean weights the large one then keeps, as
            published; else it steers the large run.
        reference: whether that small run is held against a reference model.
        said: what it was told, for people.
    """

    policy: str
    arguments: Callable[[int, int], Mapping[str, Any]] = lambda _, __: {}
    looks: int | None = None
    rehearsed: bool = False
    reference: bool = False
    said: str = ""

    def made(self, steps: int, vocabulary: int) -> AnyPolicy:
        """The policy for a run."""
        return method("policy", POLICIES, self.policy)(**self.arguments(steps, vocabulary))


def _ado(steps: int, _: int) -> Mapping[str, Any]:
    tenth = max(1, steps // 10)
    return {"start_step": tenth, "ignore_steps": tenth, "fit_every": tenth, "fit_rows": 1}


def _aioli(steps: int, _: int) -> Mapping[str, Any]:
    return {"sweeps": 2, "probe_steps": 4, "round_steps": steps // 4}


def _doremi(_: int, vocabulary: int) -> Mapping[str, Any]:
    return {"initial_score": math.log(vocabulary)}


METHODS: Mapping[str, Method] = {
    "natural": Method("natural"),
    "uniform": Method("stratified"),
    "odm": Method("odm"),
    "ado": Method("ado", _ado, said="starts after a tenth of the run, fits every tenth, to every report"),
    "aioli": Method("aioli", _aioli, said="two sweeps of probes of 4 steps in each quarter of the run"),
    "doremi": Method(
        "doremi", _doremi, rehearsed=True, reference=True,
        said="a small reference of the natural mixture and a small run, a tenth of the FLOPs each",
    ),
}  # fmt: skip
