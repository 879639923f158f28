"""Who follows a job's schedule: by polls, by polls that wait, and by events."""

import http.client

from tests.support.histories.clients import Client, Surroundings
from tests.support.histories.history import Kind, Outcome


class Poller(Client):
    """Polls with the ETag that it holds; with `wait`, lets the service hold the answer back."""

    def __init__(self, name: str, around: Surroundings, seed: int, *, job: str, wait: bool = False) -> None:
        super().__init__(name, around, seed)
        self._job, self._wait, self._held = job, wait, ""
        self.over = around.settled

    def turn(self) -> None:
        """Poll once."""
        headers = {"If-None-Match": self._held} if self._held else {}
        if self._wait:
            headers["Prefer"] = "wait=1"
        path = f"/v1/jobs/{self._job}/schedule"
        done = self.tried(
            self.began(Kind.FOLLOW, self._job, held=self._held),
            lambda: self.caller.ask("GET", path, headers=headers),
            lambda answer: {"version": numbers(answer.etag), "etag": answer.etag},
        )
        if done.ok:
            self._held = done.answer["etag"]

    def finish(self) -> None:
        """Poll until the last version is known."""
        while self._held != self.around.newest[self._job]:
            self.turn()


class Listener(Client):
    """Takes events, and goes on after the last one it saw when the stream ends."""

    def __init__(self, name: str, around: Surroundings, seed: int, *, job: str) -> None:
        super().__init__(name, around, seed)
        self._job, self._held = job, ""
        self.over = around.settled

    def turn(self) -> None:
        """Listen until the stream ends, is silent for long, or has told the last version."""
        begun = self.began(Kind.FOLLOW, self._job, held=self._held)
        headers = {"Last-Event-ID": self._held} if self._held else {}
        try:
            stream = self.caller.open("GET", f"/v1/jobs/{self._job}/schedule/events", headers=headers)
            if http.client.BAD_REQUEST <= stream.status < http.client.INTERNAL_SERVER_ERROR:
                self.around.recorder.ended(begun, Outcome.REFUSED, status=stream.status)
            while not self._is_done() and (line := stream.readline()):
                if line.startswith(b"id: ") and line.endswith(b"\n"):
                    self._held = line[4:].decode().strip()
                    begun = self.began(Kind.FOLLOW, self._job, held=self._held)
                    self.around.recorder.ended(begun, Outcome.OK, version=numbers(self._held))
        except (OSError, http.client.HTTPException):
            self.around.recorder.ended(begun, Outcome.UNKNOWN)
        self.caller.leave()

    def finish(self) -> None:
        """Listen until the last version is known."""
        while not self._is_done():
            self.turn()

    def _is_done(self) -> bool:
        return self.over.is_set() and self._held == self.around.newest[self._job]


def numbers(etag: str) -> tuple[int, int]:
    """Attempt and version of a schedule."""
    attempt, version = etag.strip('"').split("-")
    return int(attempt), int(version)
