"""What a portfolio remembers of losses: few spans of feedback, and how well they were forecast.

Each span holds equally many feedbacks. Once there are 10, neighbours are added up, and the spans to come are
twice as long: a span is always between a tenth and a fifth of the past. When a span ends, the curves fitted
to those before it have forecast its losses, and so has the rule that nothing falls any more. Squared errors,
domains by their tokens, are added up with the memory .8.

A span that the curves miss by 4 times that sum, and no better than half as the rule that nothing falls, is
the sign of a jump: spans begin anew after it, and its errors count for nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.feedback import Feedback
from mixlaws.policies.portfolio_curves import Curves, fitted

MOST_SPANS = 10
LEAST_SPANS = 3
_MEMORY = 0.8
_JUMP = 4.0  # times the errors so far
_DIGITS = 6  # of mean losses, nats: a state of 100 domains is to stay small


@dataclass(frozen=True, eq=False)
class Record:
    """Spans of k, the newest last, and the one that is open.

    Args:
        before: (d,) tokens that were read before the first span.
        tokens: (k, d) tokens in each span.
        losses: (k, d) mean losses in them, nats per token; 0 where there are no tokens.
        open_tokens: (d,) tokens of the open span.
        open_sums: (d,) summed losses of the open span.
        feedbacks: how many the open span holds.
        width: how many a span holds.
        curve_error: squared errors of the curves' forecasts, with their memory.
        still_error: those of the rule that nothing falls any more.
    """

    before: FloatArray
    tokens: FloatArray
    losses: FloatArray
    open_tokens: FloatArray
    open_sums: FloatArray
    feedbacks: int = 0
    width: int = 1
    curve_error: float = 0.0
    still_error: float = 0.0

    @classmethod
    def start(cls, d: int) -> "Record":
        """Nothing was read."""
        none, rows = frozen(np.zeros(d)), frozen(np.zeros((0, d)))
        return cls(none, rows, rows, none, none)

    @property
    def read(self) -> FloatArray:
        """(d,) tokens up to the end of the last span."""
        return np.asarray(self.before + self.tokens.sum(axis=0))

    @property
    def faithful(self) -> bool:
        """Whether the curves have forecast better than the rule that nothing falls."""
        return self.curve_error < self.still_error

    @property
    def curves(self) -> Curves | None:
        """What is fitted to all spans; None while they are too few."""
        if len(self.tokens) < LEAST_SPANS:
            return None
        return fitted(self.before, self.tokens, self.losses)

    def added(self, feedback: Feedback, /) -> "Record":
        """The record with one more feedback in the open span."""
        used = feedback.observed & np.isfinite(feedback.loss_sums)
        return replace(
            self,
            open_tokens=frozen(self.open_tokens + np.where(used, feedback.token_counts, 0)),
            open_sums=frozen(self.open_sums + np.where(used, feedback.loss_sums, 0.0)),
            feedbacks=self.feedbacks + 1,
        )

    def closed(self) -> "Record":
        """The record with the open span judged and put to the others."""
        counts = self.open_tokens
        losses = np.divide(self.open_sums, counts, out=np.zeros(len(counts)), where=counts > 0)
        losses = losses.round(_DIGITS)
        judged = self._judged(losses)
        if judged is None:
            return replace(Record.start(len(counts)), before=frozen(self.read + counts), width=self.width,
                           curve_error=self.curve_error, still_error=self.still_error)  # fmt: skip
        tokens, losses = np.vstack([self.tokens, counts]), np.vstack([self.losses, losses])
        width = self.width
        if len(tokens) == MOST_SPANS:
            sums = tokens * losses
            tokens, sums = tokens[::2] + tokens[1::2], sums[::2] + sums[1::2]
            losses, width = (sums / np.maximum(tokens, 1.0)).round(_DIGITS), 2 * width
        none = frozen(np.zeros(len(counts)))
        return Record(self.before, frozen(tokens), frozen(losses), none, none, 0, width, judged[0], judged[1])

    def dump(self) -> JsonObject:
        """The record as JSON."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {name: getattr(self, name).tolist() for name in _ARRAYS} | {
            name: getattr(self, name).astype(np.int64).tolist() for name in _COUNTS
        }  # fmt: skip

    @classmethod
    def load(cls, raw: JsonObject) -> "Record":
        """The record from its dump."""
        d = len(raw["before"])
        values: JsonObject = {name: raw[name] for name in _PLAIN}
        values |= {name: frozen(raw[name]) for name in (*_ARRAYS, *_COUNTS)}
        values |= {name: frozen(values[name].reshape(-1, d)) for name in ("tokens", "losses")}
        return cls(**values)

    def _judged(self, losses: FloatArray) -> tuple[float, float] | None:
        """Errors with those of the open span; None if there was a jump."""
        curves = self.curves
        if curves is None:
            return self.curve_error, self.still_error
        share = np.minimum(self.open_tokens, self.tokens[-1])
        share = share / max(float(share.sum()), 1.0)
        forecast = curves.losses(self.read + self.open_tokens / 2)
        by_curve = float((share * (forecast - losses) ** 2).sum())
        still = float((share * (self.losses[-1] - losses) ** 2).sum())
        if 0 < _JUMP * self.curve_error < by_curve and still < 2 * by_curve:
            return None
        return _MEMORY * self.curve_error + by_curve, _MEMORY * self.still_error + still


_ARRAYS = ("losses", "open_sums")
_COUNTS = ("before", "tokens", "open_tokens")
_PLAIN = ("feedbacks", "width", "curve_error", "still_error")
