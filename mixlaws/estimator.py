"""The protocols that every law, regressor, design and proposer follows.

Lifecycle: an estimator holds frozen hyperparameters and no data. `fit` returns a separate, immutable
predictor, so that only a fitted thing can predict. Randomness is always a passed generator. Whatever
must outlive the process dumps to JSON with a `"schema"` number, and loads from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.problem import MixtureProblem
from mixlaws.swarm import Swarm

if TYPE_CHECKING:
    from mixlaws.validation import CrossValidation

P_co = TypeVar("P_co", bound="Predictor", covariant=True)
P_contra = TypeVar("P_contra", bound="Predictor", contravariant=True)


@runtime_checkable
class Predictor(Protocol):
    """A fitted, immutable map from mixtures to targets."""

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """Predict (n, t) targets of (n, d) mixtures, at the scale that was fitted."""
        ...

    def dump(self) -> JsonObject:
        """Everything that `Estimator.load` needs to predict the same."""
        ...


@runtime_checkable
class DifferentiablePredictor(Predictor, Protocol):
    """A predictor with exact derivatives."""

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the targets by the weights, as if weights were free of the simplex."""
        ...


@runtime_checkable
class RescalablePredictor(Predictor, Protocol):
    """A predictor of one scale that knows how model size or training tokens move its targets."""

    def at(self, *, model_parameters: float | None = None, tokens: float | None = None) -> Predictor:
        """The predictor for runs of another scale; what is not named stays as it is.

        Raises:
            InvalidInputError: the law does not know that scale, or the value is not positive.
        """
        ...


@runtime_checkable
class ProbabilisticPredictor(Predictor, Protocol):
    """A predictor that knows how sure it is."""

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) standard deviations of the noise-free targets."""
        ...

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the targets."""
        ...


@runtime_checkable
class HeavyTailedPredictor(ProbabilisticPredictor, Protocol):
    """A predictor whose errors have heavier tails than a normal distribution."""

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the Student's t that its errors follow; see `mixlaws.intervals`."""
        ...


@runtime_checkable
class PolledPredictor(Predictor, Protocol):
    """A predictor made of others, which can be asked one by one."""

    def opinions(self, weights: FloatArray, /) -> Mapping[str, tuple[FloatArray, FloatArray]]:
        """By member with a say: its (t,) shares, and what it predicts alone, (n, t)."""
        ...


@runtime_checkable
class SelfScoredPredictor(Predictor, Protocol):
    """A predictor that scored its members on runs which they did not see."""

    @property
    def table(self) -> Sequence[Any]:
        """Rows of the score table, each a dataclass of plain values."""
        ...

    @property
    def verdict(self) -> str:
        """What the table says, in one sentence."""
        ...

    @property
    def held_out(self) -> "CrossValidation | None":
        """Predictions of the fitted runs by fits that did not see them; None where they were not kept."""
        ...


@runtime_checkable
class ScaledPredictor(Protocol):
    """A fitted law that knows model size and tokens; it predicts once a scale is named."""

    def at(self, *, model_parameters: float, tokens: float) -> Predictor:
        """The predictor for one scale, which says in its `dump` for which one it holds.

        Raises:
            InvalidInputError: the law says nothing of that scale.
        """
        ...

    def dump(self) -> JsonObject:
        """Everything that `ScalingLaw.load` needs to predict the same."""
        ...


class Estimator(Protocol[P_co]):
    """Hyperparameters of a law or regressor: a frozen dataclass without data.

    A class whose fits tell runs of several scales apart names these in a class variable `scales`, as the
    columns of a swarm are called: "model_parameters", "tokens".
    """

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> P_co:
        """Fit all targets of a swarm.

        Raises:
            SwarmTooSmallError: the method needs more runs.
            FitError: no finite fit was found.
        """
        ...

    def load(self, raw: JsonObject, /) -> P_co:
        """Rebuild a predictor from its dump.

        Raises:
            StateError: the dump is of another class or schema.
        """
        ...


class Design(Protocol):
    """A rule that chooses the mixtures of a sweep."""

    def design(self, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, d) mixtures within the bounds and caps of the problem."""
        ...


@dataclass(frozen=True, eq=False)
class Proposal:
    """A mixture put forward.

    Args:
        weights: (d,) the mixture, within bounds and caps.
        predicted: (t,) predicted targets.
        deviation: (t,) their standard deviations, or None if the predictor does not know.
        half_width: (t,) half of the 95 % interval of a run's targets, or None likewise.
        objective: the combination of the predicted targets that was minimised.
        details: how the answer came about, for people to read.
        gain_by_member: fall of the objective against the prior, as each member of a stack predicts it alone.
    """

    weights: FloatArray
    predicted: FloatArray
    deviation: FloatArray | None
    objective: float
    details: Mapping[str, float] = field(default_factory=dict)
    half_width: FloatArray | None = None
    gain_by_member: Mapping[str, float] = field(default_factory=dict)


class Proposer(Protocol[P_contra]):
    """A rule that turns a predictor into mixtures to run."""

    def propose(
        self, predictor: P_contra, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """Up to `count` distinct proposals, best first.

        Raises:
            FitError: the predictor lacks what the proposer needs, or predicts nothing finite.
        """
        ...


AnyEstimator: TypeAlias = Estimator[Any]
AnyProposer: TypeAlias = Proposer[Any]
