"""A contextual bandit: domains whose loss is expected to fall most, with optimism, get more.

A round of a domain ends when its tokens have grown by `growth`. Its reward is the fall of its mean loss since
the round before, by logarithm of its tokens n between the middles of the two rounds:

    y_i = (L_i - L_i') / (ln n_i' - ln n_i)            held within the loss before it, up and down

and its context x_i is what was known before that round: 1, the running mean of losses over the first one, the
running mean of rewards, ln(1 + d share of all tokens), ln(1 + epochs). Online ridge regressions with
forgetting (`mixlaws.policies.neucb_regression`) tell what reward is expected and its standard error, and

    hope_i = expected_i + optimism * error_i,    s_i = ln max(hope_i / max(hope), least)
    w      = softmax(s / temperature), drawn to the prior until KL(w || prior) <= trust

With temperature 1 weights follow hopes. A token of domain i is then worth hope_i / n_i nats, and shares rest
where that is the same for all of them: there no exchange of tokens would lower the mean loss, if domains
learn from themselves alone. Noise, however high its loss, has falls around 0. What domains teach each other
is not seen, since no fall is put down to another domain's tokens. Equal falls give equal shares, whatever the
prior, as far as trust goes.

A domain without a reward is hoped to be as good as the best; before any reward the prior holds. The first
steps of a training run, in which all losses fall, are for the warm-up of guards.

The reward and the linear regressions are ours, made from the idea of bandits with regressions online (NeuCB);
no published arithmetic is followed (unverified).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import softmax
from mixlaws.policies.neucb_context import contexts, moved
from mixlaws.policies.neucb_state import NeucbState
from mixlaws.policy import Stage
from mixlaws.problem import MixtureProblem
from mixlaws.steering.trust_region import held_back

_LEAST_RIDGE = 1e-6  # below it few rewards leave systems that cannot be solved
_LOSS_MEMORY, _REWARD_MEMORY = 0.5, 0.8  # of the running means in a context


@dataclass(frozen=True)
class Neucb:
    """Hyperparameters.

    Args:
        growth: tokens of a round, as a part of those that the domain had before.
        memory: what the regressions keep of the past with each reward.
        ridge: of the regressions, in rewards.
        optimism: standard errors that are added to what is expected.
        temperature: of the softmax.
        least: smallest hope that counts, as a part of the largest.
        trust: largest KL(w || prior), nats; None for any.
        held_out: whether rewards are of losses on an evaluation set, not of training batches.
    """

    growth: float = 0.2
    memory: float = 0.95
    ridge: float = 1.0
    optimism: float = 1.0
    temperature: float = 1.0
    least: float = 0.01
    trust: float | None = 1.0
    held_out: bool = False

    def __post_init__(self) -> None:
        positive = {name: getattr(self, name) for name in ("growth", "ridge", "temperature")}
        if self.trust is not None:
            positive["trust"] = self.trust
        for name, value in positive.items():
            if not (np.isfinite(value) and value > 0):
                raise InvalidInputError(f"{name} is {value}: use a finite value > 0")
        if self.ridge < _LEAST_RIDGE:
            raise InvalidInputError(f"ridge is {self.ridge}: use at least {_LEAST_RIDGE:g}")
        if not (np.isfinite(self.optimism) and self.optimism >= 0):
            raise InvalidInputError(f"optimism is {self.optimism}: use a finite value >= 0")
        if not (0 < self.memory <= 1 and 0 < self.least <= 1):
            raise InvalidInputError(f"memory {self.memory}, least {self.least}: use values above 0, up to 1")

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses of the training batches, whose tokens count, and evaluations if rewards are of them."""
        return frozenset({Signal.LOSSES, Signal.EVALUATIONS} if self.held_out else {Signal.LOSSES})

    def init(self, problem: MixtureProblem, /) -> NeucbState:
        """The prior, and no rewards."""
        return NeucbState.start(problem.prior, np.array(problem.domains.tokens, dtype=np.float64))

    def update(self, state: NeucbState, feedback: Feedback, /) -> NeucbState:
        """Count tokens; a new mixture where a round of any domain has ended."""
        counts = feedback.token_counts.astype(np.float64)
        sums = np.where(feedback.observed, feedback.loss_sums, 0.0)
        state = replace(
            state,
            read=frozen(state.read + counts),
            sums=frozen(state.sums + sums),
            counts=frozen(state.counts + counts),
        )
        if self.held_out:
            return self._evaluated(state, feedback)
        closed = (state.counts > 0) & (state.counts >= self.growth * (state.read - state.counts))
        if not closed.any():
            return state
        losses = state.sums / np.where(closed, state.counts, 1.0)
        return self._rewarded(state, closed, losses, state.read - state.counts / 2)

    def stages(self, state: NeucbState, /) -> Sequence[Stage]:
        """One stage until the next round of a domain ends."""
        return [Stage(state.weights)]

    def dump(self, state: NeucbState, /) -> JsonObject:
        """The state as JSON."""
        return state.dump()

    def load(self, raw: JsonObject, /) -> NeucbState:
        """The state from its dump."""
        return NeucbState.load(raw)

    def _evaluated(self, state: NeucbState, feedback: Feedback) -> NeucbState:
        """The state with rewards of an evaluation, for domains that have grown enough since theirs."""
        evaluation = feedback.evaluation
        if evaluation is None:
            return state
        if evaluation.set_hash != state.set_hash:  # losses on other text: nothing to subtract them from
            unknown = frozen(np.full(len(state.read), np.nan))
            state = replace(
                state, set_hash=evaluation.set_hash, losses=unknown, recent=unknown, first=unknown
            )
        grown = np.isnan(state.losses) | (state.read >= (1 + self.growth) * state.middle)
        closed = evaluation.observed & (state.read > 0) & grown
        return self._rewarded(state, closed, evaluation.means, state.read) if closed.any() else state

    def _rewarded(
        self, state: NeucbState, closed: BoolArray, losses: FloatArray, middle: FloatArray
    ) -> NeucbState:
        """The state with rewards of the rounds that are closed, and a new mixture.

        Args:
            state: as it was before, with the tokens of these rounds.
            closed: (d,) whose round has ended.
            losses: (d,) mean losses of those rounds, nats per token.
            middle: (d,) tokens at their middle.
        """
        again = closed & np.isfinite(state.losses)
        before = np.where(again, state.losses, 0.0)
        folds = np.log(np.where(again, middle, np.e) / np.where(again, state.middle, 1.0))
        falls = np.where(again, before - losses, 0.0) / folds
        rewards = np.clip(falls, -np.abs(before), np.abs(before))
        told = again & np.isfinite(state.recent)
        state = replace(
            state,
            rewards=state.rewards.told(contexts(state), rewards, told, self.memory),
            sums=frozen(np.where(closed, 0.0, state.sums)),
            counts=frozen(np.where(closed, 0.0, state.counts)),
            losses=frozen(np.where(closed, losses, state.losses)),
            middle=frozen(np.where(closed, middle, state.middle)),
            first=frozen(np.where(closed & np.isnan(state.first), losses, state.first)),
            # The newest loss is left out of its own context: its error would be in the reward as well.
            recent=moved(state.recent, before, again, _LOSS_MEMORY),
            slope=moved(state.slope, rewards, again, _REWARD_MEMORY),
        )
        return replace(state, weights=frozen(self._weights(state)))

    def _weights(self, state: NeucbState) -> FloatArray:
        tried = (state.rewards.count > 0) & (state.prior > 0)
        if not tried.any():
            return state.prior
        expected, error = state.rewards.expected(contexts(state), self.ridge)
        hope = expected + self.optimism * error
        best = hope[tried].max()
        if not best > 0:
            return state.prior
        parts = np.where(tried, np.clip(hope / best, self.least, 1.0), 1.0)
        shares = softmax(np.log(parts) / self.temperature)
        possible = np.where(state.prior > 0, shares, 0.0)
        return held_back(possible / possible.sum(), state.prior, kl=self.trust, ratio=None)
