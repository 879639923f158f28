"""What policies share that choose one mixture before training and keep it: the baselines."""

from abc import abstractmethod

from mixlaws.arrays import FloatArray
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.mixture import MixturePolicy
from mixlaws.problem import MixtureProblem


class FixedPolicy(MixturePolicy):
    """A policy that follows one mixture, whatever is reported; a subclass says which."""

    @abstractmethod
    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the mixture."""

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing needs to be reported."""
        return frozenset()

    def moved(self, weights: FloatArray, feedback: Feedback, /) -> FloatArray | None:  # noqa: ARG002 - protocol
        """Nothing moves it."""
        return None
