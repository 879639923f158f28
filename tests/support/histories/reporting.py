"""Who reports: sources that send each report until it is taken, and a trainer with the real client."""

from pathlib import Path

import numpy as np

from mixclient import MixtureClient
from mixlaws.arrays import IntArray
from tests.support.histories.clients import DOMAINS, Client, Surroundings
from tests.support.histories.history import Kind, Operation, Outcome

_STEPS = 10  # of a report
_STEP_SECONDS = 0.002  # of the real client's training
_PATIENCE = 0.9
_NO_END = 10**6
_CLOSE_SECONDS = 30.0  # far above what a service that is well takes


class Source(Client):
    """One source of a job; now and then it leaves a report whose fate it does not know."""

    def __init__(self, name: str, around: Surroundings, seed: int, *, job: str, source: str) -> None:
        super().__init__(name, around, seed)
        self._job, self._source, self._step = job, source, -1

    def turn(self) -> None:
        """Report the next steps."""
        self._step += _STEPS
        counts = [self.rng.randrange(1, 1000) for _ in DOMAINS]
        means = [self.rng.uniform(2.0, 5.0) for _ in DOMAINS]
        body = {
            "attempt": 1,
            "source": self._source,
            "step_from": self._step - _STEPS + 1,
            "step_to": self._step,
            "schedule_version": 1,
            "loss_sums": {
                name: mean * count for name, mean, count in zip(DOMAINS, means, counts, strict=True)
            },
            "token_counts": dict(zip(DOMAINS, counts, strict=True)),
        }

        def attempt() -> Operation:
            begun = self.began(
                Kind.REPORT, self._job, source=self._source, step=self._step, counts=tuple(counts)
            )
            path = f"/v1/jobs/{self._job}/reports"
            return self.tried(begun, lambda: self.caller.ask("POST", path, body))

        self.insist(attempt, patience=_PATIENCE)


class Trainer(Client):
    """A training loop with the real client, which goes back to a checkpoint once."""

    def __init__(self, name: str, around: Surroundings, seed: int, *, job: str, folder: Path) -> None:
        super().__init__(name, around, seed)
        self._job, self._folder = job, folder

    def run(self) -> None:
        """Train, restart from a checkpoint, train on until the end."""
        last = self.rng.randrange(40, 200)
        checkpoint = self.rng.randrange(20, last)
        client = self._client()
        client.start(timeout=_CLOSE_SECONDS)
        measured = self._train(client, range(checkpoint))
        token, followed = client.state_token, client.schedule
        measured = measured + self._train(client, range(checkpoint, last))
        self._close(client, measured)
        client = self._client()
        client.start(from_step=checkpoint, state_token=token, followed=followed, timeout=_CLOSE_SECONDS)
        self._close(client, self._train(client, range(checkpoint, _NO_END)))

    def _client(self) -> MixtureClient:
        address = self.rng.choice(self.around.addresses)
        return MixtureClient(
            address, self.around.key, job=self._job, folder=self._folder, report_every=5, seed=1
        )

    def _train(self, client: MixtureClient, steps: range) -> IntArray:
        """Train until the last step or the end; returns (d,) tokens that were measured."""
        measured = np.zeros(len(DOMAINS), dtype=np.int64)
        known = (0, 0)
        for step in steps:
            drawn = client.step(step)
            counts = [64 * drawn.count(index) for index in range(len(DOMAINS))]
            client.record(step, loss_sums=[3.0 * count for count in counts], token_counts=counts)
            measured += counts
            schedule = client.schedule
            if (schedule.attempt, schedule.version) != known and schedule.attempt > 0:
                known = schedule.attempt, schedule.version
                self.around.recorder.ended(self.began(Kind.FOLLOW, self._job), Outcome.OK, version=known)
            if self.around.ending.wait(_STEP_SECONDS):
                break
        return measured

    def _close(self, client: MixtureClient, measured: IntArray) -> None:
        """Write down whether all that was measured is delivered, and what the client says that it dropped."""
        begun = self.began(Kind.TRAIN, self._job, counts=tuple(measured.tolist()))
        done = client.close(timeout=_CLOSE_SECONDS)
        lost = {
            name: count
            for name, count in client.counters().items()
            if count and name.startswith(("dropped_", "unusable_", "measured_on_"))
        }
        if lost or not done:
            self.around.recorder.ended(begun, Outcome.REFUSED, delivered=done, **lost)
        else:
            self.around.recorder.ended(begun, Outcome.OK)
