"""BiMix: a power law of a target's own share, times a power law of the training tokens.

    L_t(w, s) = w_own^(-alpha_t) (B_t s^(-beta_t) + C_t),    alpha, beta, C >= 0

Source: Ge et al. 2024, arXiv:2405.14908, Eq. 3. Their further factor A_t multiplies both terms in the
bracket, so that only A B and A C can be determined: A is 1 here. Where all runs have the same tokens the
bracket is one number. C multiplies the share's power too: it is no floor of the loss.

A target depends on no domain but its own; targets that others serve come out with alpha near 0, and are
better described by a law of the whole mixture. The law diverges at a share of zero, and the measured jump
there is no power law: such runs are left out of the fit and have a level of their own, the mean of what
they measured in units of the bracket. Nothing is clipped.

Fit: least squares on the logarithm of the loss (the source states trust-region least squares; weighting
and starts are unverified), s in units of the geometric mean of the tokens.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.laws.curves import alike, check_scale, fit_curve
from mixlaws.least_squares import Model
from mixlaws.own_domains import Pairs, check_pairs, own_domains
from mixlaws.swarm import Swarm

SCHEMA = 1
_ALPHAS = (0.02, 0.1, 0.3)
_BETAS = (0.2, 0.6, 1.5)
_FLOORS = (0.3, 0.7, 0.95)  # of the smallest loss
_LOGARITHMS = 50.0


@dataclass(frozen=True, eq=False)
class BiMixPredictor:
    """A fitted law.

    Args:
        own: (t,) index of each target's own domain.
        alpha: (t,) powers of the own share.
        gain: (t,) B, for tokens in units of `unit`; zero where all runs had the same tokens.
        beta: (t,) powers of the tokens.
        level: (t,) C.
        at_zero: (t,) loss at an own share of zero, in units of the bracket.
        zero_measured: whether a run had that share, per target; else `at_zero` is the law's value at the
            smallest share that was fitted, which is too low by an unknown jump.
        unit: unit of the tokens.
        tokens: budget that is predicted for, None where the swarm did not tell.
    """

    own: IntArray
    alpha: FloatArray
    gain: FloatArray
    beta: FloatArray
    level: FloatArray
    at_zero: FloatArray
    zero_measured: tuple[bool, ...]
    unit: float
    tokens: float | None

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) losses at the budget `tokens`."""
        share = weights[:, self.own]
        powers = np.where(share > 0, share, 1.0) ** -self.alpha
        return np.asarray(np.where(share > 0, powers, self.at_zero) * self._bracket())

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives: -alpha / w times the value by the own share, 0 at zero and by others."""
        share = weights[:, self.own]
        slopes = -self.alpha / np.where(share > 0, share, 1.0) * self.predict(weights)
        jacobian = np.zeros((len(weights), len(self.own), weights.shape[1]))
        jacobian[:, np.arange(len(self.own)), self.own] = np.where(share > 0, slopes, 0.0)
        return jacobian

    def at(self, *, model_parameters: float | None = None, tokens: float | None = None) -> "BiMixPredictor":
        """The law at another budget.

        Raises:
            InvalidInputError: a model size is asked for, or all fitted runs had the same tokens.
        """
        if model_parameters is not None:
            raise InvalidInputError("BiMix knows no model size: leave model_parameters out")
        if tokens is None:
            return self
        if not self.gain.any():
            raise InvalidInputError("BiMix was fitted at one budget: give runs of several token counts")
        return replace(self, tokens=check_scale("tokens", tokens))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        zero = list(self.zero_measured)
        rest = {"zero_measured": zero, "unit": self.unit, "tokens": self.tokens}
        return {"schema": SCHEMA, "law": "bimix", "own": self.own.tolist(), **arrays, **rest}

    def _bracket(self) -> FloatArray:
        scale = 1.0 if self.tokens is None else self.tokens / self.unit
        return np.asarray(self.gain * scale**-self.beta + self.level)


_ARRAYS = ("alpha", "gain", "beta", "level", "at_zero")


@dataclass(frozen=True)
class BiMix:
    """Hyperparameters.

    Args:
        own: pairs (target, its own domain); a target that is not named has the domain of its name.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"tokens"})  # of a swarm that it knows

    own: Pairs = ()

    def __post_init__(self) -> None:
        check_pairs(self.own)

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> BiMixPredictor:  # noqa: ARG002 - protocol
        """Fit every target; predictions are for the largest budget of the swarm.

        Raises:
            SwarmTooSmallError: fewer runs with a positive own share than parameters.
            InvalidInputError: a target has no own domain.
            FitError: a loss is not positive.
        """
        varied = swarm.tokens is not None and not alike(swarm.tokens)
        needed = 4 if varied else 2
        _check_count(len(swarm), needed)
        own = own_domains(swarm, self.own, method="BiMix")
        if swarm.values.min() <= 0:
            target = swarm.targets[int(swarm.values.min(axis=0).argmin())]
            raise FitError(f"target {target!r} is not positive, and BiMix describes losses > 0 alone")
        unit = 1.0 if swarm.tokens is None else float(np.exp(np.log(swarm.tokens).mean()))
        scale = np.ones(len(swarm)) if swarm.tokens is None else swarm.tokens / unit
        fits = []
        for t, domain in enumerate(own):
            share, y = swarm.weights[:, domain], swarm.values[:, t]
            served = share > 0
            _check_count(int(served.sum()), needed)
            rows = share[served], y[served]
            alpha, gain, beta, level = _both(*rows, scale[served]) if varied else _share_alone(*rows)
            bracket = gain * scale**-beta + level
            missing = not served.all()
            at_zero = (y / bracket)[~served].mean() if missing else share[served].min() ** -alpha
            fits.append((alpha, gain, beta, level, at_zero, missing))
        alphas, gains, betas, levels, zeros = (frozen(column) for column in np.array(fits).T[:5])
        measured = tuple(bool(missing) for *_, missing in fits)
        tokens = None if swarm.tokens is None else float(swarm.tokens.max())
        return BiMixPredictor(own, alphas, gains, betas, levels, zeros, measured, unit, tokens)

    def load(self, raw: JsonObject, /) -> BiMixPredictor:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "bimix" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of BiMix, schema {SCHEMA}: {raw.get('law')!r}")
        alphas, gains, betas, levels, zeros = (frozen(raw[name]) for name in _ARRAYS)
        own, measured = np.array(raw["own"], dtype=np.int64), tuple(raw["zero_measured"])
        return BiMixPredictor(own, alphas, gains, betas, levels, zeros, measured, raw["unit"], raw["tokens"])


