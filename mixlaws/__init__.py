"""Mixing laws, designs, proposers and policies: the mathematics of data mixtures, over plain arrays."""

from mixlaws.domains import DomainSet
from mixlaws.errors import (
    CurveTooShortError,
    FitError,
    InfeasibleError,
    InvalidInputError,
    MissingDomainError,
    MixlawsError,
    RunsAlikeError,
    StateError,
    SwarmTooSmallError,
    UnknownDomainError,
    UnknownMethodError,
    UnknownTargetError,
    WeightsError,
)
from mixlaws.estimator import Estimator, Predictor, Proposal, ScaledPredictor
from mixlaws.policy import Feedback, OnlinePolicy, Signal, Stage
from mixlaws.problem import MixtureProblem
from mixlaws.scaling.curves import LossCurves
from mixlaws.swarm import Swarm
from mixlaws.validation import CrossValidation, Scores, cross_validate

__all__ = [
    "CrossValidation",
    "CurveTooShortError",
    "DomainSet",
    "Estimator",
    "Feedback",
    "FitError",
    "InfeasibleError",
    "InvalidInputError",
    "LossCurves",
    "MissingDomainError",
    "MixlawsError",
    "MixtureProblem",
    "OnlinePolicy",
    "Predictor",
    "Proposal",
    "RunsAlikeError",
    "ScaledPredictor",
    "Scores",
    "Signal",
    "Stage",
    "StateError",
    "Swarm",
    "SwarmTooSmallError",
    "UnknownDomainError",
    "UnknownMethodError",
    "UnknownTargetError",
    "WeightsError",
    "cross_validate",
]
