"""TiKMiX-M: TiKMiX-D with interactions between domains, learnt by regression over measured mixtures.

    max_w  uniformity of gains + mean gain + entropy of w       gain of target m: sum_i P_im(w) w_i
    subject to  no gain below that of the mixture in force

As published, mixtures are sampled around the solution of TiKMiX-D, the influence of each is measured, and
LightGBM predicts it. By the additive definition of influence a mixture is worth what its domains are, so that
such a regression learns what was known: only interactions are worth one. Of a live job they are told by
measurements made while different mixtures were in force. These are the sample here, and each counts with all
its domains (`mixlaws.policies.tikmix_regression`). With fewer than 6 whole tables, and wherever the
regression does not foretell tables better than the one before each does, the mixture is that of TiKMiX-D.

Some ten tables are too few for trees: a ridge regression takes their place, whose derivatives are known. So
the search is not over random candidates. From the better of the mixture in force and the solution of
TiKMiX-D, the problem of TiKMiX-D is solved with gains made linear at each point, for as long as the predicted
objective rises.

A state keeps at most 16 tables, and fewer where a table is large: none of more than some 1,300 numbers
teaches interactions.

Source: TiKMiX, arXiv:2508.17677, known to us from its abstract and from reviews that quote its equations; no
released code. The regression in this form is ours (unverified).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.packing import packed, unpacked
from mixlaws.policies.tikmix_regression import learnt
from mixlaws.policies.tikmix_search import climbed
from mixlaws.policies.tikmix_solver import Strengths, best_mixture, scale
from mixlaws.policies.tikmix_state import KIND, MOST_KEPT, Known
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1
_MOST_TABLES = 16


@dataclass(frozen=True, eq=False)
class TikmixMState:
    """State between measurements.

    Args:
        known: influences so far.
        mixtures: (k, d) mixtures that were in force at whole measurements, in single precision.
        steps: (k,) steps made by then.
        tables: (k, d, t) those measurements, in single precision.
        weights: (d,) mixture of the last measurement.
    """

    known: Known
    mixtures: FloatArray
    steps: FloatArray
    tables: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class TikmixM(Strengths):
    """Hyperparameters: strengths of the three terms, equal as published.

    Args:
        uniformity: of the negative variance of gains over targets.
        gain: of the mean gain.
        entropy: of the entropy of the mixture, above 0.
    """

    @property
    def signals(self) -> frozenset[Signal]:
        """Influence of domains on targets."""
        return frozenset({Signal.INFLUENCE})

    def init(self, problem: MixtureProblem, /) -> TikmixMState:
        """The prior."""
        d = len(problem.domains)
        return _emptied(Known.nothing(d), problem.prior)

    def update(self, state: TikmixMState, feedback: Feedback, /) -> TikmixMState:
        """A new mixture for every measurement of influence."""
        measured, now = feedback.influence, feedback.weights
        if measured is None or not np.isfinite(measured.influence).any():
            return state
        known = state.known.told(measured)
        if known.kind != state.known.kind:
            state = _emptied(known, state.weights)
        if np.all(np.isfinite(measured.influence)):
            state = _with_table(state, known, now, feedback.step)
        table = known.table(now)
        unit = scale(table)
        weights = best_mixture(table / unit, now, self)
        interactions = None
        if table.shape[1] == known.influence.shape[1]:
            interactions = learnt(state.mixtures, state.steps, state.tables / unit)
        if interactions is not None:
            weights = climbed(interactions, now, weights, self)
        return replace(state, known=known.kept(), weights=frozen(weights))

    def stages(self, state: TikmixMState, /) -> Sequence[Stage]:
        """One stage until the next measurement."""
        return [Stage(state.weights)]

    def dump(self, state: TikmixMState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "tikmix_m",
            **state.known.dump(),
            "mixtures": packed(state.mixtures, KIND),
            "steps": state.steps.tolist(),
            "tables": packed(state.tables, KIND),
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> TikmixMState:
        """The state from its dump."""
        check_state(raw, "tikmix_m", SCHEMA)
        weights, steps = frozen(raw["weights"]), frozen(raw["steps"])
        known = Known.load(raw, len(weights))
        mixtures = unpacked(raw["mixtures"], KIND).reshape(len(steps), len(weights))
        tables = unpacked(raw["tables"], KIND).reshape(len(steps), *known.influence.shape)
        return TikmixMState(known, frozen(mixtures), steps, frozen(tables), weights)


def _emptied(known: Known, weights: FloatArray) -> TikmixMState:
    d, t = known.influence.shape
    return TikmixMState(
        known, frozen(np.empty((0, d))), frozen(np.empty(0)), frozen(np.empty((0, d, t))), weights
    )


def _with_table(state: TikmixMState, known: Known, now: FloatArray, step: int) -> TikmixMState:
    """With one more table, less the oldest where there are too many."""
    d, t = known.influence.shape
    most = min(_MOST_TABLES, max(MOST_KEPT - d * t, 0) // (d * (t + 1)))
    start = max(len(state.steps) + 1 - most, 0)
    return replace(
        state,
        mixtures=frozen(np.vstack([state.mixtures, now.astype(KIND)])[start:]),
        steps=frozen(np.append(state.steps, float(step))[start:]),
        tables=frozen(np.concatenate([state.tables, known.influence[None]])[start:]),
    )
