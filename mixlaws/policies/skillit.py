"""Skill-It: domains whose training helps what is still badly learnt get more.

    w_i  proportional to  exp(eta sum_j A_ij sum_u L_j(u))

A_ij is the effect of training on domain i upon domain j: a row for the domain that is trained. L(u) are the
last `window` evaluations, added and not averaged; each update starts from equal weights again, since to
multiply on the mixture before would count evaluations twice. Before the first evaluation all losses are 1.
Entries of A off the diagonal that are exactly 1 count as 0.5, as in the released code. With the identity as
A, the default, the rule is a softmax of windowed losses.

With target domains given, A is reduced to their columns, and the window is averaged.

Source: Chen et al. 2023, arXiv:2307.14430, and the released code; its schedule for eta, pinned lone nodes
and dampening are left out. A domain that an evaluation leaves out keeps its last loss, or has the mean of
the others before it was ever evaluated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Evaluation, Feedback, Signal
from mixlaws.policies.arithmetic import softmax
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class SkillItState:
    """State between updates.

    Args:
        names: (d,) names whose order all arrays follow.
        effects: (d, d) A, with the columns of targets alone kept, if there are targets.
        window: (u, d) last evaluations, oldest first, nats per token.
        first: (d,) first evaluation of this set, or None before it.
        set_hash: evaluation set of the window.
        next_update: step at which the next update is due.
        weights: (d,) mixture of the last update.
    """

    names: tuple[str, ...]
    effects: FloatArray
    window: FloatArray
    first: FloatArray | None
    set_hash: str
    next_update: int
    weights: FloatArray


@dataclass(frozen=True)
class SkillIt:
    """Hyperparameters.

    Args:
        eta: step size; published runs have .1 to .8.
        window: evaluations that are added up.
        update_every: steps between updates of the mixture.
        graph: A by name, as graph[trained][measured]; what is left out is 0. None means the identity.
        targets: names of the domains whose losses count; all of them, if there are none.
        normalised: whether losses are divided by those of the first evaluation, which keeps the exponent
            near eta window however large losses are early on.
    """

    eta: float = 0.2
    window: int = 3
    update_every: int = 1000
    graph: Mapping[str, Mapping[str, float]] | None = None
    targets: tuple[str, ...] = ()
    normalised: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.eta) and self.eta >= 0):
            raise InvalidInputError(f"eta is {self.eta}: use a finite value >= 0")
        if self.window < 1 or self.update_every < 1:
            raise InvalidInputError(
                f"window {self.window}, update_every {self.update_every}: need at least 1 each"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses on an evaluation set of every domain."""
        return frozenset({Signal.EVALUATIONS})

    def init(self, problem: MixtureProblem, /) -> SkillItState:
        """No evaluations: all losses count as 1.

        Raises:
            UnknownDomainError: graph or targets name a domain that the problem does not have.
            InvalidInputError: an effect is not finite.
        """
        d = len(problem.domains)
        effects = self._effects(problem.domains)
        weights = frozen(softmax(self.eta * effects.sum(axis=1)))
        return SkillItState(
            problem.domains.names, effects, frozen(np.empty((0, d))), None, "", self.update_every, weights
        )

    def update(self, state: SkillItState, feedback: Feedback, /) -> SkillItState:
        """Take an evaluation into the window, and reweigh if an update is due."""
        evaluation, due = feedback.evaluation, state.next_update
        # An evaluation that was taken after the update was due belongs to the next one.
        if evaluation is not None and evaluation.step <= due:
            state = self._seen(state, evaluation)
        if feedback.step >= due:
            state = self._reweighed(state)
            state = replace(state, next_update=self.update_every * (feedback.step // self.update_every + 1))
        if evaluation is not None and evaluation.step > due:
            state = self._seen(state, evaluation)
        return state

    def stages(self, state: SkillItState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: SkillItState, /) -> JsonObject:
        """The state as JSON; effects are hyperparameters and left out."""
        return {
            "schema": SCHEMA,
            "policy": "skillit",
            "names": list(state.names),
            "window": state.window.tolist(),
            "first": None if state.first is None else state.first.tolist(),
            "set_hash": state.set_hash,
            "next_update": state.next_update,
            "weights": state.weights.tolist(),
        }

    def load(self, raw: JsonObject, /) -> SkillItState:
        """The state from its dump."""
        check_state(raw, "skillit", SCHEMA)
        names = tuple(raw["names"])
        return SkillItState(
            names,
            self._effects(DomainSet(names, (1,) * len(names))),
            frozen(np.reshape(raw["window"], (-1, len(names)))),
            None if raw["first"] is None else frozen(raw["first"]),
            str(raw["set_hash"]),
            int(raw["next_update"]),
            frozen(raw["weights"]),
        )

    def _effects(self, domains: DomainSet) -> FloatArray:
        d = len(domains)
        effects = np.eye(d)
        if self.graph is not None:
            effects = np.zeros((d, d))
            for trained, row in self.graph.items():
                effects[domains.index(trained)] = domains.to_array(row, missing=0.0)
            effects[(effects == 1) & ~np.eye(d, dtype=bool)] = 0.5
        if not np.all(np.isfinite(effects)):
            raise InvalidInputError("the graph holds NaN or infinity: measure those effects again")
        if self.targets:
            kept = np.zeros(d)
            kept[[domains.index(name) for name in self.targets]] = 1.0
            effects = effects * kept
        return frozen(effects)

    def _seen(self, state: SkillItState, evaluation: Evaluation) -> SkillItState:
        if not evaluation.observed.any():
            return state
        if evaluation.set_hash != state.set_hash:  # losses on other text: the window starts again
            state = replace(state, window=state.window[:0], first=None, set_hash=evaluation.set_hash)
        losses = evaluation.means
        stand_in = state.window[-1] if len(state.window) else np.full(len(losses), np.nanmean(losses))
        losses = frozen(np.where(evaluation.observed, losses, stand_in))
        window = frozen(np.vstack([state.window, losses])[-self.window :])
        return replace(state, window=window, first=losses if state.first is None else state.first)

    def _reweighed(self, state: SkillItState) -> SkillItState:
        if not len(state.window):
            return state
        window = state.window
        if self.normalised and state.first is not None:
            window = window / np.maximum(state.first, 1e-300)
        losses = window.mean(axis=0) if self.targets else window.sum(axis=0)
        return replace(state, weights=frozen(softmax(self.eta * (state.effects @ losses))))
