"""Effective transfer: what other domains' tokens are worth in tokens of the target's own domain.

    L_t(N, D) = C_t (N + k_t D^a_t)^(-b_t) + E_t,    N = w_own s,    D = (1 - w_own) s

Source: Li et al. 2025, arXiv:2508.11953 (supervised fine-tuning; the form as re-implemented elsewhere, the
paper itself unverified). s is the budget of a run in tokens, N its tokens of the target's own domain and D
those of all others; k D^a is the effective data that they transfer, so that the law is finite where the
domain is left out. All parameters are >= 0.

Every target is fitted on all runs: perturbations of other domains are what identifies k and a, and the few
runs in which its own domain is perturbed leave no degree of freedom. The powers b differ between targets,
so that the best mixture depends on the budget: a predictor holds for the budget that it names.

Fit: for each (k, a, b) of a grid non-negative least squares gives C and E; robust least squares refines.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.laws.curves import check_scale, fit_curve, gain_and_floor
from mixlaws.laws.fitting import spreads
from mixlaws.least_squares import Model
from mixlaws.own_domains import Pairs, check_pairs, own_domains
from mixlaws.swarm import Swarm

SCHEMA = 1
_FACTORS = (0.01, 0.1, 0.5)  # tokens of its own that a token of another domain is worth
_TRANSFERS = (0.5, 1.0)
_POWERS = (0.2, 0.5, 1.5)
_LEAST = 1e-12  # share of the budget: keeps logarithms finite where a domain is all or nothing
_RIDGE = np.array([1e-9, 1e-7, 1e-7, 1e-7, 0.0])  # decides only what one budget leaves open
_LOGARITHMS = 50.0


@dataclass(frozen=True, eq=False)
class EffectiveTransferPredictor:
    """A fitted law.

    Args:
        own: (t,) index of each target's own domain.
        parameters: (t, 5) log C, log k, a, b, E for tokens in units of `unit`.
        unit: unit of the tokens.
        tokens: budget that is predicted for.
    """

    own: IntArray
    parameters: FloatArray
    unit: float
    tokens: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) values at the budget `tokens`."""
        return self.predict_tokens(weights * self.tokens)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives by the weights."""
        return self.jacobian_tokens(weights * self.tokens) * self.tokens

    def predict_tokens(self, tokens: FloatArray, /) -> FloatArray:
        """(n, t) values of runs that read (n, d) tokens of each domain, whatever their sum."""
        columns = [self._curve(tokens, t)[0] for t in range(len(self.own))]
        return np.column_stack(columns)

    def jacobian_tokens(self, tokens: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives by the tokens."""
        jacobian = np.empty((len(tokens), len(self.own), tokens.shape[1]))
        for t, own in enumerate(self.own):
            _, by_own, by_rest = self._curve(tokens, t)
            jacobian[:, t, :] = by_rest[:, None]
            jacobian[:, t, own] = by_own
        return jacobian

    def at(
        self, *, model_parameters: float | None = None, tokens: float | None = None
    ) -> "EffectiveTransferPredictor":
        """The law at another budget.

        Raises:
            InvalidInputError: a model size is asked for, or the budget is not positive.
        """
        if model_parameters is not None:
            raise InvalidInputError("effective transfer knows no model size: leave model_parameters out")
        return self if tokens is None else replace(self, tokens=check_scale("tokens", tokens))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "effective_transfer",
            "own": self.own.tolist(),
            "parameters": self.parameters.tolist(),
            "unit": self.unit,
            "tokens": self.tokens,
        }

    def _curve(self, tokens: FloatArray, t: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(n,) values of a target, and their derivatives by its own and by all other tokens."""
        own, rest = _parts(tokens / self.unit, int(self.own[t]))
        log_gain, log_factor, transfer, power, floor = self.parameters[t]
        lent = np.exp(log_factor) * rest**transfer
        reach = own + lent
        excess = np.exp(log_gain) * reach**-power
        by_own = -power * excess / reach / self.unit
        return excess + floor, by_own, by_own * transfer * lent / rest


@dataclass(frozen=True)
class EffectiveTransfer:
    """Hyperparameters.

    Args:
        own: pairs (target, its own domain); a target that is not named has the domain of its name.
        tokens: budget of every run, for swarms that do not tell theirs.
        huber_delta: residual, in standard deviations of a target, beyond which the loss grows linearly.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"tokens"})  # of a swarm that it knows

    own: Pairs = ()
    tokens: float | None = None
    huber_delta: float = 1.0

    def __post_init__(self) -> None:
        check_pairs(self.own)
        if self.tokens is not None:
            check_scale("tokens", self.tokens)
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> EffectiveTransferPredictor:  # noqa: ARG002 - protocol
        """Fit every target on all runs; predictions are for the largest budget of the swarm.

        Raises:
            SwarmTooSmallError: fewer runs than the five parameters of a target.
            InvalidInputError: a target has no own domain, or no budget is known.
            FitError: a target is negative.
        """
        if len(swarm) < 5:
            raise SwarmTooSmallError(method="the effective-transfer law", needed=5, got=len(swarm))
        own = own_domains(swarm, self.own, method="the effective-transfer law")
        budgets = self._budgets(swarm)
        if swarm.values.min() < 0:
            target = swarm.targets[int(swarm.values.min(axis=0).argmin())]
            raise FitError(f"target {target!r} is negative, and effective transfer describes losses >= 0")
        unit = float(np.exp(np.log(budgets).mean()))
        tokens, scale = swarm.weights * (budgets / unit)[:, None], spreads(swarm.values)
        lower = np.array([-np.inf, np.log(1e-6), 0.0, 0.0, 0.0])
        parameters = []
        for t, domain in enumerate(own):
            rows, y = _parts(tokens, int(domain)), swarm.values[:, t]
            theta, _ = fit_curve(
                _model(*rows),
                _starts(*rows, y),
                y,
                lower=lower,
                delta=self.huber_delta,
                scale=float(scale[t]),
                ridge=_RIDGE,
            )
            parameters.append(theta)
        return EffectiveTransferPredictor(own, frozen(parameters), unit, float(budgets.max()))

    def load(self, raw: JsonObject, /) -> EffectiveTransferPredictor:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "effective_transfer" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of effective transfer, schema {SCHEMA}: {raw.get('law')!r}")
        own = np.array(raw["own"], dtype=np.int64)
        return EffectiveTransferPredictor(own, frozen(raw["parameters"]), raw["unit"], raw["tokens"])

    def _budgets(self, swarm: Swarm) -> FloatArray:
        if swarm.tokens is not None:
            return np.array([check_scale("tokens of a run", count) for count in swarm.tokens])
        if self.tokens is None:
            raise InvalidInputError(
                "effective transfer needs the tokens of every run, and the swarm does not tell them: "
                "name the budget in tokens"
            )
        return np.full(len(swarm), self.tokens)


