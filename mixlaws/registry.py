"""Name to class for every kind of method; wiring only. A new method is one file and one line here."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from mixlaws.auto.auto import Auto
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
from mixlaws.policies.ado import Ado
from mixlaws.policies.aioli import Aioli
from mixlaws.policies.dga import Dga
from mixlaws.policies.doge import DoGE
from mixlaws.policies.doremi import DoReMi
from mixlaws.policies.dump import Dump
from mixlaws.policies.handwritten import Handwritten
from mixlaws.policies.moe_dynamic import MoeDynamic
from mixlaws.policies.natural import NaturalPolicy
from mixlaws.policies.neucb import Neucb
from mixlaws.policies.odm import Odm
from mixlaws.policies.pike import Pike
from mixlaws.policies.portfolio import Portfolio
from mixlaws.policies.rnb import Rnb
from mixlaws.policies.skillit import SkillIt
from mixlaws.policies.static import Static
from mixlaws.policies.stratified import Stratified
from mixlaws.policies.temperature import TemperaturePolicy
from mixlaws.policies.tikmix_d import TikmixD
from mixlaws.policies.tikmix_m import TikmixM
from mixlaws.policies.unimax import UniMaxPolicy
from mixlaws.policies.velocitune import Velocitune
from mixlaws.policy import AnyPolicy
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.explore import Explore
from mixlaws.proposers.pareto import Pareto
from mixlaws.proposers.separable import SeparableProposer
from mixlaws.proposers.simulate import SimulateAndAverage
from mixlaws.proposers.value_per_flop import ValuePerFlop
from mixlaws.proposers.worst_case import WorstCase
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.regressors.multi_scale import MultiScale
from mixlaws.sampling.chameleon import Chameleon
from mixlaws.sampling.entropy_proxy import EntropyProxy
from mixlaws.sampling.mixmin import MixMin
from mixlaws.sampling.natural import Natural
from mixlaws.sampling.rule import SamplingRule
from mixlaws.sampling.temperature import Temperature
from mixlaws.sampling.unimax import UniMax
from mixlaws.sampling.utilimax import UtiliMax
from mixlaws.scaling.chinchilla import ChinchillaLaw
from mixlaws.scaling.kaplan import KaplanLaw
from mixlaws.scaling.nested import NestedLaw
from mixlaws.scaling.scaling_law import AnyScalingLaw
from mixlaws.scaling.size_law import SizeLaw
from mixlaws.scaling.step_law import StepLaw

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
    "constant": Constant,
    "gaussian_process": GaussianProcess,
    "lightgbm": LightGbm,
    "linear": Linear,
    "multi_scale": MultiScale,
    "rough_gaussian_process": RoughGaussianProcess,
}
PROPOSERS: Mapping[str, type[AnyProposer]] = {
    "convex": ConvexProposer,
    "explore": Explore,
    "pareto": Pareto,
    "separable": SeparableProposer,
    "simulate": SimulateAndAverage,
    "value_per_flop": ValuePerFlop,
    "worst_case": WorstCase,
}
POLICIES: Mapping[str, type[AnyPolicy]] = {
    "ado": Ado,
    "aioli": Aioli,
    "dga": Dga,
    "doge": DoGE,
    "doremi": DoReMi,
    "dump": Dump,
    "handwritten": Handwritten,
    "moe_dynamic": MoeDynamic,
    "natural": NaturalPolicy,
    "neucb": Neucb,
    "odm": Odm,
    "pike": Pike,
    "rnb": Rnb,
    "portfolio": Portfolio,
    "skillit": SkillIt,
    "static": Static,
    "stratified": Stratified,
    "temperature": TemperaturePolicy,
    "tikmix_d": TikmixD,
    "tikmix_m": TikmixM,
    "unimax": UniMaxPolicy,
    "velocitune": Velocitune,
}
ESTIMATORS: Mapping[str, type[AnyEstimator]] = {"auto": Auto, **LAWS, **REGRESSORS}
SCALING: Mapping[str, type[AnyScalingLaw]] = {
    "chinchilla": ChinchillaLaw,
    "kaplan": KaplanLaw,
    "nested": NestedLaw,
    "size": SizeLaw,
    "step": StepLaw,
}
SAMPLING: Mapping[str, type[SamplingRule]] = {
    "chameleon": Chameleon,
    "entropy": EntropyProxy,
    "mixmin": MixMin,
    "natural": Natural,
    "temperature": Temperature,
    "unimax": UniMax,
    "utilimax": UtiliMax,
}

M = TypeVar("M")
E = TypeVar("E", bound=Any)


def method(kind: str, table: Mapping[str, type[M]], name: str, /) -> type[M]:
    """Look a method up.

    Raises:
        UnknownMethodError: the table has no such name; the message lists those it has.
    """
    try:
        return table[name]
    except KeyError:
        raise UnknownMethodError(kind, name, sorted(table)) from None


def for_objective(estimator: E, objective: Mapping[str, float], /) -> E:
    """The method, told what a proposal will minimise, if it asks for that and was not told otherwise.

    Args:
        estimator: a method with its hyperparameters.
        objective: coefficients of the targets by name.
    """
    names = {field.name for field in fields(estimator)}
    if "objective" not in names or getattr(estimator, "objective") is not None:  # noqa: B009
        return estimator
    return replace(estimator, objective=dict(objective))
