"""What clients did and were told, each operation with the moments between which it took effect."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a client does."""

    CREATE = "create"
    REPORT = "report"
    TRAIN = "train"  # all that one life of a real client measured, delivered when it closes
    FOLLOW = "follow"  # a poll, a long poll, or one event of a stream
    ORDER = "order"
    CLAIM = "claim"
    HEARTBEAT = "heartbeat"
    RESULT = "result"


class Outcome(Enum):
    """What a client knows of an operation when it is over."""

    OK = "ok"
    REFUSED = "refused"  # the service said no: nothing has happened
    UNKNOWN = (
        "unknown"  # no usable answer, or one that asks to try again: it happened, or happens yet, or not
    )


@dataclass(frozen=True)
class Operation:
    """One try of one client.

    Args:
        client: who; a client does one thing after the other.
        kind: what.
        subject: the job, the run, or the name of what is created.
        sent: what of its request is compared with what is stored.
        began: monotone seconds at which it was sent.
        ended: at which its outcome was known.
        outcome: what the client knows then.
        answer: what of the answer is compared; for a refusal its code.
    """

    client: str
    kind: Kind
    subject: str
    sent: Mapping[str, Any] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    outcome: Outcome = Outcome.OK
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the service said that it was done."""
        return self.outcome is Outcome.OK


class Recorder:
    """Where clients, each in its thread, write down what they do."""

    def __init__(self) -> None:
        self._ended: list[Operation] = []
        self._changed = threading.Condition()

    def began(self, client: str, kind: Kind, subject: str, **sent: Any) -> Operation:
        """An operation that begins now."""
        return Operation(client, kind, subject, sent, began=time.monotonic())

    def ended(self, operation: Operation, outcome: Outcome, **answer: Any) -> Operation:
        """The operation as it ends now; it is part of the history from here on."""
        done = replace(operation, ended=time.monotonic(), outcome=outcome, answer=answer)
        with self._changed:
            self._ended.append(done)
            self._changed.notify_all()
        return done

    def history(self) -> list[Operation]:
        """All that has ended so far, in the order of its ends."""
        with self._changed:
            return list(self._ended)

    def wait_for_more(self, count: int, *, seconds: float) -> None:
        """Wait until so many more operations have ended, or for some time if they hang."""
        with self._changed:
            enough = len(self._ended) + count
            self._changed.wait_for(lambda: len(self._ended) >= enough, timeout=seconds)
