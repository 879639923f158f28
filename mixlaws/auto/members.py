"""The ladder: what `auto` tries, from a constant to trees, and what each of them costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mixlaws.estimator import AnyEstimator
from mixlaws.laws.additive import AdditiveLaw
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.transfer import TransferLaw
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.regressors.multi_scale import MultiScale


class Sizes(NamedTuple):
    """n runs, d domains, t targets."""

    n: int
    d: int
    t: int


@dataclass(frozen=True)
class Member:
    """A method of the ladder.

    Args:
        estimator: the method with its defaults.
        cost: estimated seconds of its fit and held-out scores on one core of 2024; from the sizes of the
            swarm alone, so that the same swarm always gets the same members.
        parametric: whether it is a law, whose shape carries over to other model sizes.
        useful_from: runs below which it was never seen to be of use, and is not run.
        of_scales: whether it is for runs of several scales alone.
    """

    estimator: AnyEstimator
    cost: Callable[[Sizes], float]
    parametric: bool = False
    useful_from: int = 0
    of_scales: bool = False


MEMBERS: Mapping[str, Member] = {
    "constant": Member(Constant(), lambda _: 0.0, parametric=True),
    "linear": Member(Linear(), lambda s: 1e-6 * s.n * s.d * s.t),
    "exponential": Member(ExponentialLaw(), lambda s: 5e-5 * s.n * s.d * s.t, parametric=True),
    "transfer": Member(TransferLaw(), lambda s: 7e-5 * s.n * s.d**2 * s.t, parametric=True),
    "additive": Member(AdditiveLaw(), lambda s: 5e-5 * s.n * s.d**2 * s.t, parametric=True),
    "gaussian_process": Member(GaussianProcess(), lambda s: s.t * (0.2 + 2e-9 * s.n**3)),
    "rough_gaussian_process": Member(RoughGaussianProcess(), lambda s: s.t * (0.1 + 1e-9 * s.n**3)),
    # Which root suits a swarm is seldom clear; the two err in different places.
    "rough_gaussian_process_of_square_roots": Member(
        RoughGaussianProcess(root=2), lambda s: s.t * (0.1 + 1e-9 * s.n**3)
    ),
    "lightgbm": Member(LightGbm(), lambda s: s.t * (0.5 + 0.01 * s.n), useful_from=60),
    "multi_scale": Member(MultiScale(), lambda s: s.t * (0.5 + 2e-8 * s.n**3), of_scales=True),
}
