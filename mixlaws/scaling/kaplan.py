"""Kaplan's law of a whole loss trajectory, at any batch size.

    L(N)        = (N_c / N)^α_N                                  converged
    B_crit(L)   = B* / L^(1/α_B)                                 critical batch size, tokens
    S_min       = S / (1 + B_crit(L) / B)                        steps that a huge batch would have needed
    L(N, S_min) = (N_c / N)^α_N + (S_c / S_min)^α_S

Source: Kaplan et al. 2020, arXiv:2001.08361; confirmed up to 33B parameters, with the steps of the fit that
`kaplan_stages` follows, by Su et al. 2024, arXiv:2403.06563. Both forms and order are written from memory
and unverified; that they agree with each other is tested: S_min and the least tokens E_min = B_crit S_min
satisfy (S / S_min - 1) (E / E_min - 1) = 1 for E = B S. Constants depend on tokeniser, context length and
data, so none are built in.

B_crit depends on the loss, so the loss after D tokens at a batch B solves

    L = (N_c / N)^α_N + (S_c (B + B_crit(L)) / D)^α_S,

whose right side falls as L rises: there is one root, and bisection finds it.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, StateError
from mixlaws.least_squares import Batch, Model, minimise
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.kaplan_stages import staged_start
from mixlaws.scaling.table import MixtureTable, check_scale
from mixlaws.swarm import mixture_numbers

SCHEMA = 1
PARAMETERS = ("alpha_n", "log_n_c", "alpha_b", "log_b_star", "alpha_s", "log_s_c")
_BISECTIONS = 80  # 2^-80 of the first bracket: to the last digit of a float64


@dataclass(frozen=True, eq=False)
class FittedKaplan:
    """Fitted trajectories.

    Args:
        weights: (m, d) the mixtures.
        parameters: (m, t, 6) α_N, log N_c, α_B, log B*, α_S and log S_c, for N in parameters, B in tokens
            and S in optimiser steps.
    """

    weights: FloatArray
    parameters: FloatArray

    def at(
        self, *, model_parameters: float, tokens: float, batch_tokens: float | None = None
    ) -> MixtureTable:
        """The mixtures that were run, at any scale and batch.

        Args:
            model_parameters: N.
            tokens: D.
            batch_tokens: B; None for the critical batch size of the loss that is reached, which takes twice
                the least steps and twice the least tokens.
        """
        check_scale(model_parameters=model_parameters, tokens=tokens)
        m, t, p = self.parameters.shape
        theta = self.parameters.reshape(m * t, p)
        if batch_tokens is None:
            # At B = B_crit the sum B + B_crit is 2 B_crit: as no batch at half the tokens.
            batch_tokens, effective = 0.0, tokens / 2
        elif np.isfinite(batch_tokens) and batch_tokens > 0:
            effective = tokens
        else:
            raise InvalidInputError(f"batch_tokens is {batch_tokens!r}: use a value > 0, or None")
        losses = trajectory_loss(theta, *(np.array([x]) for x in (model_parameters, effective, batch_tokens)))
        return MixtureTable(self.weights, losses.reshape(m, t), float(model_parameters), float(tokens))

    def critical_batch(self, losses: FloatArray, /) -> FloatArray:
        """(m, t) critical batch sizes in tokens at losses that broadcast to (m, t)."""
        return np.asarray(np.exp(self.parameters[:, :, 3] - np.log(losses) / self.parameters[:, :, 2]))

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "kaplan",
            "weights": self.weights.tolist(),
            "parameters": self.parameters.tolist(),
        }


@dataclass(frozen=True)
class KaplanLaw:
    """Hyperparameters of Kaplan's law.

    Args:
        huber_delta: residual of log L beyond which the loss of the joint fit grows linearly.
        refine: whether a joint fit of all six parameters follows the staged one.
        warmup_tokens: observations at fewer tokens are left out.
    """

    huber_delta: float = 1e-2
    refine: bool = True
    warmup_tokens: float = 0.0

    def __post_init__(self) -> None:
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator | None = None) -> FittedKaplan:  # noqa: ARG002 - protocol
        """Fit every target of every mixture.

        Raises:
            InvalidInputError: the batch sizes of the runs are not told.
            CurveTooShortError: fewer than two model sizes, or no size with two batch sizes.
            FitError: the losses follow no such law.
        """
        if curves.batch_tokens is None:
            raise InvalidInputError("Kaplan's law needs batch_tokens: tell the tokens of a step of every run")
        used = curves.since(self.warmup_tokens)
        mixture = mixture_numbers(used.weights)
        _, first = np.unique(mixture, return_index=True)
        fitted = []
        for number in range(len(first)):
            part = used.take(mixture == number)
            starts = np.stack([staged_start(part, target) for target in range(len(used.targets))])
            fitted.append(self._refined(part, starts) if self.refine else starts)
        return FittedKaplan(frozen(used.weights[first]), frozen(fitted))

    def load(self, raw: JsonObject, /) -> FittedKaplan:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != "kaplan" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of Kaplan's law, schema {SCHEMA}: {raw.get('law')!r}")
        return FittedKaplan(frozen(raw["weights"]), frozen(raw["parameters"]))

    def _refined(self, part: LossCurves, starts: FloatArray) -> FloatArray:
        """(t, 6) parameters of least Huber loss of log L, from the staged ones."""
        t = len(starts)
        batch = Batch(
            y=np.log(part.values.T),
            mask=np.ones((t, len(part))),
            scale=np.full(t, self.huber_delta),
            delta=1.0,
            ridge=np.zeros(t),
            penalty=np.zeros((len(PARAMETERS), len(PARAMETERS))),
            lower=np.array([1e-3, -np.inf, 1e-2, -np.inf, 1e-2, -np.inf]),
        )
        theta, _ = minimise(_trajectories(part), starts, batch, iterations=1000, tolerance=1e-12)
        return theta


def trajectory_loss(
    theta: FloatArray, model_parameters: FloatArray, tokens: FloatArray, batch_tokens: FloatArray
) -> FloatArray:
    """(b, n) losses for (b, 6) parameters at n scales; a batch of 0 is the limit of endless small steps."""
    alpha_n, log_n_c, alpha_b, log_b_star, alpha_s, log_s_c = theta.T[:, :, None]
    converged = np.exp(alpha_n * (log_n_c - np.log(model_parameters)))

    def above(loss: FloatArray) -> FloatArray:
        batches = batch_tokens + np.exp(log_b_star - np.log(loss) / alpha_b)
        return np.asarray(np.exp(alpha_s * (log_s_c + np.log(batches) - np.log(tokens))))

    # The right side falls with L, so its value at the least possible loss bounds the root from above.
    low, high = np.zeros_like(converged + tokens), above(converged)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        too_low = above(converged + middle) > middle
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return np.asarray(converged + (low + high) / 2)


def _trajectories(part: LossCurves) -> Model:
    """(b, 6) parameters to (b, n) log L and (b, n, 6) slopes, by the derivative of an implicit function."""
    log_n, log_d = np.log(part.model_parameters), np.log(part.tokens)
    batch = np.zeros_like(log_d) if part.batch_tokens is None else part.batch_tokens

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        loss = trajectory_loss(theta, part.model_parameters, part.tokens, batch)
        alpha_n, log_n_c, alpha_b, log_b_star, alpha_s, log_s_c = theta.T[:, :, None]
        converged = np.exp(alpha_n * (log_n_c - log_n))
        critical = np.exp(log_b_star - np.log(loss) / alpha_b)
        above, part_critical = loss - converged, critical / (batch + critical)
        # L = converged + above(θ, L): dL = (∂converged + ∂above) / (1 - ∂above/∂L).
        inner = np.stack(
            [
                converged * (log_n_c - log_n),
                converged * alpha_n,
                above * alpha_s * part_critical * np.log(loss) / alpha_b**2,
                above * alpha_s * part_critical,
                above * (log_s_c + np.log(batch + critical) - log_d),
                above * alpha_s,
            ],
            axis=2,
        )
        feedback = 1 + above * alpha_s * part_critical / (alpha_b * loss)
        return np.log(loss), inner / (feedback * loss)[:, :, None]

    return model
