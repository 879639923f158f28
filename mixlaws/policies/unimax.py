"""UniMax for a live job: as even as the tokens allow, for the whole job.

Formula and source: `mixlaws.sampling.unimax`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.policies.fixed import FixedPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.unimax import UniMax


@dataclass(frozen=True)
class UniMaxPolicy(FixedPolicy):
    """Follows the mixture of UniMax.

    Args:
        budget_tokens: tokens of the whole job; by default the problem's `final_tokens`.
        max_epochs: how often a domain may be read, beside what the problem allows it.
    """

    budget_tokens: int | None = None
    max_epochs: float = 4.0
    name: ClassVar[str] = "unimax"

    def __post_init__(self) -> None:
        UniMax(max_epochs=self.max_epochs)
        if self.budget_tokens is not None and self.budget_tokens < 1:
            raise InvalidInputError(f"budget_tokens is {self.budget_tokens}: use at least 1")

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the mixture.

        Raises:
            InvalidInputError: neither policy nor problem has a token budget.
            InfeasibleError: the domains hold too few tokens for the budget.
        """
        budget = problem.final_tokens if self.budget_tokens is None else self.budget_tokens
        if budget is None:
            raise InvalidInputError(
                "unimax shares out a token budget: give it budget_tokens, the tokens of the whole job"
            )
        return UniMax(max_epochs=self.max_epochs).mixture(replace(problem, final_tokens=budget))
