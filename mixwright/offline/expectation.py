"""What a proposal rests on: a fit made now, or one that was written before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor
from mixlaws.registry import ESTIMATORS, for_objective
from mixlaws.scales import check_known
from mixlaws.swarm import Swarm
from mixwright.offline import fit_file, loading
from mixwright.offline.fitting import default_method, objective_of
from mixwright.offline.hyperparameters import build, settings
from mixwright.problems import CommandError


@dataclass(frozen=True, eq=False)
class Expectation:
    """A predictor with the runs it was fitted to and the (t,) coefficients of the objective."""

    method: str
    predictor: Predictor
    swarm: Swarm
    coefficients: FloatArray


def expectation(
    swarm: Swarm,
    stored: Path | None,
    method: str | None,
    setting: Sequence[str] | None,
    target: Sequence[str] | None,
    objective: Mapping[str, float],
    *,
    seed: int,
) -> Expectation:
    """The predictor of a file, or one of these runs; the same seed gives the same as `mixwright fit`.

    Raises:
        CommandError: options of a fit stand beside a file that holds one.
    """
    if stored is not None:
        if method or setting or target:
            raise CommandError(f"{stored} has its method and targets: leave --method, --set and --target out")
        fit = fit_file.read(stored)
        runs = fit_file.of_these_runs(fit, swarm)
        return Expectation(fit.method, fit.predictor, runs, fit_file.coefficients(fit, runs, objective))
    name = method or default_method()
    estimator = build("method", ESTIMATORS, name, settings(setting))
    runs = loading.chosen(swarm, target)
    coefficients = objective_of(runs, objective)
    check_known(name, estimator, runs)
    estimator = for_objective(estimator, dict(zip(runs.targets, coefficients.tolist(), strict=True)))
    predictor = estimator.fit(runs, rng=np.random.default_rng(seed).spawn(2)[0])
    return Expectation(name, predictor, runs, coefficients)
