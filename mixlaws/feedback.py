"""What a trainer measured, as arrays: sums and counts, never means, so that ranks and steps can be added."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray
from mixlaws.measurements import (
    BenchmarkScores,
    ExpertCounts,
    GradientNorms,
    GradientProducts,
    Gram,
    Influence,
)


class Signal(StrEnum):
    """A kind of measurement that a trainer can report. A new one is a line here and a field of `Feedback`."""

    LOSSES = "losses"  # summed token losses and token counts of the training batches
    LOSS_SQUARES = "loss_squares"  # summed squares of these token losses
    SEQUENCES = "sequence_counts"  # sequences that were drawn of each domain
    EXCESS_CLIPPED = "excess_clipped"  # sums over tokens of max(0, loss - loss of a reference model)
    EXCESS = "excess"  # the same differences, not clipped
    EVALUATIONS = "eval_losses"  # summed token losses on a fixed evaluation set
    GRAM = "gram"  # products between the gradients of domains
    GRAD_PRODUCTS = "grad_products"  # products of the gradients of domains with those of targets
    GRAD_NORMS = "grad_norms"  # squared norms and variances of the gradients of domains
    EXPERT_COUNTS = "expert_counts"  # tokens that a layer of experts sent to each expert
    ADVANTAGES = "advantages"  # summed absolute advantages of rollouts
    BENCH_SCORES = "bench_scores"  # scores of a checkpoint on benchmarks
    INFLUENCE = "influence"  # what training on a domain does to the losses of targets

    @property
    def field(self) -> str:
        """Name of the field of `Feedback` that holds it."""
        return {"losses": "loss_sums", "eval_losses": "evaluation"}.get(self.value, self.value)


@dataclass(frozen=True, eq=False)
class TokenSums:
    """A quantity of tokens, or of rollouts, summed by domain.

    Args:
        sums: (d,) sums over tokens; meaningless where no token was counted.
        counts: (d,) tokens behind them; 0 where a domain was not observed.
    """

    sums: FloatArray
    counts: IntArray

    @cached_property
    def observed(self) -> BoolArray:
        """(d,) whether a domain has tokens."""
        return np.asarray(self.counts > 0)

    @cached_property
    def means(self) -> FloatArray:
        """(d,) means per token; NaN where a domain was not observed."""
        means = np.full(np.shape(self.sums), np.nan)
        np.divide(self.sums, self.counts, out=means, where=self.observed)
        return means


@dataclass(frozen=True, eq=False)
class Evaluation(TokenSums):
    """Losses on a fixed evaluation set.

    Args:
        step: optimiser steps made when it was taken.
        set_hash: name of the evaluation set; losses on different sets are not comparable.
    """

    step: int
    set_hash: str


@dataclass(frozen=True, eq=False)
class Feedback:
    """What a trainer measured over some steps, as arrays.

    A domain that was not drawn has `token_counts` 0 and no loss; it is never given one. A kind that was not
    measured is None.

    Args:
        step: optimiser steps made so far, those that the feedback covers included: 1 after the first.
        loss_sums: (d,) summed token losses, nats.
        token_counts: (d,) tokens behind those sums.
        weights: (d,) mixture that was in force when those tokens were drawn.
        steps: how many optimiser steps the feedback covers.
        version: number of the schedule version that those tokens were drawn with; it rises with time.
        stages_done: how many stages of the plan that the policy gave last had ended at `step`; None while
            none of its stages has begun.
        loss_squares: (d,) summed squares of the token losses; NaN where unknown.
        sequence_counts: (d,) sequences drawn.
        excess_clipped: max(0, loss - reference loss) of every token.
        excess: loss - reference loss of every token.
        evaluation: losses on a fixed evaluation set.
        gram: products between the gradients of domains.
        grad_products: products of the gradients of domains with those of targets.
        grad_norms: squared norms and variances of the gradients of domains.
        expert_counts: where a layer of experts sent the tokens of every domain.
        advantages: absolute advantages, by rollouts and not by tokens.
        bench_scores: what a checkpoint scores.
        influence: what training on a domain does to the losses of targets.
    """

    step: int
    loss_sums: FloatArray
    token_counts: IntArray
    weights: FloatArray
    steps: int = 1
    version: int | None = None
    stages_done: int | None = None
    loss_squares: FloatArray | None = None
    sequence_counts: IntArray | None = None
    excess_clipped: TokenSums | None = None
    excess: TokenSums | None = None
    evaluation: Evaluation | None = None
    gram: Gram | None = None
    grad_products: GradientProducts | None = None
    grad_norms: GradientNorms | None = None
    expert_counts: ExpertCounts | None = None
    advantages: TokenSums | None = None
    bench_scores: BenchmarkScores | None = None
    influence: Influence | None = None

    @cached_property
    def training(self) -> TokenSums:
        """Losses of the training batches."""
        return TokenSums(self.loss_sums, self.token_counts)

    @property
    def observed(self) -> BoolArray:
        """(d,) whether a domain has a loss."""
        return self.training.observed

    @property
    def losses(self) -> FloatArray:
        """(d,) mean losses, nats per token; NaN where a domain was not observed."""
        return self.training.means
