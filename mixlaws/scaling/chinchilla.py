"""Chinchilla's law: loss by model size and training tokens at once.

    L(N, D) = E + A / N^α + B / D^β

Source: Hoffmann et al. 2022, arXiv:2203.15556, approach 3; refitted by Besiroglu et al. 2024,
arXiv:2404.10102, who show that the first fit had not converged. One surface for each target of each mixture.

Fit: Huber loss of the residuals of log L with δ = 1e-3, where log L is the log-sum-exp of a - α log N,
b - β log D and e, so that E, A and B stay positive. For (α, β) of a grid the best E, A, B are a
non-negative linear fit; the best grid points are the starts of Levenberg-Marquardt with exact slopes. The
published fit starts L-BFGS on a grid of all five parameters (that grid is unverified).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import softmax

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import CurveTooShortError, FitError, InvalidInputError, StateError
from mixlaws.least_squares import Batch, Model, minimise
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.table import MixtureTable, check_scale
from mixlaws.swarm import mixture_numbers

SCHEMA = 1
_EXPONENTS = np.exp(np.linspace(np.log(0.05), np.log(1.5), 10))  # published exponents lie in .1 to .7
_PARAMETERS = 5
_LEAST_SHARE = 1e-4  # of the loss: a start at zero would have no slope in its logarithm


@dataclass(frozen=True, eq=False)
class FittedChinchilla:
    """Fitted surfaces.

    Args:
        weights: (m, d) the mixtures.
        parameters: (m, t, 5) log A, α, log B, β and log E, for N in parameters and D in tokens.
    """

    weights: FloatArray
    parameters: FloatArray

    def at(self, *, model_parameters: float, tokens: float) -> MixtureTable:
        """The mixtures that were run, at any scale."""
        check_scale(model_parameters=model_parameters, tokens=tokens)
        m, t, _ = self.parameters.shape
        model = _surface(np.array([np.log(model_parameters)]), np.array([np.log(tokens)]))
        logarithm, _ = model(self.parameters.reshape(m * t, _PARAMETERS))
        values = np.exp(logarithm).reshape(m, t)
        return MixtureTable(self.weights, values, float(model_parameters), float(tokens))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "chinchilla",
            "weights": self.weights.tolist(),
            "parameters": self.parameters.tolist(),
        }


@dataclass(frozen=True)
class ChinchillaLaw:
    """Hyperparameters of Chinchilla's law.

    Args:
        huber_delta: residual of log L beyond which the loss grows linearly.
        starts: how many of the best grid points are refined.
        warmup_tokens: observations at fewer tokens are left out.
    """

    huber_delta: float = 1e-3
    starts: int = 6
    warmup_tokens: float = 0.0

    def __post_init__(self) -> None:
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")
        if self.starts < 1:
            raise InvalidInputError(f"starts is {self.starts!r}: use at least 1")

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator | None = None) -> FittedChinchilla:  # noqa: ARG002
        """Fit every target of every mixture.

        Raises:
            CurveTooShortError: a mixture has fewer than five observations, two sizes or two lengths.
            FitError: a target is not positive, or no fit is finite.
        """
        used = curves.since(self.warmup_tokens)
        if used.values.min() <= 0:
            raise FitError(
                f"a target is {used.values.min():.6g}, and Chinchilla's law describes losses > 0 alone"
            )
        mixture = mixture_numbers(used.weights)
        _, first = np.unique(mixture, return_index=True)
        fitted = []
        for number in range(len(first)):
            part = used.take(mixture == number)
            _check_spread(part)
            fitted.append([self._fit(part, target) for target in range(len(used.targets))])
        return FittedChinchilla(frozen(used.weights[first]), frozen(fitted))

    def load(self, raw: JsonObject, /) -> FittedChinchilla:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "chinchilla" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of Chinchilla's law, schema {SCHEMA}: {raw.get('law')!r}")
        return FittedChinchilla(frozen(raw["weights"]), frozen(raw["parameters"]))

    def _fit(self, part: LossCurves, target: int) -> FloatArray:
        """(5,) parameters of one target of one mixture."""
        log_size, log_tokens = np.log(part.model_parameters), np.log(part.tokens)
        # At the centre of the data amplitudes are parts of the loss; far from it they are huge and entangled.
        centre = np.array([log_size.mean(), log_tokens.mean()])
        log_size, log_tokens = log_size - centre[0], log_tokens - centre[1]
        y = part.values[:, target]
        starts = _grid_starts(log_size, log_tokens, y)[: self.starts]
        count = len(starts)
        batch = Batch(
            y=np.tile(np.log(y), (count, 1)),
            mask=np.ones((count, len(y))),
            # In units of the threshold the objective is of order one and the solver's tolerance fits it.
            scale=np.full(count, self.huber_delta),
            delta=1.0,
            ridge=np.zeros(count),
            penalty=np.zeros((_PARAMETERS, _PARAMETERS)),
            lower=np.array([-np.inf, 0.0, -np.inf, 0.0, -np.inf]),
        )
        theta, objective = minimise(
            _surface(log_size, log_tokens), starts, batch, iterations=2000, tolerance=1e-12
        )
        best = theta[int(objective.argmin())]
        if not (np.isfinite(objective.min()) and np.all(np.isfinite(best))):
            raise FitError(
                f"Chinchilla's law found no finite fit of {part.targets[target]!r}: look for outliers"
            )
        return np.asarray(best + np.array([best[1] * centre[0], 0.0, best[3] * centre[1], 0.0, 0.0]))


def _surface(log_size: FloatArray, log_tokens: FloatArray) -> Model:
    """Parameters (b, 5) to (b, n) log L and (b, n, 5) slopes."""

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        a, alpha, b, beta, e = (theta[:, k, None] for k in range(_PARAMETERS))
        floor = np.broadcast_to(e, (len(theta), len(log_size)))
        terms = np.stack([a - alpha * log_size, b - beta * log_tokens, floor], axis=2)
        share = softmax(terms, axis=2)
        slopes = np.stack(
            [
                share[:, :, 0],
                -log_size * share[:, :, 0],
                share[:, :, 1],
                -log_tokens * share[:, :, 1],
                share[:, :, 2],
            ],
            axis=2,
        )
        return np.logaddexp.reduce(terms, axis=2), slopes

    return model


def _grid_starts(log_size: FloatArray, log_tokens: FloatArray, y: FloatArray) -> FloatArray:
    """(s, 5) linear fits at all pairs of exponents of a grid, best first."""
    found = []
    for alpha in _EXPONENTS:
        for beta in _EXPONENTS:
            columns = [np.exp(-alpha * log_size), np.exp(-beta * log_tokens), np.ones_like(y)]
            # Divided by y, residuals are relative, as those of log L are.
            amounts, error = nnls(np.stack(columns, axis=1) / y[:, None], np.ones_like(y))
            a, b, e = np.log(np.maximum(amounts, _LEAST_SHARE * y.mean()))
            found.append((error, [a, alpha, b, beta, e]))
    found.sort(key=lambda pair: pair[0])
    return np.array([parameters for _, parameters in found])


def _check_spread(part: LossCurves) -> None:
    for what, needed, got in (
        ("observations of a mixture", _PARAMETERS, len(part)),
        ("model sizes of a mixture", 2, len(np.unique(part.model_parameters))),
        ("lengths of training of a mixture", 2, len(np.unique(part.tokens))),
    ):
        if got < needed:
            raise CurveTooShortError(method="Chinchilla's law", what=what, needed=needed, got=got)
