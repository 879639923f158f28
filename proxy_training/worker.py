"""A worker: claims runs from the service, trains them, and hands in what they measured."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from mixclient import (
    ConflictError,
    MixclientError,
    MixtureClient,
    ServiceClient,
    ServiceError,
    ServiceUnreachableError,
)
from mixlaws.errors import MixlawsError
from proxy_training.corpus.corpus import Corpus
from proxy_training.heartbeat import Heartbeat, LeaseLostError
from proxy_training.moment import Moment
from proxy_training.spec import TrainResult, TrainSpec
from proxy_training.train import FixedMixture, TrainingDivergedError, train

_log = logging.getLogger("proxy_training")

_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = 30.0


Watch = Callable[[Moment], None]


class Worker:
    """Trains runs until it is told to stop.

    Args:
        url: address of the service.
        key: API key with the scopes of a worker.
        corpus: the text that it holds.
        name: who it is, for people.
        study: train runs of this study alone.
        watch: told what happens.
    """

    def __init__(
        self,
        url: str,
        key: str,
        corpus: Corpus,
        *,
        name: str,
        study: str | None = None,
        watch: Watch = lambda _: None,
    ) -> None:
        self.stopping = threading.Event()
        self._url, self._key = url, key
        self._corpus = corpus
        self._name, self._study = name, study
        self._watch = watch
        self._service = ServiceClient(url, key)
        self._beats = ServiceClient(url, key)

    def run(self, *, until_idle: bool = False) -> int:
        """Train until stopped, or until nothing is left; returns how many runs were completed.

        Raises:
            ServiceError: the key is refused.
        """
        completed = 0
        while not self.stopping.is_set():
            lease = self._claim()
            if lease is not None:
                completed += self._train(lease)
            elif until_idle:
                break
            else:
                self.stopping.wait(_IDLE_SECONDS)
        self._service.close()
        self._beats.close()
        return completed

    def _claim(self) -> dict[str, Any] | None:
        pause = 0.5
        while not self.stopping.is_set():
            try:
                return self._service.claim_run(self._name, study=self._study, corpora=[self._corpus.id])
            except ServiceUnreachableError as error:
                _log.info("waiting for the service: %s", error)
            except ServiceError as error:
                if error.status < 500:
                    raise
            self.stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    def _train(self, lease: dict[str, Any]) -> bool:
        """Take a claimed run to its end; whether it was completed."""
        run, proof = lease["run"], lease["lease"]
        label = run["label"]
        try:
            with Heartbeat(self._beats, run["id"], proof, lease["lease_seconds"]) as heart:

                def progress(share: float) -> None:
                    heart.told(share)
                    self._watch(Moment(label, share, "training"))

                result = self._measure(lease, progress)
                steps = TrainSpec(**run["train"]).steps
                self._hand_in(run["id"], {"lease": proof, "step": steps, **result.dump()})
        except LeaseLostError as error:
            self._watch(Moment(label, 0.0, "lost", str(error)))
            return False
        except ConflictError as error:
            self._watch(Moment(label, 1.0, "lost", error.detail))
            return False
        except (TrainingDivergedError, MixlawsError, MixclientError, ValueError) as error:
            self._give_up(run["id"], proof, str(error))
            self._watch(Moment(label, 0.0, "failed", str(error)))
            return False
        mean = sum(result.losses.values()) / len(result.losses)
        self._watch(Moment(label, 1.0, "completed", f"mean held-out loss {mean:.3f}"))
        return True

    def _measure(self, lease: dict[str, Any], progress: Callable[[float], None]) -> TrainResult:
        run = lease["run"]
        spec = TrainSpec(**run["train"])
        if spec.corpus and spec.corpus != self._corpus.id:
            raise ValueError(f"the run needs corpus {spec.corpus}, this worker holds {self._corpus.id}")
        if tuple(lease["domains"]) != self._corpus.domains.names:
            raise ValueError(
                f"the study has domains {', '.join(lease['domains'])}, the corpus of this worker has "
                f"{', '.join(self._corpus.domains.names)}: start it with the corpus of the study"
            )
        if run["job"] is None:
            mixture = FixedMixture(run["weights"], batch=spec.batch, seed=run["seed"])
            return train(spec, self._corpus, mixture, seed=run["seed"], progress=progress)
        return self._follow(run, spec, progress)

    def _follow(self, run: dict[str, Any], spec: TrainSpec, progress: Callable[[float], None]) -> TrainResult:
        """Train as a live job: the mixture comes from the service, step by step."""
        started_before = self._service.job(run["job"])["reported_step"] >= 0
        client = MixtureClient(
            self._url,
            self._key,
            job=run["job"],
            seed=run["seed"],
            fallback=run["weights"],
            samples_per_step=spec.batch,
            report_every=spec.report_every,
        )
        # A run that lost its worker begins anew, and so does its job.
        client.start(from_step=0 if started_before else None)
        try:
            if client.domains != self._corpus.domains.names:
                raise ValueError(f"job {run['job']!r} has other domains than the corpus of this worker")
            result = train(spec, self._corpus, client, seed=run["seed"], progress=progress)
        finally:
            delivered = client.close(timeout=60.0)
        live = {**client.counters(), "delivered": int(delivered)}
        return TrainResult(**{**vars(result), "live": live})

    def _hand_in(self, run_id: str, body: dict[str, Any]) -> None:
        """Deliver a result, however long the service is away: it cost more than the waiting does."""
        pause = 0.5
        while True:
            try:
                self._service.put_result(run_id, body)
            except ServiceError as error:
                if error.status < 500:
                    raise
            except ServiceUnreachableError as error:
                _log.info("a result waits for the service: %s", error)
            else:
                return
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _give_up(self, run_id: str, proof: str, reason: str) -> None:
        try:
            self._service.put_failure(run_id, proof, reason[:4000])
        except MixclientError as error:
            _log.warning("the failure of run %s could not be reported: %s", run_id, error)
