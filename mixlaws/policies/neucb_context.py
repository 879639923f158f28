"""What the contextual bandit knows of each domain before a round: the features of its regressions."""

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, frozen
from mixlaws.policies.neucb_state import NeucbState

_LARGEST_LOSS = 10.0  # times the first one


def contexts(state: NeucbState) -> FloatArray:
    """(d, 5) contexts: 1, loss over the first one, mean reward, share of all tokens, epochs."""
    known = np.isfinite(state.recent) & (state.first > 0)
    ratio = np.where(known, state.recent, 1.0) / np.where(known, state.first, 1.0)
    share = state.read / max(float(state.read.sum()), 1.0)
    return np.column_stack(
        [
            np.ones(len(ratio)),
            np.clip(ratio, 0.0, _LARGEST_LOSS),
            np.nan_to_num(state.slope),
            np.log1p(len(ratio) * share),
            np.log1p(state.read / np.maximum(state.held, 1.0)),
        ]
    )


def moved(mean: FloatArray, values: FloatArray, given: BoolArray, kept: float) -> FloatArray:
    """(d,) running means, which begin at their first value."""
    begun = np.where(np.isnan(mean), values, kept * mean + (1 - kept) * values)
    return frozen(np.where(given, begun, mean))
