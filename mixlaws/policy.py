"""The protocol of online policies: rules that turn a trainer's feedback into stages of a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from mixlaws.arrays import FloatArray, IntArray, JsonObject
from mixlaws.errors import StateError
from mixlaws.feedback import Feedback, Signal
from mixlaws.problem import MixtureProblem

__all__ = [
    "AnyExpensivePolicy",
    "AnyPolicy",
    "ExpensivePolicy",
    "Feedback",
    "History",
    "HistoryRequest",
    "OnlinePolicy",
    "Signal",
    "Stage",
    "check_state",
]

S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Stage:
    """Weights for some steps.

    Args:
        weights: (d,) shares of tokens.
        steps: how many steps they hold; None means until something else is said.
        probe: whether they are there to measure something, and not to be trained with for long.
    """

    weights: FloatArray
    steps: int | None = None
    probe: bool = False


class OnlinePolicy(Protocol[S]):
    """A rule that turns feedback into stages.

    `update` is pure and is the only call that moves the state; asking for stages any number of
    times answers the same. A state dumps to at most 64 KB of JSON.

    The stages of a state are a plan: whoever follows it places all of its stages, one after the other, when
    it is given first, and goes on following them for as long as the policy gives the same plan. Only the last
    stage may be without end. Feedback says how many stages of that plan were over (`Feedback.stages_done`).
    """

    @property
    def signals(self) -> frozenset[Signal]:
        """What a trainer must report."""
        ...

    def init(self, problem: MixtureProblem, /) -> S:
        """State before any feedback.

        Raises:
            InvalidInputError: a hyperparameter does not fit the problem.
        """
        ...

    def update(self, state: S, feedback: Feedback, /) -> S:
        """State after one more feedback."""
        ...

    def stages(self, state: S, /) -> Sequence[Stage]:
        """What the trainer should follow from now on."""
        ...

    def dump(self, state: S, /) -> JsonObject:
        """The state as JSON."""
        ...

    def load(self, raw: JsonObject, /) -> S:
        """The state from its dump.

        Raises:
            StateError: the dump is of another class or schema.
        """
        ...


@dataclass(frozen=True)
class HistoryRequest:
    """The feedback that an expensive step reads.

    Args:
        step_from: first step of it, by `Feedback.step`.
        step_to: last step of it.
    """

    step_from: int
    step_to: int


@dataclass(frozen=True, eq=False)
class History:
    """Feedback of the past, one row each in rising order of steps; here axis r counts rows.

    Args:
        steps: (r,) `Feedback.step` of each row.
        loss_sums: (r, d) summed token losses, nats.
        token_counts: (r, d) tokens behind those sums; 0 where a domain was not observed.
        sequence_counts: (r, d) sequences drawn, or None if they were not reported.
    """

    steps: IntArray
    loss_sums: FloatArray
    token_counts: IntArray
    sequence_counts: IntArray | None = None


@runtime_checkable
class ExpensivePolicy(Protocol[S]):
    """What a policy has beside `OnlinePolicy` if one of its steps is too slow for an update.

    Whoever drives it asks `due` after every update. A request stays the same until its result is absorbed, so
    that it can be recognised; `compute` is a pure function that may run anywhere, for seconds; the result is
    an event in the log of feedbacks, absorbed between two of them, and is absorbed again in a replay.
    """

    def due(self, state: S, /) -> HistoryRequest | None:
        """What the next expensive step needs; None while none is due."""
        ...

    def compute(self, request: HistoryRequest, history: History, /) -> JsonObject:
        """The expensive step.

        Raises:
            FitError: nothing could be learnt from that history. An empty object is then absorbed.
        """
        ...

    def absorb(self, state: S, result: JsonObject, /) -> S:
        """State with a result of `compute`; weights follow with the next feedback."""
        ...


def check_state(raw: JsonObject, /, policy: str, schema: int) -> None:
    """Check that a dump is of a policy and a schema.

    Raises:
        StateError: it is not.
    """
    if raw.get("policy") != policy or raw.get("schema") != schema:
        raise StateError(
            f"not a state of {policy}, schema {schema}: {raw.get('policy')!r}, schema {raw.get('schema')!r}"
        )


AnyPolicy: TypeAlias = OnlinePolicy[Any]
AnyExpensivePolicy: TypeAlias = ExpensivePolicy[Any]
