"""What `mixwright plan` works out: the method, the model size it plans for, and the account of all sizes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mixlaws.auto.members import MEMBERS
from mixlaws.auto.stack import Stack
from mixlaws.errors import FitError
from mixlaws.estimator import AnyEstimator
from mixlaws.planning import Plan, plan
from mixlaws.registry import ESTIMATORS
from mixlaws.scales import scales_of
from mixlaws.scaling.proxy_sizes import ProxySize, most_informative, proxy_sizes
from mixlaws.swarm import Swarm
from mixlaws.swarm_notes import notes
from mixwright.offline.fitting import objective_of
from mixwright.offline.hyperparameters import build
from mixwright.offline.posing import Constraints, pose


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan, the method that it is for, and the account of the model sizes.

    Args:
        plan: for runs of one model size.
        method: its name; that of the leading member where auto was asked for.
        prior_name: what the prior is, in words.
        notes: what the runs of that size cannot tell.
        model_parameters: the size that is planned for; None where runs name none.
        sizes: account of every size; empty where there are not several.
    """

    plan: Plan
    method: str
    prior_name: str
    notes: list[str]
    model_parameters: float | None
    sizes: list[ProxySize]

    def to_json(self) -> dict[str, Any]:
        """All of it but the resampled curves."""
        raw = asdict(self.plan)
        curve = raw.pop("curve")
        best = most_informative(self.sizes)
        return {
            "method": self.method,
            "prior": self.prior_name,
            "notes": self.notes,
            "model_parameters": self.model_parameters,
            **raw,
            "curve": {"amplitude": curve["amplitude"], "exponent": curve["exponent"]},
            "sizes": [asdict(size) for size in self.sizes],
            "most_informative_per_flop": None if best is None else best.model_parameters,
        }


def plan_runs(
    swarm: Swarm,
    *,
    method: str,
    params: Mapping[str, Any],
    objective: Mapping[str, float],
    constraints: Constraints,
    within: float,
    seed: int,
) -> Planned:
    """Plan for the scale that most runs have, the larger one of equals.

    Args:
        swarm: runs, of several sizes or one.
        method: name of a law or regressor.
        params: hyperparameters that differ from their defaults.
        objective: coefficients by target; empty for all alike.
        constraints: bounds, caps and prior of the mixture that is decided on.
        within: the regret to reach, nats per token.
        seed: of all that is random.
    """
    method_rng, plan_rng = np.random.default_rng(seed).spawn(2)
    coefficients = objective_of(swarm, objective)
    sizes = proxy_sizes(swarm, coefficients)
    scales, numbers = scales_of(swarm)
    counts = np.bincount(numbers)
    most = int(np.flatnonzero(counts == counts.max())[-1])
    size, runs = scales[most].model_parameters, swarm.take(np.flatnonzero(numbers == most))
    estimator = build("method", ESTIMATORS, method, params)
    name, chosen = _settled(method, estimator, runs, method_rng)
    posed = pose(runs, constraints, coefficients)
    found = plan(chosen, runs, posed.problem, within=within, rng=plan_rng)
    return Planned(found, name, posed.prior_name, notes(runs), size, sizes)


def _settled(
    method: str, estimator: AnyEstimator, runs: Swarm, rng: np.random.Generator
) -> tuple[str, AnyEstimator]:
    """The method itself, or the member that leads a stack: a stack for every subset would take minutes."""
    if method != "auto":
        return method, estimator
    fitted = estimator.fit(runs, rng=rng)
    if not isinstance(fitted, Stack):
        raise FitError("auto gave no stack: name another method")
    leading = max(fitted.table, key=lambda row: row.weight).member
    return leading, MEMBERS[leading].estimator
