"""Name to class for every kind of method; wiring only. A new method is one file and one line here."""

from collections.abc import Mapping
from typing import TypeVar

from mixlaws.designs.regmix import RegMixSampler
from mixlaws.designs.sobol import SobolDesign
from mixlaws.errors import UnknownMethodError
from mixlaws.estimator import AnyEstimator, AnyProposer, Design
from mixlaws.laws.additive import AdditiveLaw
from mixlaws.laws.bimix import BiMix
from mixlaws.laws.effective_transfer import EffectiveTransfer
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.implicit import ImplicitLaw
from mixlaws.laws.log_linear import LogLinearLaw
from mixlaws.laws.multilingual import Multilingual
from mixlaws.laws.shared_amplitude import SharedAmplitudeLaw
from mixlaws.laws.transfer import TransferLaw
from mixlaws.policies.odm import Odm
from mixlaws.policies.static import Static
from mixlaws.policy import AnyPolicy
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.separable import SeparableProposer
from mixlaws.proposers.simulate import SimulateAndAverage
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear

DESIGNS: Mapping[str, type[Design]] = {
    "regmix": RegMixSampler,
    "sobol": SobolDesign,
}
LAWS: Mapping[str, type[AnyEstimator]] = {
    "additive": AdditiveLaw,
    "bimix": BiMix,
    "effective_transfer": EffectiveTransfer,
    "exponential": ExponentialLaw,
    "implicit": ImplicitLaw,
    "log_linear": LogLinearLaw,
    "multilingual": Multilingual,
    "shared_amplitude": SharedAmplitudeLaw,
    "transfer": TransferLaw,
}
REGRESSORS: Mapping[str, type[AnyEstimator]] = {
    "gaussian_process": GaussianProcess,
    "lightgbm": LightGbm,
    "linear": Linear,
}
PROPOSERS: Mapping[str, type[AnyProposer]] = {
    "convex": ConvexProposer,
    "separable": SeparableProposer,
    "simulate": SimulateAndAverage,
}
POLICIES: Mapping[str, type[AnyPolicy]] = {
    "odm": Odm,
    "static": Static,
}
ESTIMATORS: Mapping[str, type[AnyEstimator]] = {**LAWS, **REGRESSORS}

M = TypeVar("M")


def method(kind: str, table: Mapping[str, type[M]], name: str, /) -> type[M]:
    """Look a method up.

    Raises:
        UnknownMethodError: the table has no such name; the message lists those it has.
    """
    try:
        return table[name]
    except KeyError:
        raise UnknownMethodError(kind, name, sorted(table)) from None
