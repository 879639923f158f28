"""The story of the demo, step by step, through the API alone."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from mixclient.documents.fits import FitOut
from mixclient.documents.proposals import ProposalIn, ProposalOut
from mixclient.documents.runs import RunOut
from mixclient.documents.sweeps import MixtureBody
from rich.console import Console

from mixclient import ServiceClient
from mixwright.demo.live import describe_jobs
from mixwright.demo.plan import Plan
from mixwright.demo.watching import Patient, sweep_ends, task_ends
from mixwright.pool import Pool
from mixwright.problems import CommandError
from proxy_training.corpus import Corpus

LIVE = "odm, live"
_FLOOR = 0.005  # of any domain in a live job: a share of zero would end its reports


@dataclass(frozen=True)
class Story:
    """Who takes part.

    Args:
        client: connection to the service.
        corpus: the text.
        pool: the workers.
        plan: the sizes.
        study: name of the study that is told.
        console: where it is told.
    """

    client: ServiceClient
    corpus: Corpus
    pool: Pool
    plan: Plan
    study: str
    console: Console

    @property
    def patient(self) -> Patient:
        """Asks the service again while it does not answer."""
        return Patient(self.client)

    def sweep(self) -> list[RunOut]:
        """Create the study, train the proxy runs, and return them."""
        domains = self.corpus.domains
        self.client.create_study(
            {
                "name": self.study,
                "domains": [
                    {"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)
                ],
                "notes": "Made by `mixwright demo` from text of this machine.",
            }
        )
        uniform, natural = self._references()
        repeats: list[MixtureBody] = [
            {"weights": uniform, "label": f"uniform, seed {seed}", "seed": seed}
            for seed in range(self.plan.repeats + 1)
        ]
        sweep = self.client.create_sweep(
            self.study,
            {
                "design": "sobol",
                "count": self.plan.designed,
                "mixtures": [*repeats, {"weights": natural, "label": "natural, seed 0"}],
                "train": {**self.plan.proxy.dump(), "corpus": self.corpus.id},
            },
        )
        sweep_ends(self.patient, self.console, self.pool, sweep["id"], "proxy runs")
        return self.client.runs(self.study, purpose="proxy")

    def fits(self) -> list[FitOut]:
        """Fit every method, and return the fits in their order, those that failed last."""
        asked = [
            self.client.create_fit(self.study, {"method": name, "folds": self.plan.folds})
            for name in self.plan.methods
        ]
        done = []
        with self.console.status("fitting laws and regressors ...") as status:
            for row in asked:
                status.update(f"fitting {row['method']} ...")
                done.append(task_ends(self.patient, self.client.fit, row))
        if all(fit["state"] == "failed" for fit in done):
            raise CommandError(f"every fit failed; {done[0]['method']}: {done[0]['error']}")
        return sorted(done, key=lambda fit: bool(fit["state"] == "failed"))

    def proposals(self, fits: list[FitOut]) -> list[ProposalOut]:
        """Ask every fit that succeeded for a proposal, in their order; the first one will be trained."""
        asked = []
        for fit in fits:
            if fit["state"] == "done":
                smooth = fit["method"] != "lightgbm"
                # A convex search follows slopes, which trees do not have.
                proposer = "convex" if smooth else "simulate"
                params = {"kl": self.plan.kl} if smooth else {"strength": 8.0}
                body: ProposalIn = {"fit_id": fit["id"], "proposer": proposer, "params": params}
                asked.append(self.client.create_proposal(self.study, body))
        with self.console.status("searching for mixtures ..."):
            done = [task_ends(self.patient, self.client.proposal, row) for row in asked]
        if done[0]["state"] == "failed":
            raise CommandError(f"no proposal: {done[0]['error']}")
        return done

    def targets(self, proposal: dict[str, float]) -> tuple[list[RunOut], list[dict[str, Any]]]:
        """Train the larger models; returns their runs and what happened to the live jobs."""
        uniform, natural = self._references()
        fixed = {"natural": natural, "uniform": uniform, "proposal": proposal}
        counts = dict.fromkeys(fixed, self.plan.seeds) | {
            "natural": max(self.plan.seeds, self.plan.noise_seeds)
        }
        jobs = [self._create_job(seed) for seed in range(self.plan.seeds)]
        live: list[MixtureBody] = [
            {"weights": natural, "label": f"{LIVE}, seed {seed}", "seed": seed, "job": job}
            for seed, job in enumerate(jobs)
        ]
        others: list[MixtureBody] = [
            {"weights": weights, "label": f"{name}, seed {seed}", "seed": seed}
            for name, weights in fixed.items()
            for seed in range(counts[name])
        ]
        sweep = self.client.create_sweep(
            self.study,
            {
                "purpose": "confirmation",
                "mixtures": [*live, *others],
                "train": {**self.plan.target.dump(), "corpus": self.corpus.id},
            },
        )
        sweep_ends(
            self.patient, self.console, self.pool, sweep["id"], "target runs", told=lambda: self._latest(jobs)
        )
        runs = self.client.runs(self.study, purpose="confirmation")
        return runs, describe_jobs(self.client, jobs, runs)

    def _references(self) -> tuple[dict[str, float], dict[str, float]]:
        domains = self.corpus.domains
        return dict.fromkeys(domains.names, 1 / len(domains)), domains.to_mapping(domains.natural)

    def _create_job(self, seed: int) -> str:
        spec = self.plan.target
        domains = self.corpus.domains
        job = self.client.create_job(
            {
                "name": f"{self.study}-odm-{seed}",
                "policy": "odm",
                "domains": [
                    {"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)
                ],
                "guards": {"floor": _FLOOR},
                "samples_per_step": spec.batch,
                "lead_steps": self.plan.lead_steps,
                "study": self.study,
            }
        )
        return str(job["name"])

    def _latest(self, jobs: list[str]) -> str:
        """What the live jobs follow at this moment."""
        versions = [self.patient.ask(partial(self.client.job, name))["version"] for name in jobs]
        return "live versions " + " ".join(str(version) for version in versions)


def study_name() -> str:
    """A name that no earlier demo has."""
    return time.strftime("demo-%Y%m%d-%H%M%S")
