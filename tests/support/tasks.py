"""Background work in the test's own hands: begun when it says so, and computed in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from mixlaws.errors import MixlawsError
from mixlaws.simulation import Simulation
from service.compute.child import Children, ComputationError, computation
from service.errors import ServiceError
from service.refusals import code_of
from service.settings import Settings
from service.tasks.working import Work, Workplace
from tests.support.servers import Service

SIMULATION = Simulation.create(domains=3, rng=np.random.default_rng(3))


class Here(Children):
    """Computations without a process of their own: what a child does, in half a millisecond.

    Args:
        meanwhile: called while a computation runs.
    """

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def compute(self, name: str, raw: dict[str, Any], **_: Any) -> dict[str, Any]:
        self._meanwhile()
        try:
            result = computation(name)(json.loads(json.dumps(raw)))
        except (MixlawsError, ServiceError) as error:
            raise ComputationError(str(error), code=code_of(error)) from None
        told: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False))
        return told


def work_on(
    service: Service, kind: str, row: dict[str, Any], children: Children | None = None, **settings: Any
) -> dict[str, Any]:
    """Work on a fit or proposal as a worker would, once; the row afterwards."""
    place = Workplace(service.database, Settings(**settings), children or Here())
    Work(place, kind, UUID(row["id"])).do()
    return {"fit": service.client.fit, "proposal": service.client.proposal}[kind](row["id"])


@dataclass(frozen=True)
class Measured:
    """Runs of a study.

    Args:
        weights: (n, d) mixtures.
        values: (n, t) losses.
        simulation: whose domains they are of.
    """

    weights: Any
    values: Any
    simulation: Simulation = SIMULATION

    @classmethod
    def simulated(cls, count: int, seed: int = 5, *, simulation: Simulation = SIMULATION) -> "Measured":
        """Runs of a known truth."""
        swarm = simulation.swarm(count=count, noise=0.01, rng=np.random.default_rng(seed))
        return cls(swarm.weights, swarm.values, simulation)

    def stored(self, service: Service, study: str = "trial", *, name: str = "run", **more: Any) -> None:
        """Create a study, of which `more` may be said, and import the runs into it."""
        known = self.simulation.problem.domains
        names = known.names
        domains = [{"name": n, "tokens": t} for n, t in zip(names, known.tokens, strict=True)]
        service.client.create_study({"name": study, "domains": domains, **more})
        rows = [
            {
                "name": f"{name}-{at}",
                "weights": dict(zip(names, map(float, weights), strict=True)),
                "losses": dict(zip(names, map(float, values), strict=True)),
            }
            for at, (weights, values) in enumerate(zip(self.weights, self.values, strict=True))
        ]
        if rows:
            service.client.import_runs(study, rows)


def queued(service: Service, row_id: str) -> int:
    """How many tasks the queue holds for a row."""
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND args ->> 'row_id' = :row"
    with service.database.session() as session:
        return int(session.scalar(text(query), {"row": row_id}) or 0)
