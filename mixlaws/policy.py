"""The protocol of online policies: rules that turn a trainer's feedback into stages of a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray, JsonObject
from mixlaws.problem import MixtureProblem

S = TypeVar("S")


class Signal(StrEnum):
    """A kind of measurement that a trainer can report."""

    LOSSES = "losses"  # summed token losses and token counts of the training batches


@dataclass(frozen=True, eq=False)
class Feedback:
    """What a trainer measured over some steps, as arrays.

    A domain that was not drawn has `token_counts` 0 and no loss; it is never given one.

    Args:
        step: optimiser steps made so far, those that the feedback covers included: 1 after the first.
        loss_sums: (d,) summed token losses, nats.
        token_counts: (d,) tokens behind those sums.
        weights: (d,) mixture that was in force when those tokens were drawn.
    """

    step: int
    loss_sums: FloatArray
    token_counts: IntArray
    weights: FloatArray

    @property
    def observed(self) -> BoolArray:
        """(d,) whether a domain has a loss."""
        return np.asarray(self.token_counts > 0)

    @property
    def losses(self) -> FloatArray:
        """(d,) mean losses, nats per token; NaN where a domain was not observed."""
        losses = np.full(len(self.loss_sums), np.nan)
        np.divide(self.loss_sums, self.token_counts, out=losses, where=self.token_counts > 0)
        return losses


@dataclass(frozen=True, eq=False)
class Stage:
    """Weights for some steps.

    Args:
        weights: (d,) shares of tokens.
        steps: how many steps they hold; None means until something else is said.
    """

    weights: FloatArray
    steps: int | None = None


class OnlinePolicy(Protocol[S]):
    """A rule that turns feedback into stages.

    `update` is pure and is the only call that moves the state; asking for stages any number of
    times answers the same. A state dumps to at most 64 KB of JSON.
    """

    @property
    def signals(self) -> frozenset[Signal]:
        """What a trainer must report."""
        ...

    def init(self, problem: MixtureProblem, /) -> S:
        """State before any feedback."""
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


AnyPolicy: TypeAlias = OnlinePolicy[Any]
