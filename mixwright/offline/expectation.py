"""What a proposal rests on: a fit made now, or one that was written before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor
from mixlaws.registry import ESTIMATORS, for_objective
from mixlaws.scales import check_known, holds_for
from mixlaws.swarm import Swarm
from mixwright.offline import fit_file
from mixwright.offline.fitting import default_method, objective_of
from mixwright.offline.hyperparameters import build, settings
from mixwright.offline.loading import Loaded
from mixwright.offline.options import Fitting, Reading
from mixwright.problems import CommandError


@dataclass(frozen=True, eq=False)
class Expectation:
    """A predictor with the runs it was fitted to and the (t,) coefficients of the objective."""

    method: str
    predictor: Predictor
    swarm: Swarm
    coefficients: FloatArray

    def to_json(self) -> dict[str, Any]:
        """The method, and the scale that it predicts for."""
        return {"method": self.method, "scale": holds_for(self.predictor, self.swarm)._asdict()}


def expectation(loaded: Loaded, stored: Path | None, fitting: Fitting, reading: Reading) -> Expectation:
    """The predictor of a file, or one of these runs; the same seed gives the same as `mixwright fit`.

    Raises:
        CommandError: options of a fit stand beside a file that holds one.
    """
    if stored is not None:
        if fitting.method or fitting.setting or reading.target:
            raise CommandError(f"{stored} has its method and targets: leave --method, --set and --target out")
        fit = fit_file.read(stored)
        runs = fit_file.of_these_runs(fit, loaded.swarm)
        return Expectation(
            fit.method, fit.predictor, runs, fit_file.coefficients(fit, runs, loaded.objective)
        )
    name = fitting.method or default_method()
    estimator = build("method", ESTIMATORS, name, settings(fitting.setting))
    coefficients = objective_of(loaded.swarm, loaded.objective)
    check_known(name, estimator, loaded.swarm)
    estimator = for_objective(estimator, dict(zip(loaded.swarm.targets, coefficients.tolist(), strict=True)))
    predictor = estimator.fit(loaded.swarm, rng=np.random.default_rng(fitting.seed).spawn(2)[0])
    return Expectation(name, predictor, loaded.swarm, coefficients)
