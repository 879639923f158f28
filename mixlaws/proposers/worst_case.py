"""The mixture whose least fortunate target gains most over the prior.

    min_w  max_t s_t (f_t(w) - f_t(q)) + lambda KL(w || q)    subject to bounds and caps,  q the prior

Where the minimum is not positive, no target is worse than at the prior: the other objectives promise that
for none of them. The maximum is smoothed to log-sum-exp, whose error the sharpness bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.errors import InvalidInputError
from mixlaws.estimator import Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.largest_rise import LargestRise
from mixlaws.proposers.simulate import scored
from mixlaws.proposers.towards_prior import with_slopes


@dataclass(frozen=True)
class WorstCase:
    """Hyperparameters.

    Args:
        kl: lambda, as for the convex proposer.
        sharpness: of the smoothed maximum, per nat; it is off by at most log(t) / sharpness.
        starts: random starts beside the prior and the uniform mixture.
    """

    kl: float = 0.0
    sharpness: float = 300.0
    starts: int = 6

    def __post_init__(self) -> None:
        if not (np.isfinite(self.kl) and self.kl >= 0 and self.sharpness > 0):
            raise InvalidInputError(
                f"kl {self.kl}, sharpness {self.sharpness}: need kl >= 0 and sharpness > 0"
            )

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """The minimum, then minima nearer to the prior.

        Raises:
            FitError: the predictor has no derivatives.
        """
        reference = predictor.predict(problem.prior[None, :])
        active = np.ones(reference.shape[1]) if problem.coefficients is None else problem.coefficients
        worst = LargestRise(with_slopes(predictor), reference, active, self.sharpness)
        found = ConvexProposer(kl=self.kl, starts=self.starts).propose(
            worst, replace(problem, coefficients=None), count=count, rng=rng
        )
        proposals = []
        for proposal in found:
            change = (predictor.predict(proposal.weights[None, :]) - reference)[0, active > 0]
            details = {**proposal.details, "largest_loss": float(change.max())}
            proposals.append(scored(proposal.weights, predictor, problem, details=details))
        return proposals
