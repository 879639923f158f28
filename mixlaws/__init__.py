"""Mixing laws, designs, proposers and policies: the mathematics of data mixtures, over plain arrays."""

from mixlaws.domains import DomainSet
from mixlaws.errors import (
    FitError,
    InfeasibleError,
    InvalidInputError,
    MissingDomainError,
    MixlawsError,
    StateError,
    SwarmTooSmallError,
    UnknownDomainError,
    UnknownMethodError,
    WeightsError,
)
from mixlaws.estimator import Estimator, Predictor, Proposal
from mixlaws.policy import Feedback, OnlinePolicy, Signal, Stage
from mixlaws.problem import MixtureProblem
from mixlaws.swarm import Swarm
from mixlaws.validation import CrossValidation, Scores, cross_validate

__all__ = [
    "CrossValidation",
    "DomainSet",
    "Estimator",
    "Feedback",
    "FitError",
    "InfeasibleError",
    "InvalidInputError",
    "MissingDomainError",
    "MixlawsError",
    "MixtureProblem",
    "OnlinePolicy",
    "Predictor",
    "Proposal",
    "Scores",
    "Signal",
    "Stage",
    "StateError",
    "Swarm",
    "SwarmTooSmallError",
    "UnknownDomainError",
    "UnknownMethodError",
    "WeightsError",
    "cross_validate",
]
