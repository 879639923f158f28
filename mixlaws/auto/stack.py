"""The fitted stack: a weighted mean of members, with the score table that led to it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.auto.members import MEMBERS
from mixlaws.errors import StateError
from mixlaws.estimator import DifferentiablePredictor, Predictor, ProbabilisticPredictor
from mixlaws.validation import CrossValidation

SCHEMA = 1
_SLOPE_STEP = 1e-4  # of weight, for members without derivatives of their own


@dataclass(frozen=True)
class Row:
    """A member in the score table, all of it on runs that its fits did not see.

    Args:
        member: its name.
        weight: its share of the stack.
        mae: mean absolute error of the objective; None where it was not run.
        r2: explained share of the objective's variance.
        spearman: rank correlation of the objective; None where it is undefined.
        target_spearman: median over targets of the rank correlation.
        transfer_spearman: rank correlation of the objective of runs of the largest scale with what fits to
            smaller scales alone predict; None where there is one scale, or too few runs for it.
        transfer_r2: share of that objective's variance that they explain after the best increasing line.
        seconds: estimated cost.
        note: why it was not run.
    """

    member: str
    weight: float = 0.0
    mae: float | None = None
    r2: float | None = None
    spearman: float | None = None
    target_spearman: float | None = None
    transfer_spearman: float | None = None
    transfer_r2: float | None = None
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, eq=False)
class Stack:
    """A fitted stack.

    Args:
        members: fitted members by name; those of no weight are left out.
        shares: their weights, summing to 1.
        base: (t,) variance of held-out errors that no member foresees.
        widening: (t,) factor on deviations that held-out errors ask for.
        table: the score table.
        verdict: what it says, in one sentence.
        held_out: predictions of the fitted runs by members and shares that did not see them; None once the
            stack was dumped and loaded.
    """

    members: Mapping[str, Predictor]
    shares: Mapping[str, float]
    base: FloatArray
    widening: FloatArray
    table: Sequence[Row]
    verdict: str
    held_out: CrossValidation | None = None

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) weighted means of the members, in the unit of the targets."""
        parts = [share * self.members[name].predict(weights) for name, share in self._parts()]
        return np.asarray(np.sum(parts, axis=0))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives; of trees by differences, which are mostly 0."""
        parts = [share * _slopes(self.members[name], weights) for name, share in self._parts()]
        return np.asarray(np.sum(parts, axis=0))

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) deviations of a run's values: what members say, how far they differ, and the rest.

        Widened or narrowed so that 80 % intervals held 80 % of the held-out runs.
        """
        means = np.array([self.members[name].predict(weights) for name, _ in self._parts()])
        own = np.array([_deviation(self.members[name], weights) for name, _ in self._parts()])
        shares = np.array([share for _, share in self._parts()])
        everywhere = np.tile(shares, (len(weights), 1))
        return np.asarray(self.widening * spread_of(everywhere, means, own, self.base))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws: the probabilistic members' own around the stack's prediction.

        Without such a member draws move all mixtures together by the deviation.
        """
        mean, wanted = self.predict(weights), self.deviation(weights)
        for name, _ in sorted(self._parts(), key=lambda part: -part[1]):
            member = self.members[name]
            if isinstance(member, ProbabilisticPredictor):
                draws = member.sample(weights, count=count, rng=rng) - member.predict(weights)
                own = np.maximum(member.deviation(weights), 1e-12)
                return np.asarray(mean + draws * np.minimum(wanted / own, 3.0))
        return np.asarray(mean + wanted * rng.standard_normal((count, 1, mean.shape[1])))

    def dump(self) -> JsonObject:
        """Members, shares and table as JSON."""
        return {
            "schema": SCHEMA,
            "regressor": "auto",
            "members": {name: member.dump() for name, member in self.members.items()},
            "shares": dict(self.shares),
            "base": self.base.tolist(),
            "widening": self.widening.tolist(),
            "table": [asdict(row) for row in self.table],
            "verdict": self.verdict,
        }

    @classmethod
    def load(cls, raw: JsonObject) -> "Stack":
        """Rebuild a stack from its dump."""
        if raw.get("regressor") != "auto" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of auto, schema {SCHEMA}: {raw.get('regressor')!r}")
        known = {field.name for field in fields(Row)}
        return cls(
            members={name: MEMBERS[name].estimator.load(dump) for name, dump in raw["members"].items()},
            shares=dict(raw["shares"]),
            base=np.array(raw["base"]),
            widening=np.array(raw["widening"]),
            table=[Row(**{key: row[key] for key in known & set(row)}) for row in raw["table"]],
            verdict=str(raw["verdict"]),
        )

    def _parts(self) -> list[tuple[str, float]]:
        return list(self.shares.items())


def spread_of(shares: FloatArray, means: FloatArray, own: FloatArray, base: FloatArray) -> FloatArray:
    """(n, t) deviations of means of (m, n, t) predictions, with deviations of their own and (n, m) shares."""
    centre = np.einsum("nm,mnt->nt", shares, means)
    return np.asarray(np.sqrt(base + np.einsum("nm,mnt->nt", shares, own**2 + (means - centre) ** 2)))


def _deviation(member: Predictor, weights: FloatArray) -> FloatArray:
    if isinstance(member, ProbabilisticPredictor):
        return member.deviation(weights)
    return np.zeros_like(member.predict(weights))


def _slopes(member: Predictor, weights: FloatArray) -> FloatArray:
    if isinstance(member, DifferentiablePredictor):
        return member.jacobian(weights)
    columns: list[Any] = []
    for j in range(weights.shape[1]):
        ahead, behind = weights.copy(), weights.copy()
        ahead[:, j] += _SLOPE_STEP
        behind[:, j] = np.maximum(behind[:, j] - _SLOPE_STEP, 0.0)
        width = (ahead[:, j] - behind[:, j])[:, None]
        columns.append((member.predict(ahead) - member.predict(behind)) / width)
    return np.stack(columns, axis=2)
