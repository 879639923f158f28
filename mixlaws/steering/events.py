"""What happens to a job beside feedback, as entries of the same ordered log."""

from dataclasses import dataclass
from enum import StrEnum

from mixlaws.arrays import JsonObject


class EventKind(StrEnum):
    """A kind of event; what its payload holds stands behind it."""

    RESULT = "result"  # result: of an expensive step
    TOO_LATE = "too_late"  # effective_step: of the stage; drawn_step: the last without it; missing: if it is
    ATTEMPT = "attempt"  # from_step; seq: place in the log whose state comes back; domains: those new with it
    PIN = "pin"  # weights: by domain; reason
    FREEZE = "freeze"  # reason
    RELEASE = "release"  # reason
    ROLLBACK = "rollback"  # version; weights: by domain; seq: whose policy state comes back; reason
    RETIRE = "retire"  # domain; reason
    READMIT = "readmit"  # domain; reason
    SHADOW = "shadow"  # on: whether the policy only watches; reason
    DOMAIN = (
        "domain"  # domain: name, tokens, max_epochs; prior_weight; reason; in force with the next attempt
    )
    RESET = "reset"  # reason: why the policy's state was lost
    RESTORED = "restored"  # epoch: that begins; reason: what is known of the past that was lost


# What people order, in contrast to what trainers and tasks bring about.
ORDERS = frozenset(
    {
        EventKind.PIN, EventKind.FREEZE, EventKind.RELEASE, EventKind.ROLLBACK,
        EventKind.RETIRE, EventKind.READMIT, EventKind.SHADOW, EventKind.DOMAIN,
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Event:
    """One event.

    Args:
        kind: what happened.
        payload: what is to be known of it, JSON.
    """

    kind: EventKind
    payload: JsonObject
