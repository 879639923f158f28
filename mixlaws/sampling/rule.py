"""The protocol of rules that choose a mixture from statistics of the domains, without proxy runs.

A rule is a frozen dataclass of hyperparameters. It says which statistics it needs; where somebody measured
them, it gives one mixture within the bounds and caps of a problem, and the same one each time.
"""

from dataclasses import dataclass, fields
from typing import Literal, Protocol

import numpy as np

from mixlaws.arrays import FloatArray, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem

Statistic = Literal[
    "unigram_entropy",
    "joint_entropy",
    "conditional_entropy",
    "von_neumann_entropy",
    "embeddings",
    "utilities",
    "log_probabilities",
    "lengths",
]
# Logarithms of shares below this are held there: exp(-600) is positive, so that caps can still be filled.
_LOWEST_LOGARITHM = -600.0


@dataclass(frozen=True, eq=False)
class Statistics:
    """What was measured of the domains; None where nothing was.

    Args:
        unigram_entropy: (d,) entropy of a token, nats.
        joint_entropy: (d,) entropy of two adjacent tokens, nats.
        conditional_entropy: (d,) entropy of a token given the one before, nats.
        von_neumann_entropy: (d,) entropy of the eigenvalues of a kernel between token embeddings, nats.
        embeddings: (d, e) mean embedding of each domain.
        utilities: (d, t) how much training on a domain alone helps a task; 1 is the best domain's.
        log_probabilities: (x, d) log-probability of each target sequence under each domain's model, nats.
        lengths: (x,) tokens of each target sequence.

    Raises:
        InvalidInputError: a value is NaN or infinite.
    """

    unigram_entropy: FloatArray | None = None
    joint_entropy: FloatArray | None = None
    conditional_entropy: FloatArray | None = None
    von_neumann_entropy: FloatArray | None = None
    embeddings: FloatArray | None = None
    utilities: FloatArray | None = None
    log_probabilities: FloatArray | None = None
    lengths: FloatArray | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            array = frozen(value)
            if not np.all(np.isfinite(array)):
                raise InvalidInputError(f"{field.name} holds NaN or infinity: measure that domain again")
            object.__setattr__(self, field.name, array)

    def need(self, name: Statistic, shape: tuple[int | None, ...], /) -> FloatArray:
        """A statistic of a known shape, where None stands for any length of at least 1.

        Raises:
            InvalidInputError: it was not measured, or its shape is another.
        """
        value: FloatArray | None = getattr(self, name)
        if value is None:
            raise InvalidInputError(f"this rule needs {name}: measure it, or choose a rule that does not")
        fits = value.ndim == len(shape) and all(
            have >= 1 if want is None else have == want for have, want in zip(value.shape, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise InvalidInputError(f"{name} has shape {value.shape}: expected ({wanted})")
        return value


NOTHING = Statistics()


class SamplingRule(Protocol):
    """A rule that chooses a mixture."""

    @property
    def needs(self) -> frozenset[Statistic]:
        """What must have been measured."""
        ...

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:
        """(d,) the mixture, within bounds and caps.

        Raises:
            InvalidInputError: a needed statistic is missing or has another shape.
            InfeasibleError: bounds and caps leave no mixture.
        """
        ...


def softmax_within(logits: FloatArray, problem: MixtureProblem, /) -> FloatArray:
    """(d,) softmax of logits (d,), its ratios kept wherever no bound or cap of the problem holds."""
    shares = np.exp(np.maximum(logits - logits.max(), _LOWEST_LOGARITHM))
    return problem.feasible.fill(shares)
