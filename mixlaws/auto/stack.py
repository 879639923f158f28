"""The fitted stack: a weighted mean of members, with the score table that led to it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.auto.calibration import spread_of
from mixlaws.auto.members import MEMBERS
from mixlaws.errors import StateError
from mixlaws.estimator import DifferentiablePredictor, Predictor, ProbabilisticPredictor
from mixlaws.intervals import tail_factors
from mixlaws.validation import CrossValidation

SCHEMA = 2
_HAS_A_SAY = 0.05  # of the mean share: what a member with less says is not asked
_SLOPE_STEP = 1e-4  # of weight, for members without derivatives of their own


@dataclass(frozen=True)
class Row:
    """A member in the score table, scored on runs that its fits did not see.

    Args:
        member: its name.
        weight: its share of the stack, as far as the objective goes.
        mae: mean absolute error of the objective; None where it was not run.
        r2: explained share of the objective's variance.
        spearman: rank correlation of the objective; None where it is undefined.
        target_spearman: median over targets of the rank correlation.
        fidelity_in_sample: how well a law describes the very runs it was fitted to, R² of the objective: no
            held-out score. None for what is no law.
        transfer_spearman: rank correlation of the objective of runs of the largest scale with what fits to
            smaller scales alone predict; None where there is one scale, or too few runs for it.
        transfer_r2: share of that objective's variance that they explain after the best increasing line.
        seconds: estimated cost.
        note: why it was not run, or not fitted to all runs.
    """

    member: str
    weight: float = 0.0
    mae: float | None = None
    r2: float | None = None
    spearman: float | None = None
    target_spearman: float | None = None
    fidelity_in_sample: float | None = None
    transfer_spearman: float | None = None
    transfer_r2: float | None = None
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, eq=False)
class Stack:
    """A fitted stack.

    Args:
        members: fitted members by name; those of no weight are left out.
        shares: their (t,) weights, of each target summing to 1.
        base: (t,) variance of held-out errors that no member foresees.
        widening: (t,) factor on deviations that held-out errors ask for.
        freedom: degrees of freedom of the Student's t that held-out errors follow.
        low: (t,) and high: (t,) what a member may say at most: beyond them a fit runs wild.
        table: the score table.
        verdict: what it says, in one sentence.
        held_out: predictions of the fitted runs by members and shares that did not see them; None once the
            stack was dumped and loaded.
    """

    members: Mapping[str, Predictor]
    shares: Mapping[str, FloatArray]
    base: FloatArray
    widening: FloatArray
    freedom: float
    low: FloatArray
    high: FloatArray
    table: Sequence[Row]
    verdict: str
    held_out: CrossValidation | None = None

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) weighted means of the members, in the unit of the targets."""
        return np.asarray(np.einsum("mt,mnt->nt", self._weights(), self._means(weights)))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives; of trees by differences, which are mostly 0."""
        parts = []
        for name, share in self.shares.items():
            said = self.members[name].predict(weights)
            credible = (self.low <= said) & (said <= self.high)
            parts.append((share * credible)[:, :, None] * _slopes(self.members[name], weights))
        return np.asarray(np.sum(parts, axis=0))

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) deviations of a run's values: what members say, how far they differ, and the rest.

        Widened or narrowed so that 80 % intervals held 80 % of the held-out runs.
        """
        own = np.array([_deviation(self.members[name], weights) for name in self.shares])
        everywhere = np.broadcast_to(self._weights(), (len(weights), *self._weights().shape))
        return np.asarray(self.widening * spread_of(everywhere, self._means(weights), own, self.base))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws: the probabilistic members' own around the stack's prediction.

        Without such a member draws move all mixtures together by the deviation. Tails are those of the
        held-out errors: all mixtures of a draw are as far off as Student's t has it.
        """
        mean, wanted = self.predict(weights), self.deviation(weights)
        tails = tail_factors(self.freedom, (count, 1, mean.shape[1]), rng)
        for name in sorted(self.shares, key=lambda name: -self.shares[name].mean()):
            member = self.members[name]
            if isinstance(member, ProbabilisticPredictor):
                draws = member.sample(weights, count=count, rng=rng) - member.predict(weights)
                own = np.maximum(member.deviation(weights), 1e-12)
                return np.asarray(mean + tails * draws * np.minimum(wanted / own, 3.0))
        return np.asarray(mean + tails * wanted * rng.standard_normal((count, 1, mean.shape[1])))

    def opinions(self, weights: FloatArray, /) -> Mapping[str, tuple[FloatArray, FloatArray]]:
        """By member with a say: its (t,) shares, and what it predicts alone, (n, t)."""
        means = dict(zip(self.shares, self._means(weights), strict=True))
        return {
            name: (share, means[name]) for name, share in self.shares.items() if share.mean() >= _HAS_A_SAY
        }

    def dump(self) -> JsonObject:
        """Members, shares and table as JSON."""
        return {
            "schema": SCHEMA,
            "regressor": "auto",
            "members": {name: member.dump() for name, member in self.members.items()},
            "shares": {name: share.tolist() for name, share in self.shares.items()},
            "freedom": self.freedom,
            "base": self.base.tolist(),
            "widening": self.widening.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
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
            shares={name: frozen(share) for name, share in raw["shares"].items()},
            base=frozen(raw["base"]),
            widening=frozen(raw["widening"]),
            freedom=float(raw["freedom"]),
            low=frozen(raw["low"]),
            high=frozen(raw["high"]),
            table=[Row(**{key: row[key] for key in known & set(row)}) for row in raw["table"]],
            verdict=str(raw["verdict"]),
        )

    def _weights(self) -> FloatArray:
        return np.array(list(self.shares.values()))

    def _means(self, weights: FloatArray) -> FloatArray:
        """(m, n, t) what members predict, as far as it is credible."""
        said = [self.members[name].predict(weights) for name in self.shares]
        return np.clip(np.array(said), self.low, self.high)


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
