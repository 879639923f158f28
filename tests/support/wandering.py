"""A trainer and its operators, at random: reports, late versions, orders, restarts, over HTTP."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mixclient import ServiceError
from tests.support.servers import Service


class Wanderer:
    """Does one thing after the other to a job.

    Args:
        service: where the job is.
        job: its name; made with two sources, `a` and `b`.
        rng: of everything.
    """

    def __init__(self, service: Service, job: dict[str, Any], rng: np.random.Generator) -> None:
        self.service, self.rng, self.path = service, rng, f"/v1/jobs/{job['name']}"
        self.service.client.create_job({**job, "sources": ["a", "b"], "wait_steps": 60})
        self.step, self.tokens = 0, list[tuple[int, str]]()
        self.done: list[str] = []

    def wander(self, times: int) -> None:
        """Do as many things."""
        rare: list[Callable[[], None]] = [
            self.late, self.restart, self.pin, self.freeze, self.release, self.rollback, self.retire,
            self.readmit, self.shadow, self.domain,
        ]  # fmt: skip
        for _ in range(times):
            act = self.report if self.rng.random() < 0.6 else rare[self.rng.integers(len(rare))]
            try:
                act()
            except ServiceError as refused:
                if refused.status not in {409, 422}:
                    raise
                self.done.append(f"{act.__name__} refused")
            else:
                self.done.append(act.__name__)

    def report(self) -> None:
        """A batch of a few reports, of one source or of both."""
        schedule = self.call("GET", "/schedule")
        names = [domain["name"] for domain in schedule["domains"]]
        steps, sources = int(self.rng.integers(3, 12)), [["a", "b"], ["a"]][int(self.rng.random() < 0.1)]
        batch = []
        for _ in range(int(self.rng.integers(1, 4))):
            first, self.step = self.step, self.step + steps
            begun = [stage for stage in schedule["stages"] if stage["effective_step"] <= first]
            version = (begun or schedule["stages"])[-1 if begun else 0]["version"]
            batch += [
                self._measured(schedule["attempt"], source, first, version, names) for source in sources
            ]
        answer = self.call("POST", "/reports", {"reports": batch})
        self.tokens.append((self.step, answer["state_token"]))

    def late(self) -> None:
        """The newest version came too late."""
        schedule = self.call("GET", "/schedule")
        stage = schedule["stages"][-1]
        late = {"attempt": schedule["attempt"], "version": stage["version"], "outcome": "too_late"}
        self.call("POST", "/acks", {**late, "step": stage["effective_step"] + 3})

    def restart(self) -> None:
        """Back to a checkpoint, with its token or without."""
        if not self.tokens:
            return
        step, token = self.tokens[self.rng.integers(len(self.tokens))]
        body = {"from_step": step, "state_token": token if self.rng.random() < 0.6 else None}
        self.call("POST", "/attempts", body)
        self.step = step
        self.tokens = [(at, told) for at, told in self.tokens if at <= step]

    def pin(self) -> None:
        """Weights of their own."""
        names = [domain["name"] for domain in self.call("GET", "/schedule")["domains"]]
        weights = dict(zip(names, self.rng.dirichlet(np.ones(len(names))).tolist(), strict=True))
        self.order("pin", weights=weights)

    def freeze(self) -> None:
        """As they are."""
        self.order("freeze")

    def release(self) -> None:
        """Again to the policy."""
        self.order("release")

    def rollback(self) -> None:
        """To some version."""
        newest = self.call("GET", "")["version"]
        self.order("rollback", version=int(self.rng.integers(1, newest + 1)))

    def retire(self) -> None:
        """Without law."""
        self.order("retire", domain="law")

    def readmit(self) -> None:
        """With law."""
        self.order("readmit", domain="law")

    def shadow(self) -> None:
        """Watching, or not."""
        self.order("shadow", on=bool(self.rng.random() < 0.5))

    def domain(self) -> None:
        """One more, with the next attempt."""
        self.order("domains", name=f"new-{self.step}", tokens=2_000)

    def order(self, kind: str, **body: Any) -> None:
        """An order; now and then only tried out."""
        self.call("POST", f"/{kind}", {"reason": "why not", "dry_run": bool(self.rng.random() < 0.2), **body})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call."""
        return self.service.client.call(method, self.path + path, body=body)

    def _measured(
        self, attempt: int, source: str, first: int, version: int, names: list[str]
    ) -> dict[str, Any]:
        counts = {name: int(self.rng.integers(0, 600)) for name in names}
        sums = {name: float(self.rng.uniform(2, 5)) * count for name, count in counts.items() if count}
        held_out = {name: float(self.rng.uniform(2, 5)) * 100 for name in names}
        evaluated = {"sums": held_out, "counts": dict.fromkeys(names, 100), "set": "held", "step": self.step}
        return {
            "attempt": attempt,
            "source": source,
            "step_from": first,
            "step_to": self.step - 1,
            "schedule_version": version,
            "loss_sums": sums,
            "token_counts": counts,
            "signals": {"eval_losses": evaluated, "sequence_counts": counts},
        }
