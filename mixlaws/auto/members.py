"""The ladder: what `auto` tries, from a constant to trees, and what each of them costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mixlaws.estimator import AnyEstimator
from mixlaws.laws.additive import AdditiveLaw
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.fitting import RIDGE_RUNS
from mixlaws.laws.transfer import TransferLaw
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.regressors.multi_scale import MultiScale


class Sizes(NamedTuple):
    """n runs, d domains, t targets, and the folds that a member is refitted for."""

    n: int
    d: int
    t: int
    folds: int = 8


@dataclass(frozen=True)
class Member:
    """A method of the ladder.

    Args:
        estimator: the method with its defaults.
        cost: estimated seconds of its fit and held-out scores on one core of 2024; from the sizes of the
            swarm alone, so that the same swarm always gets the same members.
        parametric: whether it is a law, whose shape carries over to other model sizes.
        useful_from: runs below which it was never seen to be of use, and is not run.
        memory: bytes that its predictor holds beside runs and predictions.
        of_scales: whether it is for runs of several scales alone.
        by_parts: whether a fit to some of the runs is worth having where all of them are too many.
    """

    estimator: AnyEstimator
    cost: Callable[[Sizes], float]
    parametric: bool = False
    useful_from: int = 0
    memory: Callable[[Sizes], float] = lambda _: 0.0
    of_scales: bool = False
    by_parts: bool = True


def _exponential(s: Sizes) -> float:
    return (2e-5 * min(s.n, RIDGE_RUNS) + 2e-6 * s.folds * s.n) * s.d * s.t


def _response_of_every_domain(s: Sizes) -> float:
    return (9e-6 * min(s.n, RIDGE_RUNS) + 1.1e-6 * s.folds * s.n) * s.d * (35 + s.d) * s.t


def _process(s: Sizes) -> float:
    return s.t * (0.2 + 1e-10 * s.n**3)


def _process_of_scales(s: Sizes) -> float:
    return s.t * s.folds * (0.06 + 2.5e-9 * s.n**3)


def _factors(s: Sizes) -> float:
    return 8.0 * s.t * s.n**2


MEMBERS: Mapping[str, Member] = {
    "constant": Member(Constant(), lambda _: 0.0, parametric=True),
    "linear": Member(Linear(), lambda s: 2e-9 * s.folds * s.n * s.d * s.t),
    "exponential": Member(ExponentialLaw(), _exponential, parametric=True),
    "transfer": Member(TransferLaw(), _response_of_every_domain, parametric=True),
    "additive": Member(AdditiveLaw(), _response_of_every_domain, parametric=True),
    "gaussian_process": Member(GaussianProcess(), _process, memory=_factors),
    "rough_gaussian_process": Member(RoughGaussianProcess(), _process, memory=_factors),
    # Which root suits a swarm is seldom clear; the two err in different places.
    "rough_gaussian_process_of_square_roots": Member(RoughGaussianProcess(root=2), _process, memory=_factors),
    # Trees live off numbers: a part of the runs never got them a share beside a process of as many.
    "lightgbm": Member(
        LightGbm(), lambda s: s.t * s.folds * (0.06 + 0.00125 * s.n), useful_from=60, by_parts=False
    ),
    "multi_scale": Member(MultiScale(), _process_of_scales, memory=_factors, of_scales=True),
}
