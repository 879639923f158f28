"""A study on a corpus, and workers that train its runs: what tests of workers begin with."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from proxy_training.corpus import Corpus
from proxy_training.moment import Moment
from proxy_training.spec import TrainSpec
from proxy_training.worker import Worker
from tests.support.servers import Service

HALVES = {"capitals": 0.5, "small": 0.5}


@dataclass(frozen=True)
class Trial:
    """A service, a corpus, and what its workers say.

    Args:
        service: a running service.
        corpus: the text of the workers.
        spec: what a run trains, if a sweep says nothing else.
        moments: what the workers told, in order.
    """

    service: Service
    corpus: Corpus
    spec: TrainSpec
    moments: list[Moment] = field(default_factory=list)

    def study(self, name: str = "trial", **more: Any) -> None:
        """Create a study on the domains of the corpus."""
        domains = self.corpus.domains
        rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
        self.service.client.create_study({"name": name, "domains": rows, **more})

    def sweep(
        self, *weights: dict[str, float], study: str = "trial", job: str | None = None, **train: Any
    ) -> None:
        """Queue a run for each mixture; `train` are fields that differ from the spec."""
        mixtures = [
            {"weights": shares, "label": f"run {number}", "seed": number, "job": job}
            for number, shares in enumerate(weights or (HALVES,))
        ]
        spec = {**self.spec.dump(), "corpus": self.corpus.id, **train}
        self.service.client.create_sweep(study, {"mixtures": mixtures, "train": spec})

    def worker(
        self, *, url: str | None = None, watch: Callable[[Moment], None] = lambda _: None, **more: Any
    ) -> Worker:
        """A worker on the corpus."""

        def told(moment: Moment) -> None:
            self.moments.append(moment)
            watch(moment)

        settings = {"key": self.service.key, "corpus": self.corpus, "name": "tester", **more}
        return Worker(url or self.service.url, watch=told, **settings)

    def runs(self, study: str = "trial") -> list[dict[str, Any]]:
        """The runs of the study, in order of creation."""
        return self.service.client.runs(study)

    @property
    def states(self) -> list[str]:
        """The states of the runs, in order of creation."""
        return [run["state"] for run in self.runs()]

    def ends(self) -> list[tuple[str, str]]:
        """What became of each run that a worker took on: its state and why."""
        return [(moment.state, moment.detail) for moment in self.moments if moment.state != "training"]

    def let_leases_expire(self) -> None:
        """Make every worker one that fell silent."""
        with self.service.database.session() as session:
            session.execute(text("UPDATE proxy_runs SET lease_expires_at = now() - interval '1 second'"))

    def observations(self) -> int:
        """How many losses are stored, over all runs."""
        with self.service.database.session() as session:
            return int(session.execute(text("SELECT count(*) FROM observations")).scalar_one())


class _Trigger(logging.Handler):
    def __init__(self, said: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._said, self._act = said, act

    def emit(self, record: logging.LogRecord) -> None:
        if self._said in record.getMessage():
            self._act()


@contextmanager
def when_logged(said: str, act: Callable[[], None]) -> Iterator[None]:
    """Act, in the thread that logs, each time a worker logs something."""
    logger, trigger = logging.getLogger("proxy_training"), _Trigger(said, act)
    level = logger.level
    logger.addHandler(trigger)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(trigger)
        logger.setLevel(level)
