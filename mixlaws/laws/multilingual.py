"""Joint law of model size and own share: a share of the mixture is worth a share of the parameters.

    L_t(M, w) = beta_t (f_t(w_own) M)^(-alpha_t) + E_t,    f(p) = p + c1 p^c2 (1 - p)^c3

Source: Fernandes et al. 2023, arXiv:2302.09650, for multilingual translation. M are the parameters of a
model; f(p) M is what it effectively has for one language. Neither alpha nor the irreducible loss E depends
on the mixture, and f does not depend on M, so that an f of small models holds for large ones. f(1) = 1 makes
beta unique. c1 = 0 says that tasks share nothing; here c1 >= 0, and beta, alpha, c2, c3, E >= 0.

Unlike BiMix, which multiplies its level too, E stays outside of the product; which is right is a question to
held-out runs. As f(0) = 0, the law diverges at a share of zero, which the source leaves out: such runs take
no part in the fit and have a level of their own, the mean of what they measured above E in units of
beta M^-alpha.

Fit: robust least squares from a grid of (alpha, c1, c2), for which non-negative least squares gives beta
and E. Weighting and starts are ours; the source's are unverified.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.laws.curves import alike, check_scale, fit_curve, gain_and_floor
from mixlaws.laws.fitting import spreads
from mixlaws.least_squares import Model
from mixlaws.own_domains import Pairs, check_pairs, own_domains
from mixlaws.swarm import Swarm

SCHEMA = 1
_ALPHAS = (0.1, 0.3, 0.8)
_SYNERGIES = (0.0, 0.3)  # c1: none, or a good deal
_BENDS = (0.5, 1.0)  # c2
_RIDGE = np.array([1e-9, 1e-7, 0.0, 1e-7, 1e-7, 1e-7])  # decides only what the runs leave open
_LARGEST = 50.0
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class MultilingualPredictor:
    """A fitted law.

    Args:
        own: (t,) index of each target's own domain.
        parameters: (t, 6) log beta, alpha, E, c1, c2, c3 for model sizes in units of `unit`.
        at_zero: (t,) loss above E at an own share of zero, in units of beta M^-alpha.
        zero_measured: whether a run had that share, per target; else `at_zero` is the law's value at the
            smallest share that was fitted, which is too low.
        unit: unit of the model sizes, parameters.
        model_parameters: size that is predicted for.
    """

    own: IntArray
    parameters: FloatArray
    at_zero: FloatArray
    zero_measured: tuple[bool, ...]
    unit: float
    model_parameters: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) losses of a model of that size."""
        _, alpha, floor, *_ = self.parameters.T
        share = weights[:, self.own]
        effective = np.where(share > 0, self.effective(weights), 1.0) ** -alpha
        return np.asarray(np.where(share > 0, effective, self.at_zero) * self._alone() + floor)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives; 0 at a share of zero, and by other domains."""
        _, alpha, _, c1, c2, c3 = self.parameters.T
        share = weights[:, self.own]
        p = np.clip(share, _TINY, 1 - _TINY)
        f = p + c1 * p**c2 * (1 - p) ** c3
        rise = 1 + c1 * p**c2 * (1 - p) ** c3 * (c2 / p - c3 / (1 - p))
        jacobian = np.zeros((len(weights), len(self.own), weights.shape[1]))
        slopes = np.where(share > 0, -alpha * f ** (-alpha - 1) * rise * self._alone(), 0.0)
        jacobian[:, np.arange(len(self.own)), self.own] = slopes
        return jacobian

    def effective(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) f: share of a model's parameters that each target effectively has."""
        *_, c1, c2, c3 = self.parameters.T
        share = np.clip(weights[:, self.own], 0.0, 1.0)
        return np.asarray(share + c1 * share**c2 * (1 - share) ** c3)

    def at(
        self, *, model_parameters: float | None = None, tokens: float | None = None
    ) -> "MultilingualPredictor":
        """The law for models of another size.

        Raises:
            InvalidInputError: a budget is asked for, or the size is not positive.
        """
        if tokens is not None:
            raise InvalidInputError("the multilingual law knows no budget: leave tokens out")
        if model_parameters is None:
            return self
        return replace(self, model_parameters=check_scale("model_parameters", model_parameters))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "multilingual",
            "own": self.own.tolist(),
            "parameters": self.parameters.tolist(),
            "at_zero": self.at_zero.tolist(),
            "zero_measured": list(self.zero_measured),
            "unit": self.unit,
            "model_parameters": self.model_parameters,
        }

    def _alone(self) -> FloatArray:
        """(t,) beta M^-alpha: loss above E of a model that a target has to itself."""
        log_gain, alpha, *_ = self.parameters.T
        return np.asarray(np.exp(log_gain) * (self.model_parameters / self.unit) ** -alpha)


