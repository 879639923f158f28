"""Random problems with groups and a distance from the prior, known to be feasible or left to chance."""

from dataclasses import replace

import numpy as np

from mixlaws.feasible.constraints import Group, Measure, PriorDistance, distances
from mixlaws.problem import MixtureProblem
from mixlaws.simulation import Simulation


def feasible(seed: int) -> tuple[Simulation, MixtureProblem]:
    """A simulation, and its problem with constraints that one mixture is known to satisfy."""
    rng = np.random.default_rng(seed)
    simulation = Simulation.create(domains=int(rng.integers(3, 8)), rng=rng)
    base = simulation.problem
    d, names = len(base.domains), base.domains.names
    known = 0.5 * rng.dirichlet(np.ones(d)) + 0.5 * base.prior
    first, second, _ = np.array_split(rng.permutation(d), 3)
    kept = first if rng.integers(2) and len(first) > 1 else np.array([], dtype=int)
    known[kept] = known[kept].sum() * base.prior[kept] / base.prior[kept].sum()
    outer = np.concatenate([first, second])
    groups = []
    for name, part in (("inner", first), ("outer", outer)):
        total = known[part].sum()
        low, high = total * rng.uniform(0.5, 1), min(1.0, total + (1 - total) * rng.uniform(0, 0.5))
        members = tuple(names[at] for at in part)
        groups.append(Group(name, members, low, high, keep_proportions=name == "inner" and len(kept) > 0))
    bounded = rng.uniform(size=(2, d)) < 0.4
    lower = np.where(bounded[0], known * rng.uniform(0, 1, d), 0.0)
    upper = np.where(bounded[1], known + (1 - known) * rng.uniform(0, 0.5, d), 1.0)
    measure = [None, Measure.KL, Measure.L1][seed % 3]
    distance = None
    if measure is not None:
        away = float(distances(known[None, :], base.prior, measure)[0])
        distance = PriorDistance(measure, away * rng.uniform(1, 1.5))
    return simulation, replace(base, lower=lower, upper=upper, groups=tuple(groups), distance=distance)
