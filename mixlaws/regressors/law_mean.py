"""A Gaussian process around a law, which is its mean function.

    y = m(w) g(w),    m the fitted law, log g a Gaussian process.

Far from the runs g goes back to its mean, and the law carries the prediction on. Ratios y / m to a law that
saw the runs are too near to 1, all the more the fewer runs there are: the variance of log g is widened by
the mean square of log (y / m) over laws that did not see the run, in units of that over the law that did.
Source: a mean function that is fitted first, Rasmussen and Williams 2006, section 2.7; the widening is ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import FitError, SwarmTooSmallError
from mixlaws.laws.additive import AdditiveLaw
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.fitting import FittedLaw, Law
from mixlaws.laws.transfer import TransferLaw
from mixlaws.regressors.process import SCHEMA, GaussianProcessPredictor
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate

LawName: TypeAlias = Literal["additive", "exponential", "transfer"]
LAWS: Mapping[str, Law] = {
    "additive": AdditiveLaw(),
    "exponential": ExponentialLaw(),
    "transfer": TransferLaw(),
}
_FOLDS = 8


@dataclass(frozen=True, eq=False)
class LawMeanPredictor:
    """A fitted law and a fitted process of the ratio to it.

    It has no held-out predictions in closed form: the law saw every run, so that it is refitted by fold.
    """

    law: FittedLaw
    process: GaussianProcessPredictor

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior medians, in the unit of the targets."""
        return self.law.predict(weights) * self.process.predict(weights)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the predictions."""
        by_law = self.process.predict(weights)[:, :, None] * self.law.jacobian(weights)
        return np.asarray(by_law + self.law.predict(weights)[:, :, None] * self.process.jacobian(weights))

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior standard deviations of the noise-free targets, the law taken for known."""
        return self.law.predict(weights) * self.process.deviation(weights)

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the noise-free targets; targets are independent of each other."""
        return self.law.predict(weights) * self.process.sample(weights, count=count, rng=rng)

    def dump(self) -> JsonObject:
        """Law and process as JSON."""
        return {
            "schema": SCHEMA,
            "regressor": "gaussian_process",
            "law": self.law.dump(),
            "process": self.process.dump(),
        }


def fit_around(
    name: LawName,
    fit: Callable[[Swarm], GaussianProcessPredictor],
    swarm: Swarm,
    /,
    *,
    rng: np.random.Generator,
) -> LawMeanPredictor:
    """Fit a law, and a process of the ratio to it.

    Args:
        name: of the law.
        fit: the process with its hyperparameters.
        swarm: the runs.
        rng: seeds law and folds.

    Raises:
        SwarmTooSmallError: too few runs for the law without an eighth of them.
        FitError: a value is not positive.
    """
    if swarm.values.min() <= 0:
        target = swarm.targets[int(swarm.values.min(axis=0).argmin())]
        raise FitError(
            f"target {target!r} has the value {swarm.values.min():.6g}, and a process around a law is one of "
            "ratios to it: add a constant to the target, or use the constant mean"
        )
    law, (law_rng, fold_rng) = LAWS[name], rng.spawn(2)
    fitted = law.fit(swarm, rng=law_rng)
    try:
        unseen = cross_validate(law.settled(fitted), swarm, folds=_FOLDS, rng=fold_rng).predicted
    except SwarmTooSmallError as error:
        method = f"a process around the {name} law, which is fitted without each eighth of the runs,"
        needed = len(swarm) + error.needed - error.got
        raise SwarmTooSmallError(method=method, needed=needed, got=len(swarm)) from None
    # A law that runs wild in one fold reaches as far again as values do, at most.
    lowest, highest = swarm.values.min(axis=0), swarm.values.max(axis=0)
    unseen = np.clip(unseen, lowest**2 / highest, highest**2 / lowest)
    ratio = swarm.values / fitted.predict(swarm.weights)
    process = fit(replace(swarm, values=ratio))
    off, off_unseen = ((np.log(r) ** 2).mean(axis=0) for r in (ratio, swarm.values / unseen))
    widening = np.maximum(off_unseen / np.maximum(off, np.finfo(np.float64).tiny), 1.0)
    widened = np.where(off > 0, process.amplitude * widening, process.amplitude)
    return LawMeanPredictor(fitted, replace(process, amplitude=frozen(widened)))


def load_around(raw: JsonObject, /) -> LawMeanPredictor:
    """Rebuild a predictor from its dump."""
    law = LAWS[raw["law"]["law"]].load(raw["law"])
    return LawMeanPredictor(law, GaussianProcessPredictor.load(raw["process"]))
