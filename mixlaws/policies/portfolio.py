"""A portfolio of policies: all are told every feedback, and the one that is forecast to do best is followed.

With n_i the tokens read of domain i, N their sum, w^m the weights that member m asks for now and L_i the
common law of the job's own losses (`mixlaws.policies.portfolio_curves`), followed is

    argmin over m of  mean_i L_i(n_i + h N w_i^m)

among the members and the prior, whenever a span of feedback ends (`mixlaws.policies.portfolio_record`).
Forecasts are made before the outcome: the law is believed only while its own forecasts of the span to come
have been better than the rule that nothing falls any more. Else the prior holds.

What can be said for it: if every forecast is off by at most e nats, the chosen member is at most 2 e worse
than the best one over that reach, and never more than 2 e worse than the prior. Since what was read counts,
a domain that one member neglected makes the others better forecasts, as in a Frank-Wolfe search over the
mixtures between members. The law knows of no teaching between domains, and weighs the losses of all alike.

A member that raises an error, or gives no mixture, is dropped for good and named in the state. Members with
expensive steps have them; those that follow stages of their own, such as probes, are refused: in shadow
nobody would follow them. Source: ours; the idea of running rules beside each other and following the best is
that of prediction with expert advice (Cesa-Bianchi and Lugosi 2006), without its guarantee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.portfolio_record import Record
from mixlaws.policy import AnyPolicy, ExpensivePolicy, History, HistoryRequest, Stage, check_state
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import as_weights

SCHEMA = 1
PRIOR = "prior"
_MOST_HORIZON = 1000
_TIE = 1e-9  # nats; forecasts that differ by less are the same, else rounding would choose


@dataclass(frozen=True, eq=False)
class PortfolioState:
    """State between updates.

    Args:
        prior: (d,) what holds while no law is faithful.
        members: states of the members that are left, by name.
        dropped: why a member was dropped, by name.
        record: losses of the past, and how well they were forecast.
        following: name of the member that is followed, or `prior`.
        weights: (d,) mixture of the last update.
    """

    prior: FloatArray
    members: Mapping[str, Any]
    dropped: Mapping[str, str]
    record: Record
    following: str
    weights: FloatArray


def _cheap() -> dict[str, dict[str, Any]]:
    return {"ado": {}, "odm": {}, "stratified": {}, "temperature": {}}


@dataclass(frozen=True)
class Portfolio:
    """Hyperparameters.

    Args:
        members: arguments of each member by the name of its policy; by default those that need no more than
            training losses, with their own defaults. The prior always takes part.
        horizon: h, tokens that a forecast reaches ahead, in those that were read.
        warmup_steps: steps at the start whose losses are not learnt from.
    """

    members: Mapping[str, Mapping[str, Any]] = field(default_factory=_cheap)
    horizon: float = 0.2
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.horizon <= _MOST_HORIZON or self.warmup_steps < 0:
            raise InvalidInputError(
                f"horizon {self.horizon}, warmup_steps {self.warmup_steps}: need a value above 0, up to "
                f"{_MOST_HORIZON}, and steps >= 0"
            )
        if not self.members or PRIOR in self.members or "portfolio" in self.members:
            raise InvalidInputError(
                f"members are {sorted(self.members)}: name at least one policy, and no portfolio; the prior "
                "takes part unnamed"
            )
        object.__setattr__(self, "_policies", {name: self._made(name) for name in sorted(self.members)})

    @property
    def policies(self) -> Mapping[str, AnyPolicy]:
        """The members by name."""
        made: Mapping[str, AnyPolicy] = getattr(self, "_policies")  # noqa: B009 - set on a frozen instance
        return made

    @property
    def signals(self) -> frozenset[Signal]:
        """Losses of the training batches, and what the members need."""
        return frozenset({Signal.LOSSES}).union(*(policy.signals for policy in self.policies.values()))

    def init(self, problem: MixtureProblem, /) -> PortfolioState:
        """The prior.

        Raises:
            InvalidInputError: a member follows stages of its own, or does not fit the problem.
        """
        states = {name: policy.init(problem) for name, policy in self.policies.items()}
        for name, state in states.items():
            if len(self.policies[name].stages(state)) != 1:
                raise InvalidInputError(
                    f"member {name!r} follows stages of its own, which nobody trains in shadow: leave it out"
                )
        record = Record.start(len(problem.domains))
        return PortfolioState(problem.prior, states, {}, record, PRIOR, problem.prior)

    def update(self, state: PortfolioState, feedback: Feedback, /) -> PortfolioState:
        """Tell all members; if a span ends, choose anew."""
        state = self._told(state, feedback)
        wanted = {PRIOR: state.prior} | {name: self._wanted(name, one) for name, one in state.members.items()}
        following = state.following if state.following in wanted else PRIOR
        record = state.record
        if feedback.step > self.warmup_steps:
            record = record.added(feedback)
            if record.full:
                record = record.closed()
                following = self._chosen(record, wanted, following)
        return replace(state, record=record, following=following, weights=frozen(wanted[following]))

    def stages(self, state: PortfolioState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def due(self, state: PortfolioState, /) -> HistoryRequest | None:
        """What the first member needs that has an expensive step to make."""
        requests = (policy.due(state.members[name]) for name, policy in self._expensive(state.members))
        return next((request for request in requests if request is not None), None)

    def compute(self, request: HistoryRequest, history: History, /) -> JsonObject:
        """The expensive steps of all members, by name; empty where nothing could be learnt."""
        found: dict[str, Any] = {}
        for name, policy in self._expensive(self.members):
            try:
                found[name] = {"result": policy.compute(request, history)}
            except FitError:
                found[name] = {"result": {}}
            except Exception as error:  # noqa: BLE001 - a member must not end the job
                found[name] = {"error": type(error).__name__}
        return {"members": found}

    def absorb(self, state: PortfolioState, result: JsonObject, /) -> PortfolioState:
        """Give results to those members whose step was due; an empty one tells them that there is none."""
        asked, found = self.due(state), result.get("members", {})
        members, dropped = dict(state.members), dict(state.dropped)
        for name, policy in self._expensive(state.members):
            if policy.due(members[name]) != asked:
                continue
            one = found.get(name, {})
            if "error" in one:
                del members[name]
                dropped[name] = one["error"]
            else:
                members[name] = policy.absorb(members[name], one.get("result", {}))
        return replace(state, members=members, dropped=dropped)

    def dump(self, state: PortfolioState, /) -> JsonObject:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "policy": "portfolio",
            "following": state.following,
            "weights": state.weights.tolist(),
            "prior": state.prior.tolist(),
            "dropped": dict(state.dropped),
            "record": state.record.dump(),
            "members": {name: self.policies[name].dump(one) for name, one in state.members.items()},
        }

    def load(self, raw: JsonObject, /) -> PortfolioState:
        """The state from its dump."""
        check_state(raw, "portfolio", SCHEMA)
        return PortfolioState(
            frozen(raw["prior"]),
            {name: self.policies[name].load(one) for name, one in raw["members"].items()},
            dict(raw["dropped"]),
            Record.load(raw["record"]),
            str(raw["following"]),
            frozen(raw["weights"]),
        )

    def _made(self, name: str) -> AnyPolicy:
        # The registry names this class, so that it cannot be imported above.
        from mixlaws.registry import POLICIES, method  # noqa: PLC0415

        try:
            return method("policy", POLICIES, name)(**self.members[name])
        except TypeError as error:
            raise InvalidInputError(f"member {name!r}: {error}") from None

    def _expensive(self, names: Mapping[str, Any]) -> list[tuple[str, ExpensivePolicy[Any]]]:
        """Those of the named members that have expensive steps."""
        return [
            (name, policy)
            for name, policy in self.policies.items()
            if name in names and isinstance(policy, ExpensivePolicy)
        ]

    def _told(self, state: PortfolioState, feedback: Feedback) -> PortfolioState:
        """The state with all members told, without those that fail."""
        members, dropped = dict(state.members), dict(state.dropped)
        for name, before in state.members.items():
            try:
                members[name] = self.policies[name].update(before, feedback)
                as_weights(self._wanted(name, members[name]))
            except Exception as error:  # noqa: BLE001 - a member must not end the job
                del members[name]
                dropped[name] = type(error).__name__
        return replace(state, members=members, dropped=dropped)

    def _wanted(self, name: str, state: Any) -> FloatArray:
        """(d,) weights that a member asks for."""
        return self.policies[name].stages(state)[-1].weights

    def _chosen(self, record: Record, wanted: Mapping[str, FloatArray], following: str) -> str:
        """Name of what is followed from the end of a span on."""
        if not record.faithful:
            return PRIOR
        curves = record.curves
        if curves is None:  # after a jump: what was followed is as good as any
            return following
        read, reach = record.read, self.horizon * record.read.sum()
        forecasts = {name: curves.losses(read + reach * weights).mean() for name, weights in wanted.items()}
        least = min(forecasts.values()) + _TIE
        return next(name for name, loss in forecasts.items() if loss <= least)
