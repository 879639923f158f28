"""Who works on studies: workers with their leases, somebody who creates things, somebody who gives orders."""

from typing import Any

from tests.support.histories.calling import Answer
from tests.support.histories.clients import DOMAINS, Client, Surroundings
from tests.support.histories.history import Kind, Operation

STUDY = "swarm"
_FORCED = 0.1  # how often a worker takes what another holds
_SILENT = 0.2  # how often a worker forgets what it holds, as one that was started anew


class Worker(Client):
    """Claims runs, gives signs of life and a result; some take runs from others, some forget what they hold.

    Args:
        seen: runs that any worker was given, shared by all of a history.
    """

    def __init__(self, name: str, around: Surroundings, seed: int, *, seen: list[str]) -> None:
        super().__init__(name, around, seed)
        self._seen = seen
        self._results = 0
        self._forgotten: list[tuple[str, str]] = []

    def turn(self) -> None:
        """One run, from its claim to its result."""
        claimed = self._forced() if self._seen and self.rng.random() < _FORCED else self._next()
        if not claimed.ok or claimed.answer["run"] is None:
            return
        run, lease = claimed.answer["run"], claimed.answer["lease"]
        self._seen.append(run)
        if self._forgotten:  # as if the process that held it were still there
            self._heartbeat(*self._forgotten.pop(), 0.0)
        for share in range(self.rng.randrange(3)):
            self._heartbeat(run, lease, share / 3)
        if self.rng.random() > _SILENT:
            self._finish(run, lease)
        else:
            self._forgotten.append((run, lease))

    def _next(self) -> Operation:
        body = {"worker": self.name, "study": STUDY}
        begun = self.began(Kind.CLAIM, "")
        return self.tried(begun, lambda: self.caller.ask("POST", "/v1/runs/claim", body), _granted)

    def _forced(self) -> Operation:
        run = self.rng.choice(self._seen)
        body = {"worker": self.name, "force": True}
        begun = self.began(Kind.CLAIM, run, force=run)
        return self.tried(begun, lambda: self.caller.ask("POST", f"/v1/runs/{run}/claim", body), _granted)

    def _heartbeat(self, run: str, lease: str, progress: float) -> None:
        body = {"lease": lease, "progress": progress}
        begun = self.began(Kind.HEARTBEAT, run, lease=lease)
        self.tried(begun, lambda: self.caller.ask("PUT", f"/v1/runs/{run}/heartbeat", body))

    def _finish(self, run: str, lease: str) -> None:
        self._results += 1
        mark = f"{self.name}-{self._results}"
        body = {
            "lease": lease,
            "losses": dict.fromkeys(DOMAINS, self.rng.uniform(2.0, 5.0)),
            "step": 10,
            "tokens": 100,
            "model_parameters": 1000,
            "seconds": 1.0,
            "live": {mark: 1},
        }

        def attempt() -> Operation:
            begun = self.began(Kind.RESULT, run, lease=lease, mark=mark)
            return self.tried(begun, lambda: self.caller.ask("PUT", f"/v1/runs/{run}/result", body))

        self.insist(attempt)


def _granted(answer: Answer) -> dict[str, Any]:
    if answer.body is None:  # nothing to train
        return {"run": None}
    return {"run": answer.body["run"]["id"], "lease": answer.body["lease"]}


class Creator(Client):
    """Creates studies, known by their names, and sweeps, known by the key of the request alone."""

    _count = 0

    def turn(self) -> None:
        """Create one thing, and now and then again what is there."""
        self._count += self.rng.random() < 0.8
        if self.rng.random() < 0.5:
            name = f"study-{self._count}"
            domains = [{"name": domain, "tokens": 1000} for domain in DOMAINS]
            self._create(name, "/v1/studies", {"name": name, "domains": domains}, {})
        else:
            key = {"Idempotency-Key": f"{self.name}-{self._count}"}
            body = {"design": "sobol", "count": 1, "seed": self._count}
            self._create(f"sweep-{self._count}", f"/v1/studies/{STUDY}/sweeps", body, key)

    def _create(self, name: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        def attempt() -> Operation:
            return self.tried(
                self.began(Kind.CREATE, name),
                lambda: self.caller.ask("POST", path, body, headers),
                lambda answer: {"id": answer.body["id"]},
            )

        self.insist(attempt)


class Operator(Client):
    """Holds the weights of a job and lets them go again, each order with a reason of its own."""

    _count = 0

    def __init__(self, name: str, around: Surroundings, seed: int, *, job: str) -> None:
        super().__init__(name, around, seed)
        self._job = job

    def turn(self) -> None:
        """Hold, then release."""
        pin = ("pin", {"weights": {"web": 0.5, "code": 0.25, "law": 0.25}})
        freeze: tuple[str, dict[str, Any]] = ("freeze", {})
        self._order(*self.rng.choice([pin, freeze, ("rollback", {"version": 1})]))
        self._order("release", {})

    def _order(self, order: str, body: dict[str, Any]) -> None:
        self._count += 1
        reason = f"{order} number {self._count}"
        headers = {"Idempotency-Key": f"{self.name}-{self._count}"}
        path = f"/v1/jobs/{self._job}/{order}"

        def attempt() -> Operation:
            begun = self.began(Kind.ORDER, self._job, reason=reason)
            return self.tried(
                begun, lambda: self.caller.ask("POST", path, {**body, "reason": reason}, headers)
            )

        self.insist(attempt)
