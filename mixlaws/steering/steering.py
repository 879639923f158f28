"""The steering of a job as a pure state machine: a log of feedback and events in, published stages out.

    state_0 = init()        state_{k+1} = learn(state_k, feedback)   or   obey(state_k, event)
    state', publication = publish(state, effective_step)

Nothing here reads a clock, a database or a random number, so that whoever keeps the log can compute every
version again, bit for bit on the same build.
"""

import json
from dataclasses import replace

import numpy as np

from mixlaws.arrays import BoolArray, IntArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.policy import HistoryRequest
from mixlaws.steering.alarms import AlarmState, watch
from mixlaws.steering.budgets import Placed, dry_steps
from mixlaws.steering.events import Event
from mixlaws.steering.orders import obeyed
from mixlaws.steering.plans import digest, stages_done
from mixlaws.steering.publishing import Publication, publication
from mixlaws.steering.setting import Setting
from mixlaws.steering.state import GUARD, Hold, SteeringState

STATE_BYTES = 64 * 1024  # of a policy's dump


class Steering(Setting):
    """The transitions of a job that a setting steers."""

    def init(self) -> SteeringState:
        """State before any feedback; nothing is published yet.

        Raises:
            InvalidInputError: a hyperparameter does not fit the problem, or the state is too large.
        """
        d, prior = len(self.problem.domains), self.problem.prior
        nothing = frozen(np.zeros(d))
        state = SteeringState(
            self.policy.init(self.problem), AlarmState.start(d), nothing, nothing, prior, prior,
            shadow=self.shadow, stale="",
        )  # fmt: skip
        if (size := self.policy_bytes(self._tried(state))) > STATE_BYTES:
            raise InvalidInputError(
                f"the state of {self.name!r} has {size} bytes with {d} domains, {STATE_BYTES} are "
                "allowed: use fewer domains, or another policy"
            )
        return state

    def learn(
        self, state: SteeringState, feedback: Feedback, /, *, non_finite: BoolArray, drawn: IntArray
    ) -> SteeringState:
        """State after feedback, which need not be admitted yet; `stages_done` is found here.

        A policy that fails, or that an alarm tells of, leaves the weights as they are until somebody looks.

        Args:
            state: before it.
            feedback: sums of all sources over some steps.
            non_finite: (d,) which domains had a loss that was not finite.
            drawn: (d,) tokens that were drawn, those whose loss was not finite among them.
        """
        told = self.bound.admit(replace(feedback, stages_done=self._stages_done(state, feedback.step)))
        alarms, alarm = watch(self.guards, self.problem.domains.names, state.alarms, told, non_finite)
        before = state
        state = replace(
            state,
            alarms=alarms,
            consumed=frozen(state.consumed + drawn),
            intended=frozen(state.intended + feedback.weights * drawn.sum()),
            step=feedback.step,
            steps=state.steps + feedback.steps,
        )
        state = self.moved(state, lambda: self.policy.update(state.policy, told))
        if alarm is None and self._read_out(state) and not self._read_out(before):
            alarm = "every domain was read for all its epochs; from here on text is repeated beyond them"
        if alarm is not None and state.hold is None:
            hold = Hold(GUARD, f"frozen: {alarm}", self.held(before))
            state = replace(state, hold=hold, stale="")
        return state

    def obey(
        self, state: SteeringState, event: Event, /, restored: SteeringState | None = None
    ) -> SteeringState:
        """State after an event.

        Args:
            state: before it.
            event: what happened.
            restored: the state at the place in the log that a restart or a rollback names.

        Raises:
            InvalidInputError: the event names a domain or weights that this job does not have.
        """
        return obeyed(self, state, event, restored)

    def due(self, state: SteeringState, /) -> HistoryRequest | None:
        """What the policy's next expensive step needs; None while none is due."""
        if self.expensive is None:
            return None
        try:
            return self.expensive.due(state.policy)
        except Exception:  # noqa: BLE001 - without its step the policy stays as it is, and its job goes on
            return None

    def publish(
        self, state: SteeringState, /, effective_step: int
    ) -> tuple[SteeringState, Publication | None]:
        """State with what it says published from a step on; the same state and None if nothing is new."""
        try:
            return publication(self, state, effective_step)
        except Exception as error:  # noqa: BLE001 - whatever a policy does, its job goes on
            return publication(self, self.failed(state, error), effective_step)

    def forecast(self, state: SteeringState, /) -> list[int | None]:
        """Step at which the tokens of each domain end with the weights in force; None if they never do."""
        rate = state.tokens_per_step
        if rate == 0:
            return [None] * len(self.problem.domains)
        active = np.ones(len(state.anchor), dtype=bool)
        active[list(state.retired)] = False
        active[[index for index, step in state.zeros.items() if step <= state.step]] = False
        plan = [Placed(state.step, self.bound.zeroed(state.anchor, active))]
        return dry_steps(plan, np.maximum(self.budget - state.consumed, 0.0), rate, state.step)

    def policy_bytes(self, state: SteeringState, /) -> int:
        """Size of the policy's dump as JSON."""
        return len(json.dumps(self.policy.dump(state.policy)))

    def dump(self, state: SteeringState, /) -> JsonObject:
        """The state as JSON."""
        return state.dump(self.policy)

    def load(self, raw: JsonObject, /) -> SteeringState:
        """The state from its dump.

        Raises:
            StateError: the dump is of another policy, or of another schema.
        """
        return SteeringState.load(raw, self.policy)

    def _read_out(self, state: SteeringState) -> bool:
        """Whether no domain that may be drawn has tokens left."""
        out = self.budget <= state.consumed
        out[[index for index, step in state.zeros.items() if step <= state.step]] = True
        out[list(state.retired)] = True
        return bool(out.all())

    def _tried(self, state: SteeringState) -> SteeringState:
        """State after one feedback of numbers with all their digits: those of a start are short."""
        d = len(self.problem.domains)
        told = Feedback(1, 3 + np.sin(np.arange(1, d + 1)), np.ones(d, dtype=np.int64), self.problem.prior)
        return self.moved(state, lambda: self.policy.update(state.policy, told))

    def _stages_done(self, state: SteeringState, step: int) -> int | None:
        try:
            plan = self.policy.stages(state.policy)
        except Exception:  # noqa: BLE001 - told when it is published
            return None
        if len(plan) > 1 and digest(plan) != state.plan:
            return None  # what the policy gave last is not placed
        return stages_done(state.starts, step)