def _parts(tokens: FloatArray, own: int) -> tuple[FloatArray, FloatArray]:
    """(n,) tokens of one domain and of all others, kept off zero where a power of them is taken."""
    return tokens[:, own], np.maximum(np.delete(tokens, own, axis=1).sum(axis=1), _LEAST)


def _model(own: FloatArray, rest: FloatArray) -> Model:
    """C (N + k D^a)^(-b) + E for parameters (log C, log k, a, b, E)."""
    log_rest = np.log(rest)

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        log_gain, log_factor, transfer, power, floor = (theta[:, i : i + 1] for i in range(5))
        lent = np.exp(np.minimum(log_factor + transfer * log_rest, _LOGARITHMS))
        reach = np.maximum(own + lent, _LEAST)
        excess = np.exp(np.minimum(log_gain - power * np.log(reach), _LOGARITHMS))
        by_factor = -power * excess / reach * lent
        slopes = [excess, by_factor, by_factor * log_rest, -np.log(reach) * excess, np.ones_like(excess)]
        return excess + floor, np.stack(slopes, axis=2)

    return model


def _starts(own: FloatArray, rest: FloatArray, y: FloatArray) -> FloatArray:
    """(s, 5) the best amounts for each (k, a, b) of a grid."""
    starts = []
    for factor in _FACTORS:
        for transfer in _TRANSFERS:
            for power in _POWERS:
                response = (own + factor * rest**transfer + _LEAST) ** -power
                gain, floor = gain_and_floor(response, y)
                starts.append((np.log(gain), np.log(factor), transfer, power, floor))
    return np.array(starts)
