"""What of a feedback reaches a policy: numbers, and none that is absurd."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mixlaws.feedback import Feedback, TokenSums

M = TypeVar("M", bound=TokenSums)


def admitted(feedback: Feedback, /, loss_ceiling: float) -> Feedback:
    """The feedback without measurements that are no numbers, and with no mean beyond the ceiling.

    Args:
        feedback: as a trainer reported it.
        loss_ceiling: mean losses beyond it, in either direction, are held at it, nats per token.
    """
    training = _finite(feedback.training, loss_ceiling)
    changed: dict[str, Any] = {"loss_sums": training.sums, "token_counts": training.counts}
    for name in ("excess_clipped", "excess", "evaluation"):
        measured: TokenSums | None = getattr(feedback, name)
        if measured is not None:
            changed[name] = _finite(measured, loss_ceiling)
    if feedback.loss_squares is not None:
        known = np.isfinite(feedback.loss_squares) & training.observed
        changed["loss_squares"] = np.where(known, feedback.loss_squares, np.nan)
    if feedback.sequence_counts is not None:
        changed["sequence_counts"] = np.maximum(feedback.sequence_counts, 0)
    return replace(feedback, **changed)


def _finite(measured: M, ceiling: float) -> M:
    usable = np.isfinite(measured.sums) & (measured.counts > 0)
    counts = np.where(usable, measured.counts, 0)
    sums = np.where(usable, measured.sums, 0.0)
    most = ceiling * counts
    return replace(measured, sums=np.clip(sums, -most, most), counts=counts)
