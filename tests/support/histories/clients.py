"""Clients of one project, each in a thread of its own, who write down what they do and are told.

What gets no answer is sent again until it gets one, as trainers and workers do, or is left, as by one that is
stopped. So an operation that nobody knows the outcome of is followed by more.
"""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.histories.calling import Answer, Caller
from tests.support.histories.history import Kind, Operation, Outcome, Recorder

DOMAINS = ("web", "code", "law")
_PAUSE_SECONDS = 0.02  # between two tries, so that a refused connection is no busy loop


@dataclass
class Surroundings:
    """What the clients of one history share.

    Args:
        recorder: where they write down what they do.
        addresses: of the service's processes.
        key: of their project.
        ending: set when all is well again, for those who write to finish what they are at.
        settled: set when they have, for those who follow a job to go on to its last version.
        newest: ETags of those versions, by job.
    """

    recorder: Recorder
    addresses: list[str]
    key: str
    ending: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)
    newest: dict[str, str] = field(default_factory=dict)


class Client:
    """What all clients have in common.

    Args:
        name: of the client, unique in the history.
        around: what it shares with others.
        seed: of all that it chooses.
    """

    def __init__(self, name: str, around: Surroundings, seed: int) -> None:
        self.name, self.around = name, around
        self.rng = random.Random(f"{seed} {name}")  # noqa: S311 - no secret
        self.caller = Caller(around.addresses, around.key, self.rng)
        self.over = around.ending

    def run(self) -> None:
        """Work until the end."""
        while not self.over.is_set():
            self.turn()
            self.over.wait(_PAUSE_SECONDS)
        self.finish()
        self.caller.leave()

    def turn(self) -> None:
        """Do one thing."""
        raise NotImplementedError

    def finish(self) -> None:
        """Bring to an end what was begun."""

    def tried(
        self,
        operation: Operation,
        call: Callable[[], Answer | None],
        told: Callable[[Answer], Mapping[str, Any]] = lambda _: {},
    ) -> Operation:
        """An operation, done once and written down."""
        answer = call()
        if answer is None:
            return self.around.recorder.ended(operation, Outcome.UNKNOWN)
        if answer.status >= 400:
            code = answer.body.get("code") if isinstance(answer.body, dict) else None
            return self.around.recorder.ended(operation, Outcome.REFUSED, status=answer.status, code=code)
        return self.around.recorder.ended(operation, Outcome.OK, **told(answer))

    def insist(self, attempt: Callable[[], Operation], *, patience: float = 1.0) -> Operation:
        """Try until the outcome is known; or leave it so after any try, but for a share of `patience`."""
        while True:
            done = attempt()
            left = not self.over.is_set() and self.rng.random() > patience
            if done.outcome is not Outcome.UNKNOWN or left:
                return done
            self.over.wait(_PAUSE_SECONDS)

    def began(self, kind: Kind, subject: str, **sent: Any) -> Operation:
        """An operation of this client that begins now."""
        return self.around.recorder.began(self.name, kind, subject, **sent)
