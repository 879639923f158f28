"""UtiliMax: the portfolio of domains that comes closest to full utility in every task, at least risk.

    min_w  1/2 sum_t c_t (1 - sum_j w_j U_jt)^2 + r / 2 sum_j w_j^2    subject to  l <= w <= u, sum(w) = 1

U (d, t) says how much a run on one domain alone helps each task, 1 for the task's best domain. The second
term is the variance of a portfolio whose domains' utilities are unsure to the same degree and independent
of each other: it spreads the weights. Where utilities say nothing it alone decides, and the answer is the
evenest mixture within the caps, that of UniMax.

Source: Held et al. 2025, arXiv:2501.11747. Unverified: the paper's risk term, its coefficient and its exact
normalisation of U, known to us from summaries alone; the variance above and its default are ours. The
paper takes the norm of the shortfall and not its square: without risk the two have the same minimum.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.quadratic import minimise_quadratic
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics


@dataclass(frozen=True)
class UtiliMax:
    """Hyperparameters.

    Args:
        risk: r, squared utility; 0 may put everything on one domain.
    """

    risk: float = 0.1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.risk) and self.risk >= 0):
            raise InvalidInputError(f"risk is {self.risk}: use a finite value >= 0")

    @property
    def needs(self) -> frozenset[Statistic]:
        """The utility of each domain for each task."""
        return frozenset({"utilities"})

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:
        """(d,) the exact minimum within bounds and caps.

        Raises:
            InvalidInputError: there are no utilities, not one objective coefficient for each task, or
                constraints beyond bounds and caps.
        """
        if not problem.feasible.bounds_alone:
            raise InvalidInputError("UtiliMax knows bounds and caps alone: leave groups and distance out")
        utilities = statistics.need("utilities", (len(problem.domains), None))
        tasks = utilities.shape[1]
        coefficients = np.ones(tasks) if problem.coefficients is None else problem.coefficients
        if coefficients.shape != (tasks,):
            raise InvalidInputError(
                f"{len(coefficients)} objective coefficients for {tasks} tasks: give one each"
            )
        # Their sum would change what a risk of 0.1 means.
        weighted = utilities * (coefficients / coefficients.sum())
        matrix = weighted @ utilities.T + self.risk * np.eye(len(utilities))
        return minimise_quadratic(
            0.5 * (matrix + matrix.T), weighted.sum(axis=1), problem.lower, problem.caps
        )


def relative_utilities(losses: FloatArray, reference: FloatArray, /) -> FloatArray:
    """Utilities (d, t) from the losses of runs on one domain each: the share of the best improvement.

    Args:
        losses: (d, t) losses after training on each domain alone.
        reference: (t,) losses without that training, or with the natural mixture.

    Raises:
        InvalidInputError: shapes disagree, or no domain improves on the reference of some task.
    """
    if losses.ndim != 2 or reference.shape != losses.shape[1:]:
        raise InvalidInputError(
            f"losses have shape {losses.shape}, reference {reference.shape}: expected (d, t) and (t,)"
        )
    best = reference - losses.min(axis=0)
    if not np.all(best > 0):
        task = int(np.argmin(best))
        raise InvalidInputError(
            f"no domain has a loss below the reference {reference[task]:.6g} of task {task}: leave it out"
        )
    return np.asarray((reference - losses) / best)
