"""A worker: claims runs from the service, trains them, and hands in what they measured."""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from mixclient.documents.runs import LeaseOut, ResultIn, RunOut

from mixclient import (
    ONCE,
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
from proxy_training.train import FixedMixture, Mixture, Observe, Progress, TrainingDivergedError, train

_log = logging.getLogger("proxy_training")

_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = 30.0


Watch = Callable[[Moment], None]
T = TypeVar("T")


class Worker:
    """Trains runs until it is told to stop.

    Args:
        url: address of the service.
        key: API key with the scopes of a worker.
        corpus: the text that it holds.
        name: who it is, for people.
        study: train runs of this study alone.
        device: where torch computes.
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
        device: str = "cpu",
        watch: Watch = lambda _: None,
    ) -> None:
        self.stopping = threading.Event()
        self._url, self._key = url, key
        self._corpus = corpus
        self._name, self._study, self._device = name, study, device
        self._watch = watch
        self._service = ServiceClient(url, key, retry=ONCE)
        self._beats = ServiceClient(url, key, retry=ONCE)

    def run(self, *, until_idle: bool = False) -> int:
        """Train until stopped, or until nothing is left; returns how many runs were completed.

        Raises:
            ServiceError: the key is refused.
            OSError: this machine cannot go on, such as without its corpus; its run goes to another worker.
        """
        completed = 0
        try:
            while not self.stopping.is_set():
                lease = self._claim()
                if lease is not None:
                    completed += self._train(lease)
                elif until_idle:
                    break
                else:
                    self.stopping.wait(_IDLE_SECONDS)
        finally:
            self._service.close()
            self._beats.close()
        return completed

    def _claim(self) -> LeaseOut | None:
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

    def _train(self, lease: LeaseOut) -> bool:
        """Take a claimed run to its end; whether it was completed."""
        run, proof = lease["run"], lease["lease"]
        label = run["label"]
        try:
            with Heartbeat(self._beats, run["id"], proof, lease["lease_seconds"]) as heart:

                def progress(share: float) -> None:
                    heart.told(share)
                    self._watch(Moment(label, share, "training"))

                def observe(step: int, losses: Mapping[str, float]) -> None:
                    heart.observed(step, {target: losses[target] for target in lease["targets"]})

                result = self._measure(lease, progress, observe)
                _insisted("what was observed", heart.send)
                self._hand_in(lease, result)
        except LeaseLostError as error:
            self._watch(Moment(label, 0.0, "lost", str(error)))
            return False
        except ConflictError as error:
            self._watch(Moment(label, 1.0, "lost", error.detail))
            return False
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - a run that ends workers one by one tells nobody why
            reason = _reason(error)
            self._give_up(run["id"], proof, reason)
            self._watch(Moment(label, 0.0, "failed", reason))
            return False
        mean = sum(result.losses.values()) / len(result.losses)
        self._watch(Moment(label, 1.0, "completed", f"mean held-out loss {mean:.3f}"))
        return True

    def _measure(self, lease: LeaseOut, progress: Progress, observe: Observe) -> TrainResult:
        run = lease["run"]
        spec = TrainSpec(**run["train"])
        if spec.corpus and spec.corpus != self._corpus.id:
            raise ValueError(f"the run needs corpus {spec.corpus}, this worker holds {self._corpus.id}")
        names = self._corpus.domains.names
        if set(lease["domains"]) != set(names):
            raise ValueError(
                f"the study has domains {', '.join(lease['domains'])}, the corpus of this worker has "
                f"{', '.join(names)}: start it with the corpus of the study"
            )
        unmeasured = sorted(set(lease["targets"]) - set(names))
        if unmeasured:
            raise ValueError(
                f"this worker measures held-out losses of domains, and no targets {', '.join(unmeasured)}: "
                "evaluate them with a worker of your own"
            )
        # A mixture names its domains in the order of the study.
        weights = {name: run["weights"][name] for name in names}
        if run["job"] is None:
            mixture = FixedMixture(weights, batch=spec.batch, seed=run["seed"])
            return self._trained(run, spec, mixture, progress, observe)
        return self._follow(run["job"], run, spec, weights, progress, observe)

    def _follow(
        self,
        name: str,
        run: RunOut,
        spec: TrainSpec,
        weights: dict[str, float],
        progress: Progress,
        observe: Observe,
    ) -> TrainResult:
        """Train as a live job: the mixture comes from the service, step by step."""
        job = _insisted("a live job", lambda: self._service.job(name))
        samples, domains = job["definition"]["samples_per_step"], job["definition"]["domains"]
        if samples != spec.batch:
            raise ValueError(
                f"job {name!r} draws {samples} samples a step, the run trains {spec.batch}: "
                "give them the same number"
            )
        if tuple(domain["name"] for domain in domains) != self._corpus.domains.names:
            raise ValueError(
                f"job {name!r} has other domains than the corpus of this worker, or in another order: "
                f"give it {', '.join(self._corpus.domains.names)}"
            )
        client = MixtureClient(
            self._url,
            self._key,
            job=name,
            seed=run["seed"],
            fallback=weights,
            samples_per_step=spec.batch,
            report_every=spec.report_every,
        )
        # A run that lost its worker begins anew, and so does its job.
        client.start(from_step=0 if job["reported_step"] >= 0 else None)
        try:
            result = self._trained(run, spec, client, progress, observe)
        finally:
            delivered = client.close(timeout=60.0)
        live = {**client.counters(), "delivered": int(delivered)}
        return TrainResult(**{**vars(result), "live": live})

    def _trained(
        self,
        run: RunOut,
        spec: TrainSpec,
        mixture: Mixture | MixtureClient,
        progress: Progress,
        observe: Observe,
    ) -> TrainResult:
        return train(
            spec,
            self._corpus,
            mixture,
            seed=run["seed"],
            device=self._device,
            progress=progress,
            observe=observe,
        )

    def _hand_in(self, lease: LeaseOut, result: TrainResult) -> None:
        """Deliver a result, however long the service is away: it cost more than the waiting does."""
        run = lease["run"]
        body = {
            **result.dump(),
            "lease": lease["lease"],
            "step": TrainSpec(**run["train"]).steps,
            "losses": {target: result.losses[target] for target in lease["targets"]},
        }
        _insisted("a result", lambda: self._service.put_result(run["id"], cast("ResultIn", body)))

    def _give_up(self, run_id: str, proof: str, reason: str) -> None:
        try:
            self._service.put_failure(run_id, proof, reason[:4000])
        except MixclientError as error:
            _log.warning("the failure of run %s could not be reported: %s", run_id, error)


def _insisted(what: str, call: Callable[[], T]) -> T:
    """The answer to a call, made again until the service gives one.

    Raises:
        ServiceError: the service says no.
    """
    pause = 0.5
    while True:
        try:
            return call()
        except ServiceUnreachableError as error:
            _log.info("%s waits for the service: %s", what, error)
        except ServiceError as error:
            if error.status < 500:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
        pause = min(2 * pause, _LONGEST_PAUSE)


def _reason(error: Exception) -> str:
    """What went wrong, for people; an error that nobody foresaw is named as well."""
    foreseen = isinstance(error, (TrainingDivergedError, MixlawsError, MixclientError, ValueError))
    return str(error) if foreseen else f"{type(error).__name__}: {error}"