def _check_count(runs: int, needed: int) -> None:
    if runs < needed:
        raise SwarmTooSmallError(method="BiMix with a positive own share", needed=needed, got=runs)


def _share_alone(share: FloatArray, y: FloatArray) -> tuple[float, float, float, float]:
    """(alpha, 0, 0, C) of a straight line in the logarithms; flat where it would rise with the share."""
    x, z = np.log(share), np.log(y)
    x = x - x.mean()
    varied = float(x @ x)
    alpha = max(-float(x @ z) / varied, 0.0) if varied > 1e-12 else 0.0
    return alpha, 0.0, 0.0, float(np.exp((z + alpha * np.log(share)).mean()))


def _both(share: FloatArray, y: FloatArray, scale: FloatArray) -> tuple[float, float, float, float]:
    """(alpha, B, beta, C)."""
    lowest = y.min()
    starts = np.array([
        (alpha, np.log((1 - floor) * lowest), beta, np.log(floor * lowest))
        for alpha in _ALPHAS for beta in _BETAS for floor in _FLOORS
    ])  # fmt: skip
    lower = np.array([0.0, -np.inf, 0.0, -np.inf])
    model = _logarithm(np.log(share), np.log(scale))
    # A breath on the two levels, of which the tokens may leave one open.
    ridge = np.array([0.0, 1e-9, 0.0, 1e-9])
    (alpha, gain, beta, level), _ = fit_curve(model, starts, np.log(y), lower=lower, ridge=ridge)
    return float(alpha), float(np.exp(gain)), float(beta), float(np.exp(level))


def _logarithm(log_share: FloatArray, log_scale: FloatArray) -> Model:
    """Log L for parameters (alpha, log B, beta, log C)."""

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        alpha, log_gain, beta, log_level = (theta[:, i : i + 1] for i in range(4))
        gain = np.exp(np.minimum(log_gain - beta * log_scale, _LOGARITHMS))
        level = np.exp(np.minimum(log_level, _LOGARITHMS))
        bracket = gain + level
        by_gain, by_level = gain / bracket, level / bracket + 0 * log_scale
        by_alpha = -log_share + 0 * alpha
        slopes = np.stack([by_alpha, by_gain, -log_scale * by_gain, by_level], axis=2)
        return -alpha * log_share + np.log(bracket), slopes

    return model
