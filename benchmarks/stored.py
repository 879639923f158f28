"""A store filled by SQL: studies of 10,000 runs with their observations, and live jobs."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
from rich.console import Console
from rich.progress import track

from service.db import Database
from service.fits import service as fits
from service.runs import repository as runs

RUNS_OF_A_STUDY = 10_000
TARGETS = 20
PENDING_EVERY = 20  # of the runs, one in so many waits
DOMAINS = [f"domain-{number}" for number in range(22)]

_RUNS = """
INSERT INTO proxy_runs (id, study_id, sweep_id, label, weights, seed, train, state, claims, progress, result,
                        started_at, finished_at)
SELECT uuidv7(), %(study)s, %(sweep)s, 'mixture ' || n,
       (SELECT array_agg(part / total) FROM (
          SELECT part, sum(part) OVER () AS total FROM (
            SELECT n * 0 - ln(1 - random()) AS part
            FROM generate_series(1, %(domains)s)) AS drawn) AS parts),
       n, '{"corpus": ""}', CASE WHEN n %% %(every)s = 0 THEN 'pending' ELSE 'completed' END, 0, 1,
       CASE WHEN n %% %(every)s > 0 THEN jsonb_build_object(
         'model_parameters', 1000000, 'tokens', 100000000, 'step', 1000, 'losses',
         (SELECT jsonb_object_agg('domain-' || t, n * 0 + 2 + random())
          FROM generate_series(0, %(targets)s - 1) AS t)
       ) END, now(), now()
FROM generate_series(1, %(count)s::int) AS n
"""
_OBSERVATIONS = """
INSERT INTO observations (run_id, step, target, value)
SELECT id, 1000, 'domain-' || t, 2 + random() FROM proxy_runs, generate_series(0, %(targets)s - 1) AS t
WHERE study_id = %(study)s
"""
_COPIES = """
WITH made AS (
  INSERT INTO jobs
  SELECT (jsonb_populate_record(j, jsonb_build_object('id', uuidv7(), 'name', 'copy-' || n))).*
  FROM jobs AS j, generate_series(%(first)s::int, %(last)s::int) AS n WHERE j.name = 'original' RETURNING id
), attempt AS (
  INSERT INTO attempts SELECT (jsonb_populate_record(a, jsonb_build_object('job_id', made.id))).*
  FROM attempts AS a JOIN jobs ON jobs.id = a.job_id AND jobs.name = 'original', made
)
INSERT INTO schedule_stages SELECT (jsonb_populate_record(s, jsonb_build_object('job_id', made.id))).*
FROM schedule_stages AS s JOIN jobs ON jobs.id = s.job_id AND jobs.name = 'original', made
"""


class Store:
    """The store of a running service.

    Args:
        connection: to its database.
        http: to its API.
        runs: of each study.
        domains: their names, in studies and jobs; the first of them are the targets.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        http: httpx.Client,
        runs: int = RUNS_OF_A_STUDY,
        domains: Sequence[str] = DOMAINS,
    ) -> None:
        self._connection, self._http, self._runs, self._domains = connection, http, runs, list(domains)
        self.study_ids: list[uuid.UUID] = []
        self._names: list[str] = []
        self._jobs = 0
        self._step = 0

    def fill(self, studies: int, jobs: int) -> None:
        """Bring it to a size."""
        missing = range(len(self._names), studies)
        for number in track(missing, "studies", console=Console(stderr=True)):
            self._add_study(f"study-{number}")
        if not self._jobs:
            self._created("/v1/jobs", {
                "name": "original", "policy": "odm", "samples_per_step": 256, "lead_steps": 20,
                "domains": [{"name": name, "tokens": 10**9} for name in self._domains],
            })  # fmt: skip
        self._connection.execute(_COPIES, {"first": self._jobs, "last": jobs - 1})
        self._jobs = jobs
        self._connection.execute("VACUUM (ANALYZE)")

    def counted(self) -> dict[str, int]:
        """Rows of each kind, as the planner estimates them."""
        query = "SELECT relname, reltuples::bigint FROM pg_class WHERE relname = ANY(%s)"
        rows = self._connection.execute(query, [["proxy_runs", "observations", "jobs"]]).fetchall()
        return {row[0]: row[1] for row in rows}

    def a_study(self, rng: random.Random) -> str:
        """Name of some study."""
        return rng.choice(self._names)

    def a_job(self, rng: random.Random) -> str:
        """Name of some job."""
        return f"copy-{rng.randrange(self._jobs)}"

    def cursor(self, rng: random.Random) -> str:
        """Address of a page in the middle of a study's runs."""
        name = self.a_study(rng)
        page = self._http.get(f"/v1/studies/{name}/runs", params={"limit": min(1000, self._runs // 2)}).json()
        return f"/v1/studies/{name}/runs?cursor={page['next']}"

    def report(self) -> dict[str, Any]:
        """A report of a step that no job has reported."""
        self._step += 1
        return {
            "attempt": 1, "source": "rank0", "step_from": self._step, "step_to": self._step,
            "schedule_version": 1, "loss_sums": dict.fromkeys(self._domains, 200.0),
            "token_counts": dict.fromkeys(self._domains, 64),
        }  # fmt: skip

    @staticmethod
    @contextmanager
    def loading(url: str) -> Iterator[Callable[[uuid.UUID], None]]:
        """A function that loads the finished runs of a study with their values, as a fit does."""
        database = Database(url)

        def load(study_id: uuid.UUID) -> None:
            with database.session() as session:
                finished = runs.completed(session, study_id, sweep_ids=None)
                found = fits.swarm(finished, DOMAINS[:TARGETS])
            if len(found["values"]) != RUNS_OF_A_STUDY * (PENDING_EVERY - 1) // PENDING_EVERY:
                raise RuntimeError(f"{len(found['values'])} runs were loaded")

        try:
            yield load
        finally:
            database.close()

    def _add_study(self, name: str) -> None:
        domains = [{"name": domain, "tokens": 10**9} for domain in self._domains]
        study = self._created(
            "/v1/studies", {"name": name, "domains": domains, "targets": self._domains[:TARGETS]}
        )
        mixture = {"weights": dict.fromkeys(self._domains, 1 / len(self._domains))}
        sweep = self._created(f"/v1/studies/{name}/sweeps", {"mixtures": [mixture], "train": {}})
        told = {
            "study": study["id"], "sweep": sweep["id"], "count": self._runs, "every": PENDING_EVERY,
            "targets": TARGETS, "domains": len(self._domains),
        }  # fmt: skip
        self._connection.execute(_RUNS, told)
        self._connection.execute(_OBSERVATIONS, told)
        self.study_ids.append(uuid.UUID(study["id"]))
        self._names.append(name)

    def _created(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._http.post(path, json=body)
        response.raise_for_status()
        made: dict[str, Any] = response.json()
        return made
