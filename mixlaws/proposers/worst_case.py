"""The mixture whose least fortunate target gains most over the prior.

    min_w  max_t s_t (f_t(w) - f_t(q)) + lambda KL(w || q)    subject to bounds and caps,  q the prior

Where the minimum is not positive, no target is worse than at the prior: the other objectives promise that
for none of them. The maximum is smoothed to log-sum-exp, whose error the sharpness bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, softmax

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import DifferentiablePredictor, Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import scored
from mixlaws.proposers.towards_prior import with_slopes


@dataclass(frozen=True, eq=False)
class _Worst:
    """One target: the smoothed largest loss against the prior, over targets that the objective names."""

    predictor: DifferentiablePredictor
    reference: FloatArray
    active: FloatArray
    sharpness: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        return np.asarray(logsumexp(self._scaled(weights), axis=1, keepdims=True) / self.sharpness)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        emphasis = softmax(self._scaled(weights), axis=1)
        slopes = self.predictor.jacobian(weights)[:, self.active > 0]
        return np.asarray(np.einsum("nt,ntd->nd", emphasis, slopes)[:, None, :])

    def dump(self) -> JsonObject:
        return {"schema": 1, "worst_of": self.predictor.dump()}

    def _scaled(self, weights: FloatArray) -> FloatArray:
        changes = (self.predictor.predict(weights) - self.reference)[:, self.active > 0]
        return np.asarray(self.sharpness * changes)


@dataclass(frozen=True)
class WorstCase:
    """Hyperparameters.

    Args:
        kl: lambda, as for the convex proposer.
        sharpness: of the smoothed maximum, per nat; it is off by at most log(t) / sharpness.
    """

    kl: float = 0.0
    sharpness: float = 300.0

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
        worst = _Worst(with_slopes(predictor), reference, active, self.sharpness)
        found = ConvexProposer(kl=self.kl).propose(
            worst, replace(problem, coefficients=None), count=count, rng=rng
        )
        proposals = []
        for proposal in found:
            change = (predictor.predict(proposal.weights[None, :]) - reference)[0, active > 0]
            details = {**proposal.details, "largest_loss": float(change.max())}
            proposals.append(scored(proposal.weights, predictor, problem, details=details))
        return proposals
