"""What events do to the state of a job: one small function each."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, StateError
from mixlaws.simplex import as_weights
from mixlaws.steering.alarms import AlarmState
from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.setting import Setting
from mixlaws.steering.state import OPERATOR, POLICY, Hold, SteeringState

_LATE = "placed again: it came too late"
_Obey = Callable[[Setting, SteeringState, JsonObject, SteeringState | None], SteeringState]


def obeyed(
    setting: Setting, state: SteeringState, event: Event, restored: SteeringState | None
) -> SteeringState:
    """State after an event; see `Steering.obey`."""
    return _OBEY[event.kind](setting, state, event.payload, restored)


def _result(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    policy = setting.expensive
    if policy is None:
        return state
    return setting.moved(state, lambda: policy.absorb(state.policy, told["result"]))


def _too_late(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    """The stage and all after it move by what it was late; then everything is placed again.

    What an order changes begins between the stages of a plan: then nothing moves, but if the stage is
    `missing`, since no later one holds in its stead, it must be placed again too.
    """
    late = told["effective_step"]
    state = replace(state, drawn=max(state.drawn, told["drawn_step"]))
    if late not in (*state.starts, *state.zeros.values()):
        return replace(state, stale=_LATE) if told.get("missing") else state
    shift = max(told["drawn_step"], state.step - 1) + setting.lead - late
    starts = tuple(start + shift if start >= late else start for start in state.starts)
    zeros = {index: step for index, step in state.zeros.items() if step < late}
    return replace(state, starts=starts, zeros=zeros, stale=_LATE)


def _attempt(setting: Setting, state: SteeringState, told: JsonObject, restored: object) -> SteeringState:
    """The state of the checkpoint, under the orders of today: a restart takes back no decision of people."""
    back = _needed(restored, told)
    held = state.hold
    if held is not None and held.by != OPERATOR:
        held = back.hold  # an alarm stays if the checkpoint is younger than its cause
    new = {setting.problem.domains.index(name) for name in told.get("domains", ())}
    retired = tuple(index for index in state.retired if index not in new)
    changed = "new domains" if new else "domains as they are now" if retired != back.retired else None
    starts, from_step = back.starts, told["from_step"]
    if changed and starts:  # at once: no earlier plan knows of it
        ahead = max(0, starts[0] - from_step)
        starts = tuple(start - ahead for start in starts)
    return replace(
        back,
        hold=held,
        shadow=state.shadow,
        retired=retired,
        stale=changed or back.stale,
        starts=starts,
        step=from_step,
        drawn=-1,
    )


def _pin(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    weights = _weights(setting, told["weights"])
    return replace(state, hold=Hold(OPERATOR, f"pinned: {told['reason']}", weights), stale="")


def _freeze(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    hold = Hold(OPERATOR, f"frozen: {told['reason']}", setting.held(state))
    return replace(state, hold=hold, stale="")


def _release(_: Setting, state: SteeringState, told: JsonObject, __: object) -> SteeringState:
    # What raised an alarm may be the new normal: the alarms learn it afresh.
    return replace(
        state, hold=None, alarms=AlarmState.start(len(state.anchor)), stale=_note("released", told)
    )


def _rollback(setting: Setting, state: SteeringState, told: JsonObject, restored: object) -> SteeringState:
    reason = f"rolled back to version {told['version']}: {told['reason']}"
    hold = Hold(OPERATOR, reason, _weights(setting, told["weights"]))
    return replace(state, hold=hold, policy=_needed(restored, told).policy, stale="")


def _retire(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    index = setting.problem.domains.index(told["domain"])
    retired = tuple(sorted({*state.retired, index}))
    if len(retired) == len(setting.problem.domains):
        raise InvalidInputError(
            f"{told['domain']!r} is the last domain that is left: readmit another one first"
        )
    return replace(state, retired=retired, stale=_note(f"{told['domain']} retired", told))


def _readmit(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    index = setting.problem.domains.index(told["domain"])
    if index not in state.retired:
        raise InvalidInputError(f"domain {told['domain']!r} is not retired: there is nothing to readmit")
    retired = tuple(other for other in state.retired if other != index)
    return replace(state, retired=retired, stale=_note(f"{told['domain']} readmitted", told))


def _shadow(_: Setting, state: SteeringState, told: JsonObject, __: object) -> SteeringState:
    return replace(state, shadow=bool(told["on"]), stale=_note("shadow" if told["on"] else "live", told))


def _domain(_: Setting, state: SteeringState, __: JsonObject, ___: object) -> SteeringState:
    return state  # in force with the next attempt


def _reset(setting: Setting, state: SteeringState, told: JsonObject, _: object) -> SteeringState:
    return replace(
        state, policy=setting.policy.init(setting.problem), hold=Hold(POLICY, told["reason"]), stale=""
    )


def _restored(_: Setting, state: SteeringState, told: JsonObject, __: object) -> SteeringState:
    # Published anew whatever it is: trainers follow versions that nobody knows here any more.
    return replace(state, stale=f"a backup was restored (epoch {told['epoch']})")


_OBEY: Mapping[EventKind, _Obey] = {
    EventKind.RESULT: _result,
    EventKind.TOO_LATE: _too_late,
    EventKind.ATTEMPT: _attempt,
    EventKind.PIN: _pin,
    EventKind.FREEZE: _freeze,
    EventKind.RELEASE: _release,
    EventKind.ROLLBACK: _rollback,
    EventKind.RETIRE: _retire,
    EventKind.READMIT: _readmit,
    EventKind.SHADOW: _shadow,
    EventKind.DOMAIN: _domain,
    EventKind.RESET: _reset,
    EventKind.RESTORED: _restored,
}


def _weights(setting: Setting, named: Mapping[str, float]) -> FloatArray:
    """(d,) of a mapping; a domain that is not named, such as one that came later, has none."""
    return frozen(as_weights(setting.problem.domains.to_array(named, missing=0.0)))


def _note(what: str, told: JsonObject) -> str:
    return f"{what}: {told['reason']}"


def _needed(restored: object, told: JsonObject) -> SteeringState:
    if not isinstance(restored, SteeringState):
        raise StateError(
            f"the state at place {told['seq']} of the log is needed: fold the log up to it first"
        )
    return restored