@dataclass(frozen=True)
class Multilingual:
    """Hyperparameters.

    Args:
        own: pairs (target, its own domain); a target that is not named has the domain of its name.
        huber_delta: residual, in standard deviations of a target, beyond which the loss grows linearly.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"model_parameters"})  # of a swarm that it knows

    own: Pairs = ()
    huber_delta: float = 1.0

    def __post_init__(self) -> None:
        check_pairs(self.own)
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> MultilingualPredictor:  # noqa: ARG002 - protocol
        """Fit every target where its own domain has a share; predictions are for the largest size.

        Raises:
            SwarmTooSmallError: fewer such runs than the six parameters of a target.
            InvalidInputError: a target has no own domain, or the runs are of one model size.
            FitError: a target is negative.
        """
        _check_count(len(swarm))
        own = own_domains(swarm, self.own, method="the multilingual law")
        if swarm.model_parameters is None or alike(swarm.model_parameters):
            raise InvalidInputError(
                "the multilingual law needs runs of at least two model sizes: give model_parameters"
            )
        sizes = np.array([check_scale("model_parameters of a run", size) for size in swarm.model_parameters])
        if swarm.values.min() < 0:
            target = swarm.targets[int(swarm.values.min(axis=0).argmin())]
            raise FitError(f"target {target!r} is negative, and the multilingual law describes losses >= 0")
        unit = float(np.exp(np.log(sizes).mean()))
        scale, parameters, at_zero, measured = spreads(swarm.values), [], [], []
        for t, domain in enumerate(own):
            share, y, served = swarm.weights[:, domain], swarm.values[:, t], swarm.weights[:, domain] > 0
            _check_count(int(served.sum()))
            theta = self._curve(share[served], sizes[served] / unit, y[served], float(scale[t]))
            parameters.append(theta)
            at_zero.append(_level_at_zero(theta, share, sizes / unit, y))
            measured.append(not served.all())
        return MultilingualPredictor(
            own, frozen(parameters), frozen(at_zero), tuple(measured), unit, float(sizes.max())
        )

    def load(self, raw: JsonObject, /) -> MultilingualPredictor:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "multilingual" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the multilingual law, schema {SCHEMA}: {raw.get('law')!r}")
        own, measured = np.array(raw["own"], dtype=np.int64), tuple(raw["zero_measured"])
        parameters, at_zero = frozen(raw["parameters"]), frozen(raw["at_zero"])
        return MultilingualPredictor(own, parameters, at_zero, measured, raw["unit"], raw["model_parameters"])

    def _curve(self, share: FloatArray, size: FloatArray, y: FloatArray, scale: float) -> FloatArray:
        lower = np.array([-np.inf, 0.0, 0.0, 0.0, 1e-3, 1e-3])
        starts = _starts(share, size, y)
        model = _model(share, size)
        theta, _ = fit_curve(model, starts, y, lower=lower, delta=self.huber_delta, scale=scale, ridge=_RIDGE)
        return theta


def _check_count(runs: int) -> None:
    if runs < 6:
        raise SwarmTooSmallError(
            method="the multilingual law, with a positive own share,", needed=6, got=runs
        )


def _level_at_zero(theta: FloatArray, share: FloatArray, size: FloatArray, y: FloatArray) -> float:
    """Loss above E in units of beta M^-alpha: measured at a share of zero, or the law's at the smallest."""
    log_gain, alpha, floor, c1, c2, c3 = theta
    absent = share == 0
    if absent.any():
        excess = (y[absent] - floor) / (np.exp(log_gain) * size[absent] ** -alpha)
        return float(np.maximum(excess, 0.0).mean())
    least = share.min()
    return float((least + c1 * least**c2 * (1 - least) ** c3) ** -alpha)


def _model(share: FloatArray, size: FloatArray) -> Model:
    """Values beta (f M)^-alpha + E for parameters (log beta, alpha, E, c1, c2, c3)."""
    log_share, log_rest, log_size = np.log(share), np.log(np.maximum(1 - share, _TINY)), np.log(size)

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        log_gain, alpha, floor, c1, c2, c3 = (theta[:, i : i + 1] for i in range(6))
        bend = np.exp(c2 * log_share + c3 * log_rest)
        f = share + c1 * bend
        log_effective = np.log(f) + log_size
        excess = np.exp(np.minimum(log_gain - alpha * log_effective, _LARGEST))
        by_f = -alpha * excess / f
        by_c1 = by_f * bend
        slopes = [
            excess, -log_effective * excess, np.ones_like(excess),
            by_c1, by_c1 * c1 * log_share, by_c1 * c1 * log_rest,
        ]  # fmt: skip
        return excess + floor, np.stack(slopes, axis=2)

    return model


def _starts(share: FloatArray, size: FloatArray, y: FloatArray) -> FloatArray:
    """(s, 6) the best amounts for each (alpha, c1, c2) of a grid, with c3 = 1."""
    starts = []
    for alpha in _ALPHAS:
        for synergy in _SYNERGIES:
            for bend in _BENDS:
                f = share + synergy * share**bend * (1 - share)
                response = (f * size) ** -alpha
                gain, floor = gain_and_floor(response, y)
                starts.append((np.log(gain), alpha, floor, synergy, bend, 1.0))
    return np.array(starts)
