"""Aioli: short probes of every domain tell what its training does to all losses, again in each round.

A round evaluates the losses, visits all domains `sweeps` times in random orders, trains `probe_steps` steps
with m_i = h on domain i and (1 - h) / (d - 1) on the others, and evaluates after each. The model keeps
moving, so a probe is told by the losses just before it:

    D_ji = sum over sweeps of (L_j before the probe of i - L_j after it) / sweeps
    M a_j = D_j                     rows of M are the m_i; a_j is row j of A;  A = D where h = 1
    A <- (A - min(A, 0)) / sum      over all entries
    w_i  proportional to  base_i exp(eta sum_j A_ji)

A_ji is the effect of training on i upon j, so a domain's score is the sum of its column. With the moving
average, A <- (1 - ema) A + ema (A of the rounds before), and every round starts from the base again: since
all entries sum to 1, no two weights ever differ by more than the factor exp(eta). Without it, scores of all
rounds add up.

The plan of a round is its main stage, its probes, and a last stage until the evaluation of the last probe was
read. A trainer evaluates at the end of every stage before that, on one and the same set. A round in which an
evaluation is missing, lacks a domain, or is of another set teaches nothing, and the next one begins.

Source: Chen et al. 2024, arXiv:2411.05735, and the released code; defaults of its two-domain script.
Restricted mode (`prior_steps`) follows the prior before the first round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Evaluation, Feedback, Signal
from mixlaws.policies.aioli_state import MOST_DOMAINS, AioliState, stored
from mixlaws.policies.arithmetic import multiplied
from mixlaws.policies.orders import name_keys, random_order
from mixlaws.policy import Stage
from mixlaws.problem import MixtureProblem


@dataclass(frozen=True)
class Aioli:
    """Hyperparameters.

    Args:
        eta: step size; the authors advise .1 to .5.
        ema: weight of the rounds before in the moving average of A, or None to add scores up.
        concentration: h, share of the probed domain, above 1 / d.
        sweeps: visits to each domain in a round.
        probe_steps: steps of a probe.
        round_steps: steps of a round, its probes included; by default 8 times those of its probes.
        prior_steps: steps with the prior before the first round.
        base: what scores multiply, equal weights as published or the prior.
        normalised: whether A is shifted and divided as above, which the authors always advise.
        diagonal: whether only the effect of a domain on itself is kept.
        seed: of the orders in which domains are visited.
    """

    eta: float = 0.2
    ema: float | None = 0.1
    concentration: float = 0.625
    sweeps: int = 4
    probe_steps: int = 4
    round_steps: int | None = None
    prior_steps: int = 0
    base: Literal["uniform", "prior"] = "uniform"
    normalised: bool = True
    diagonal: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.eta) and self.eta >= 0) or not 0 < self.concentration <= 1:
            raise InvalidInputError(
                f"eta {self.eta}, concentration {self.concentration}: need a finite one >= 0 and one up to 1"
            )
        if self.ema is not None and not 0 <= self.ema < 1:
            raise InvalidInputError(f"ema is {self.ema}: use a value from 0 to below 1, or none")
        if min(self.sweeps, self.probe_steps) < 1 or self.prior_steps < 0:
            raise InvalidInputError(
                f"sweeps {self.sweeps}, probe_steps {self.probe_steps}, prior_steps {self.prior_steps}: "
                "need at least 1, 1 and 0"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses on an evaluation set of every domain, at the end of every stage."""
        return frozenset({Signal.EVALUATIONS})

    def init(self, problem: MixtureProblem, /) -> AioliState:
        """The first round, before its first evaluation.

        Raises:
            InvalidInputError: there are too many domains, or the hyperparameters do not fit their number.
        """
        d = len(problem.domains)
        if d > MOST_DOMAINS:
            raise InvalidInputError(f"{d} domains: a round of aioli probes at most {MOST_DOMAINS}")
        if d > 1 and self.concentration * d <= 1:
            raise InvalidInputError(
                f"concentration is {self.concentration}: with {d} domains it must exceed {1 / d:.4g}"
            )
        if self._main_steps(d) < 1:
            raise InvalidInputError(
                f"round_steps is {self.round_steps}: the probes of {d} domains take {self._probing_steps(d)}"
            )
        uniform = np.full(d, 1.0 / d)
        keys = name_keys(problem.domains.names)
        return AioliState(
            keys=keys,
            base=frozen(uniform if self.base == "uniform" else problem.prior),
            weights=frozen(problem.prior if self.prior_steps else uniform),
            scores=frozen(np.zeros(d)),
            effects=frozen(np.zeros((d, d))),
            order=self._order(keys, 0),
        )

    def update(self, state: AioliState, feedback: Feedback, /) -> AioliState:
        """Read the evaluation at the end of a stage; with the last probe's, the next round begins."""
        if feedback.stages_done is None:
            return state
        place = feedback.stages_done - self._has_main(state)
        if place > state.probed + 1 and place > 0:
            state = replace(state, broken=True, probed=place - 1)
        if place == state.probed + 1 and place <= len(state.order):
            state = self._read(state, feedback.evaluation)
        whole = state.probed >= len(state.order)
        return self._next_round(state) if whole or (state.broken and place >= len(state.order)) else state

    def stages(self, state: AioliState, /) -> Sequence[Stage]:
        """Main stage, probes, and what holds until they are read."""
        d = len(state.weights)
        steps = self.prior_steps if state.round == 0 else self._main_steps(d)
        main = [Stage(state.weights, steps)] if self._has_main(state) else []
        mixtures = self._probes(d)
        return [
            *main,
            *(Stage(mixtures[i], self.probe_steps, probe=True) for i in state.order),
            Stage(state.weights),
        ]

    def dump(self, state: AioliState, /) -> JsonObject:
        """The state as JSON."""
        return state.dump()

    def load(self, raw: JsonObject, /) -> AioliState:
        """The state from its dump."""
        return AioliState.load(raw)

    def interactions(self, effects: FloatArray, /) -> FloatArray:
        """(d, d) A before it is normalised, from D: row j is the loss, column i what was trained."""
        d = len(effects)
        if self.diagonal:
            return np.diag(np.diag(effects) / self.concentration)
        return np.asarray(np.linalg.solve(self._probes(d), effects.T).T)

    def _read(self, state: AioliState, evaluation: Evaluation | None) -> AioliState:
        """The state with the losses after one more probe, or before the first."""
        if evaluation is None or not evaluation.observed.all():
            return state
        losses, effects = evaluation.means, state.effects
        if state.probed >= 0 and state.losses is not None:
            effects = np.array(effects)
            effects[:, state.order[state.probed]] += (state.losses - losses) / self.sweeps
        other_set = state.probed >= 0 and evaluation.set_hash != state.set_hash
        return replace(
            state,
            effects=stored(effects),
            losses=frozen(losses),
            probed=state.probed + 1,
            set_hash=evaluation.set_hash,
            broken=state.broken or other_set,
        )

    def _next_round(self, state: AioliState) -> AioliState:
        number = state.round + 1
        if not state.broken:
            state = self._reweighed(state)
        return replace(
            state,
            round=number,
            order=self._order(state.keys, number),
            effects=frozen(np.zeros_like(state.effects)),
            probed=-1,
            losses=None,
            broken=False,
        )

    def _reweighed(self, state: AioliState) -> AioliState:
        matrix = self.interactions(state.effects)
        if self.normalised:
            matrix = matrix - min(matrix.min(), 0.0)
            total = matrix.sum()
            matrix = matrix / total if total > 0 else np.full_like(matrix, 1 / matrix.size)
        columns = matrix.sum(axis=0)
        scores = state.scores + self.eta * columns
        if self.ema is not None:
            before = columns if state.columns is None else state.columns
            columns = (1 - self.ema) * columns + self.ema * before
            scores = self.eta * columns
        weights = multiplied(state.base, scores)
        return replace(state, columns=frozen(columns), scores=frozen(scores), weights=frozen(weights))

    def _order(self, keys: tuple[int, ...], number: int) -> tuple[int, ...]:
        sweeps = [random_order(keys, (self.seed, number, sweep)) for sweep in range(self.sweeps)]
        return tuple(domain for order in sweeps for domain in order)

    def _has_main(self, state: AioliState) -> bool:
        return state.round > 0 or self.prior_steps > 0

    def _probing_steps(self, d: int) -> int:
        return self.sweeps * d * self.probe_steps

    def _main_steps(self, d: int) -> int:
        probing = self._probing_steps(d)
        return 7 * probing if self.round_steps is None else self.round_steps - probing

    def _probes(self, d: int) -> FloatArray:
        """(d, d) M: row i is the mixture that probes domain i."""
        if d == 1:
            return np.ones((1, 1))
        others = (1 - self.concentration) / (d - 1)
        return np.full((d, d), others) + (self.concentration - others) * np.eye(d)
