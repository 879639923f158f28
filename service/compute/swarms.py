"""Swarms and problems from the JSON that a task hands to its child."""

from dataclasses import asdict
from typing import Any

import numpy as np

from mixlaws.domains import DomainSet
from mixlaws.feasible.constraints import Group, PriorDistance
from mixlaws.problem import MixtureProblem
from mixlaws.swarm import Swarm


def dump_problem(problem: MixtureProblem) -> dict[str, Any]:
    """A problem as JSON."""
    return {
        "domains": dict(zip(problem.domains.names, problem.domains.tokens, strict=True)),
        "prior": problem.prior.tolist(),
        "lower": problem.lower.tolist(),
        "upper": problem.upper.tolist(),
        "final_tokens": problem.final_tokens,
        "max_epochs": dict(problem.epochs_by_name),
        "groups": [asdict(group) for group in problem.groups],
        "distance": None if problem.distance is None else asdict(problem.distance),
        "coefficients": None if problem.coefficients is None else problem.coefficients.tolist(),
    }


def load_problem(raw: dict[str, Any]) -> MixtureProblem:
    """A problem from its JSON."""
    coefficients, distance = raw["coefficients"], raw["distance"]
    domains = DomainSet.from_tokens(raw["domains"])
    return MixtureProblem(
        domains=domains,
        prior=np.array(raw["prior"]),
        lower=np.array(raw["lower"]),
        upper=np.array(raw["upper"]),
        final_tokens=raw["final_tokens"],
        max_epochs=domains.to_array(raw["max_epochs"], missing=np.inf) if raw["max_epochs"] else None,
        coefficients=None if coefficients is None else np.array(coefficients),
        groups=tuple(Group(**group) for group in raw["groups"]),
        distance=None if distance is None else PriorDistance(**distance),
    )


def load_swarm(raw: dict[str, Any], domains: DomainSet) -> Swarm:
    """A swarm from its JSON; a column of scale or seeds that is absent or null is unknown."""
    return Swarm(
        domains,
        tuple(raw["targets"]),
        np.array(raw["weights"]),
        np.array(raw["values"]),
        model_parameters=_column(raw, "model_parameters", np.float64),
        tokens=_column(raw, "tokens", np.float64),
        seeds=_column(raw, "seeds", np.int64),
    )


def _column(raw: dict[str, Any], name: str, kind: type[Any]) -> Any:
    column = raw.get(name)
    return None if column is None else np.array(column, dtype=kind)
