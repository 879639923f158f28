"""What a steered job remembers between two reports: the policy's state, and what stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError
from mixlaws.policy import AnyPolicy
from mixlaws.steering.alarms import AlarmState

SCHEMA = 1
OPERATOR, GUARD, POLICY = "operator", "guard", "policy"  # who holds the weights


@dataclass(frozen=True, eq=False)
class Hold:
    """Weights that stay as they are, whatever the policy says, until they are released.

    Args:
        by: `operator`, `guard` (an alarm), or `policy` (it failed).
        reason: why, for people.
        weights: (d,) what is held; None for what the plan that was published last ends with.
    """

    by: str
    reason: str
    weights: FloatArray | None = None

    def dump(self) -> JsonObject:
        """The hold as JSON."""
        weights = None if self.weights is None else self.weights.tolist()
        return {"by": self.by, "reason": self.reason, "weights": weights}

    @classmethod
    def load(cls, raw: JsonObject) -> "Hold":
        """The hold from its dump."""
        weights = None if raw["weights"] is None else frozen(raw["weights"])
        return cls(raw["by"], raw["reason"], weights)


@dataclass(frozen=True, eq=False)
class SteeringState:
    """State of a job.

    Args:
        policy: state of the policy.
        alarms: what the alarms remember.
        consumed: (d,) tokens that were reported.
        intended: (d,) tokens that the weights in force stood for.
        step: optimiser steps made so far, as far as reported.
        steps: how many of them reports covered.
        drawn: last step that a trainer is known to have drawn without what was planned for it; -1 for none.
        anchor: (d,) weights that the newest plan ends with, before domains without tokens are taken out.
        before: (d,) the anchor when that plan was placed.
        plan: digest of that plan if it has several stages.
        starts: steps from which its stages hold.
        zeros: step from which a domain is at zero for want of tokens, by its index.
        retired: indices of domains that an operator took out.
        hold: who holds the weights, if anybody.
        shadow: whether the policy only watches, and the prior holds.
        stale: None, or why the plan must be placed again although it is the same; it may be an empty text.
    """

    policy: Any
    alarms: AlarmState
    consumed: FloatArray
    intended: FloatArray
    anchor: FloatArray
    before: FloatArray
    step: int = 0
    steps: int = 0
    drawn: int = -1
    plan: str | None = None
    starts: tuple[int, ...] = ()
    zeros: Mapping[int, int] = field(default_factory=dict)
    retired: tuple[int, ...] = ()
    hold: Hold | None = None
    shadow: bool = False
    stale: str | None = None

    @property
    def tokens_per_step(self) -> float:
        """Mean tokens of a step so far; 0 before the first report."""
        return float(self.consumed.sum() / self.steps) if self.steps else 0.0

    def dump(self, policy: AnyPolicy) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": policy.dump(self.policy),
            "alarms": self.alarms.dump(),
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            **{name: getattr(self, name) for name in _PLAIN},
            "starts": list(self.starts),
            "retired": list(self.retired),
            "zeros": sorted(self.zeros.items()),
            "hold": None if self.hold is None else self.hold.dump(),
        }

    @classmethod
    def load(cls, raw: JsonObject, policy: AnyPolicy) -> "SteeringState":
        """The state from its dump.

        Raises:
            StateError: it is of another schema, or of another policy.
        """
        if raw.get("schema") != SCHEMA or "alarms" not in raw:
            raise StateError(f"not a state of a steered job, schema {SCHEMA}: schema {raw.get('schema')!r}")
        arrays: dict[str, Any] = {name: frozen(raw[name]) for name in _ARRAYS}
        return cls(
            policy=policy.load(raw["policy"]),
            alarms=AlarmState.load(raw["alarms"]),
            **arrays,
            **{name: raw[name] for name in _PLAIN},
            starts=tuple(raw["starts"]),
            retired=tuple(raw["retired"]),
            zeros=dict(raw["zeros"]),
            hold=None if raw["hold"] is None else Hold.load(raw["hold"]),
        )

    def widened(self, d: int) -> "SteeringState":
        """The same for so many domains, those added at the end retired; the policy's state stays narrow."""
        if len(self.anchor) == d:
            return self
        more: dict[str, Any] = {name: _widened(getattr(self, name), d) for name in _ARRAYS}
        hold = self.hold
        if hold is not None and hold.weights is not None:
            hold = replace(hold, weights=_widened(hold.weights, d))
        retired = (*self.retired, *range(len(self.anchor), d))
        return replace(self, **more, alarms=AlarmState.start(d), hold=hold, retired=retired, plan=None)


_ARRAYS = ("consumed", "intended", "anchor", "before")
_PLAIN = ("step", "steps", "drawn", "plan", "shadow", "stale")


def _widened(values: FloatArray, d: int) -> FloatArray:
    return frozen(np.append(values, np.zeros(d - len(values))))
