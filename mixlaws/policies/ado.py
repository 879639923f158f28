"""ADO: domains whose loss is predicted to fall fastest with the next sample get more.

Every `fit_every` steps the loss curve of each domain is fitted, L_i(n) = exp(e_i) + exp(b_i) n^(-a_i)
(`mixlaws.policies.ado_fit`). Then, at every step s, with the prior mu and n samples drawn,

    slope_i = max(a_i, .05) exp(b_i) n^(-a_i) / n
    rho_i   proportional to  slope_i mu_i h_i^(1/2), held above .01
    w       = .9 r + .1 rho                            with the long average r from before this step
    r       = (1 - 1 / (s + 1)) r + rho / (s + 1)
    h       = .9 h + .1 (share of the step's samples)  before rho

Until the first fit the prior holds. r starts at the prior, so the mixture stays near it for long.

n counts the samples of all domains, in sequences of some 1024 tokens: the bounds of the fit assume that unit.
Steps s count from 0. Feedback over F steps moves averages as F steps would.

Source: Jiang et al. 2024, arXiv:2410.11820, and the released code. The variants of another implementation,
Mixtera (arXiv:2502.19790), differ as documented there: steps count from 1; slope_i has a_i itself; w and not
rho is held above .01, for domains that were drawn before; r and w are divided by their sums; h follows w, and
after rho; a domain counts samples from its first one on. `mixtera_v1` moves h only when feedback comes of a
newer version of the schedule, `mixtera_v2` then makes up for the steps in between, and `mixtera_v3` computes
a new mixture only 15 steps after such a version was seen, or when curves were fitted anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.ado_fit import fit_curves
from mixlaws.policies.ado_history import Smoothing, drawn_samples, loss_curves
from mixlaws.policies.ado_state import AdoState
from mixlaws.policy import History, HistoryRequest, Stage
from mixlaws.problem import MixtureProblem

_SLACK_STEPS = 15  # of mixtera_v3, to gather losses of a new mixture


@dataclass(frozen=True)
class Ado:
    """Hyperparameters; the defaults are those of the released code.

    Args:
        variant: which implementation, as told on top.
        start_step: first step of the policy, and of fits.
        fit_every: steps between fits.
        ignore_steps: steps at the start that fits leave out.
        credit_memory: what is kept of h in each step.
        credit_exponent: power of h in rho.
        preference: share of rho in the mixture; the rest is the long average.
        least_share: floor of rho, or of the mixture in the other variants.
        least_exponent: floor of a_i in the slope of the released variant.
        shared_samples: whether the samples of all domains count for each.
        tokens_per_sample: tokens of a sample; None counts the sequences that are reported.
        window: rows of feedback that losses are smoothed over.
        polynomial: order of that smoothing.
        fit_rows: one row in so many is fitted.
    """

    variant: Literal["released", "mixtera", "mixtera_v1", "mixtera_v2", "mixtera_v3"] = "released"
    start_step: int = 1000
    fit_every: int = 1000
    ignore_steps: int = 1000
    credit_memory: float = 0.9
    credit_exponent: float = 0.5
    preference: float = 0.1
    least_share: float = 0.01
    least_exponent: float = 0.05
    shared_samples: bool = True
    tokens_per_sample: float | None = 1024.0
    window: int = 101
    polynomial: int = 3
    fit_rows: int = 10

    def __post_init__(self) -> None:
        shares = (self.credit_memory, self.preference, self.least_share)
        if not all(0 <= share <= 1 for share in shares):
            raise InvalidInputError(
                f"credit_memory, preference, least_share are {shares}: use values from 0 to 1"
            )
        counts = (self.fit_every, self.fit_rows, self.window)
        if min(counts) < 1 or min(self.start_step, self.ignore_steps, self.polynomial) < 0:
            raise InvalidInputError(
                f"fit_every, fit_rows, window are {counts}: use at least 1; and no step below 0"
            )
        if self.tokens_per_sample is not None and not self.tokens_per_sample > 0:
            raise InvalidInputError(f"tokens_per_sample is {self.tokens_per_sample}: use a value > 0")

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses of the training batches, and sequences if they are counted."""
        return frozenset({Signal.LOSSES} if self.tokens_per_sample else {Signal.LOSSES, Signal.SEQUENCES})

    def init(self, problem: MixtureProblem, /) -> AdoState:
        """The prior."""
        prior = problem.prior
        return AdoState(prior, prior, prior, prior, frozen(np.zeros(len(prior))), next_fit=self._first_fit())

    def update(self, state: AdoState, feedback: Feedback, /) -> AdoState:
        """Count samples; with fitted curves and from the start step on, a new mixture."""
        before, state = state.version, self._counted(state, feedback)
        if state.curves is None or self._number(feedback.step) < self.start_step:
            return state
        if self.variant == "released":
            return self._released(state, state.curves, feedback)
        newer = before is not None and state.version is not None and state.version > before
        return self._mixtera(state, state.curves, feedback, newer=newer)

    def stages(self, state: AdoState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def due(self, state: AdoState, /) -> HistoryRequest | None:
        """The whole history up to the step at which a fit fell due."""
        return None if state.fit_due is None else HistoryRequest(1, state.fit_due)

    def compute(self, request: HistoryRequest, history: History, /) -> JsonObject:
        """Fitted curves, (d, 3) b, e, a of each domain.

        Raises:
            FitError: too few rows lie beyond `ignore_steps`.
        """
        smoothing = Smoothing(self.ignore_steps, self.window, self.polynomial, self.fit_rows)
        drawn = drawn_samples(history, self.tokens_per_sample)
        fitted = fit_curves(*loss_curves(history, smoothing, drawn, shared=self.shared_samples))
        if not np.all(np.isfinite(fitted)):
            raise FitError("a fitted loss curve is not finite: the curves before it stay in force")
        return {"step_to": request.step_to, "curves": fitted.tolist()}

    def absorb(self, state: AdoState, result: JsonObject, /) -> AdoState:
        """Curves for the updates to come; an empty result leaves those before it in force."""
        if not result:
            return replace(state, fit_due=None)
        return replace(state, curves=frozen(result["curves"]), fit_due=None, refitted=True)

    def dump(self, state: AdoState, /) -> JsonObject:
        """The state as JSON."""
        return state.dump()

    def load(self, raw: JsonObject, /) -> AdoState:
        """The state from its dump."""
        return AdoState.load(raw)

    def _number(self, step: int) -> int:
        """The number of the last of so many steps, from 0 or from 1 as in that implementation."""
        return step - 1 if self.variant == "released" else step

    def _first_fit(self) -> int:
        if self.variant == "released":  # fits are at multiples of their interval
            return -(-self.start_step // self.fit_every) * self.fit_every
        return self.start_step

    def _counted(self, state: AdoState, feedback: Feedback) -> AdoState:
        """The state with the samples of a feedback, and with a fit due if its time has come."""
        drawn = drawn_samples(feedback, self.tokens_per_sample)
        total = float(drawn.sum())
        added: FloatArray = drawn
        if self.shared_samples:
            late = (state.samples == 0) & (drawn == 0) & (self.variant != "released")
            added = np.where(late, 0.0, total)
        credit = state.credit
        if self.variant == "released" and total > 0:
            kept = self.credit_memory**feedback.steps
            credit = frozen(kept * credit + (1 - kept) * (drawn / total))
        fit_due, next_fit, number = state.fit_due, state.next_fit, self._number(feedback.step)
        if fit_due is None and number >= next_fit:
            fit_due = feedback.step
            next_fit += self.fit_every * ((number - next_fit) // self.fit_every + 1)
        versions = [version for version in (state.version, feedback.version) if version is not None]
        return replace(
            state,
            samples=frozen(state.samples + added),
            credit=credit,
            fit_due=fit_due,
            next_fit=next_fit,
            version=max(versions, default=None),
        )

    def _preferred(self, state: AdoState, curves: FloatArray, least_exponent: float) -> FloatArray:
        """(d,) rho before any floor; the prior, where no curve falls."""
        height, _, exponent = curves.T
        n = np.maximum(state.samples, 1e-300)
        slopes = np.maximum(exponent, least_exponent) * np.exp(height - (1 + exponent) * np.log(n))
        wanted = np.where(state.samples > 0, slopes, 0.0) * state.prior * state.credit**self.credit_exponent
        total = wanted.sum()
        return np.asarray(wanted / total) if 0 < total < np.inf else state.prior

    def _released(self, state: AdoState, curves: FloatArray, feedback: Feedback) -> AdoState:
        preferred = self._preferred(state, curves, self.least_exponent)
        excess = max(self.least_share * len(preferred) - 1, 0.0)
        preferred = np.maximum(preferred * (1 - excess), self.least_share)
        preferred = preferred / preferred.sum()
        weights = (1 - self.preference) * state.average + self.preference * preferred
        new = min(feedback.steps, feedback.step) / feedback.step
        average = (1 - new) * state.average + new * preferred
        return replace(state, weights=frozen(weights / weights.sum()), average=frozen(average))

    def _mixtera(self, state: AdoState, curves: FloatArray, feedback: Feedback, *, newer: bool) -> AdoState:
        if self.variant == "mixtera_v3" and state.handed_out:
            resume = feedback.step + _SLACK_STEPS if newer else state.resume_step
            ready = resume is not None and feedback.step >= resume
            state = replace(state, resume_step=None if ready else resume)
            if not (ready or state.refitted):
                return state
        preferred = self._preferred(state, curves, 0.0)
        weights = self.preference * preferred + (1 - self.preference) * state.average
        weights = weights / weights.sum()
        weights = np.where(state.samples > 0, np.maximum(weights, self.least_share), weights)
        weights = weights / weights.sum()
        new = min(feedback.steps, feedback.step) / (feedback.step + 1)
        average = new * preferred + (1 - new) * state.average
        elapsed = 0 if self.variant in {"mixtera_v1", "mixtera_v2"} and not newer else feedback.steps
        if newer:
            elapsed = feedback.step - state.credited_step if self.variant == "mixtera_v2" else elapsed
        kept = self.credit_memory**elapsed
        return replace(
            state,
            weights=frozen(weights),
            average=frozen(average / average.sum()),
            credit=frozen(kept * state.credit + (1 - kept) * weights),
            credited_step=feedback.step if elapsed else state.credited_step,
            handed_out=True,
            refitted=False,
        )
