"""DoGE: domains whose gradients point where those of the targets do get more.

    score_i = lr sum_j <g_i, g_j> / (mean_i |g_i| + 1e-6),  held within [lr least, lr most]
    u_i proportional to  w_i exp(score_i / mu);             w_i = (1 - c) u_i + c / d

with g_i the gradient of the mean loss of domain i, cut down to a largest norm, and j over targets. Weights
start equal. What the method is for is their running average over a small model's run, the start not counted:
`average` gives it, a static mixture for the large model and a candidate like any proposal. As released, the
small model draws its domains alike and weighs their losses by w.

The learning rate belongs into the score: weights move fastest at its peak and come to rest with it. As
scores are held at 0 from below, a gradient against the targets is not punished.

If targets are the domains themselves, the product of a domain with itself counts, as it does in the released
code, whose rule to leave it out never applies; `own_targets` leaves it out. A target that has the name of a
domain is that domain. A domain that was absent, or whose product with a target is missing, has the score 0,
as in the re-implementation of Chen et al. 2024, arXiv:2411.05735; the released code may go on with what it
measured last. The mean of norms is one of the domains that were observed; products without any norm teach
nothing, and are refused as long as no norm ever came.

Feedback over F steps moves as F steps with its products would: scores are multiplied by F.

Source: Fan et al. 2023, arXiv:2310.15393, and the released code. Gradients of targets are not cut down here,
as their norms are not reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.measurements import GradientProducts
from mixlaws.policies.arithmetic import stepped
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1
_LEAST_NORM = 1e-6  # of the released code: keeps divisors above 0


@dataclass(frozen=True, eq=False)
class DoGEState:
    """State between updates.

    Args:
        names: (d,) names whose order all arrays follow.
        weights: (d,) w.
        average: (d,) running average of w; equal weights before the first update.
        averaged_steps: steps in the average.
    """

    names: tuple[str, ...]
    weights: FloatArray
    average: FloatArray
    averaged_steps: int


@dataclass(frozen=True)
class DoGE:
    """Hyperparameters; the defaults are those of the released configuration.

    Args:
        mu: how much a mixture resists; scores are divided by it.
        smoothing: c, share of the uniform mixture.
        least: lower end of a score, in learning rates.
        most: upper end of a score, in learning rates.
        clip_norm: norm that the gradient of a domain is cut down to; None for any norm.
        own_targets: whether the product of a domain with the target of the same name counts.
    """

    mu: float = 0.01
    smoothing: float = 0.0
    least: float = 0.0
    most: float = 5.0
    clip_norm: float | None = 5.0
    own_targets: bool = True

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mu) and self.mu > 0) or not 0 <= self.smoothing <= 1:
            raise InvalidInputError(
                f"mu {self.mu}, smoothing {self.smoothing}: need a finite value > 0 and one from 0 to 1"
            )
        if not (np.isfinite([self.least, self.most]).all() and self.least <= self.most):
            raise InvalidInputError(
                f"least {self.least}, most {self.most}: need finite values, the first not above the second"
            )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise InvalidInputError(f"clip_norm is {self.clip_norm}: use a value > 0, or none")

    @property
    def signals(self) -> frozenset[Signal]:
        """Products of gradients, with the norms of those of the domains."""
        return frozenset({Signal.GRAD_PRODUCTS})

    def init(self, problem: MixtureProblem, /) -> DoGEState:
        """Equal weights, whatever the prior."""
        d = len(problem.domains)
        uniform = frozen(np.full(d, 1.0 / d))
        return DoGEState(problem.domains.names, uniform, uniform, 0)

    def update(self, state: DoGEState, feedback: Feedback, /) -> DoGEState:
        """One update for every feedback that has a product.

        Raises:
            InvalidInputError: there are products, and never yet was there a norm of any domain.
        """
        products = feedback.grad_products
        if products is None or not products.observed.any():
            return state
        if not np.isfinite(products.norms).any():
            if state.averaged_steps:  # the trainer does send norms, only not this time
                return state
            raise InvalidInputError(
                "grad_products came without norms, and scores are divided by their mean: let the trainer "
                "send the norm of every domain's gradient"
            )
        scores = self.scores(state.names, products)
        with np.errstate(over="ignore"):
            weights = stepped(state.weights, feedback.steps * scores / self.mu, self.smoothing)
        count = state.averaged_steps + feedback.steps
        average = (state.average * state.averaged_steps + weights * feedback.steps) / count
        return replace(state, weights=frozen(weights), average=frozen(average), averaged_steps=count)

    def scores(self, names: Sequence[str], products: GradientProducts, /) -> FloatArray:
        """(d,) scores of one step, for domains of these names; 0 where a domain was not observed."""
        if not self.own_targets:
            own = np.array([[name == target for target in products.targets] for name in names])
            products = replace(products, products=np.where(own & products.measured, 0.0, products.products))
        observed = products.observed & np.isfinite(products.norms)
        norms = np.where(observed, products.norms, np.nan)
        cut = np.ones(len(norms))
        if self.clip_norm is not None:
            cut = np.minimum(1.0, self.clip_norm / (norms + _LEAST_NORM))
        rate = products.learning_rate
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.nanmean(cut * norms) if observed.any() else 0.0
            aligned = np.nan_to_num(rate * cut * products.added / (mean + _LEAST_NORM), nan=0.0)
        return np.where(observed, np.clip(aligned, rate * self.least, rate * self.most), 0.0)

    def stages(self, state: DoGEState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def average(self, state: DoGEState, /) -> FloatArray:
        """(d,) the running average: the mixture that the large model is to be trained on."""
        return np.asarray(state.average / state.average.sum())

    def dump(self, state: DoGEState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "doge",
            "names": list(state.names),
            "weights": state.weights.tolist(),
            "average": state.average.tolist(),
            "averaged_steps": state.averaged_steps,
        }

    def load(self, raw: JsonObject, /) -> DoGEState:
        """The state from its dump."""
        check_state(raw, "doge", SCHEMA)
        weights, average = (frozen(raw[name]) for name in ("weights", "average"))
        return DoGEState(tuple(raw["names"]), weights, average, int(raw["averaged_steps"]))
