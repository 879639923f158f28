"""Fit every method of the ladder, score each on runs that it did not see, and stack what is good.

No method is best on all swarms: trees need hundreds of runs, laws rank best across model sizes, and Gaussian
processes lead in between. The score table comes with the answer; where nothing describes the data better
than a constant, the stack is that constant, and a proposal from it is the prior.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.auto.held_out import HeldOut, hold_out
from mixlaws.auto.members import MEMBERS, Member, Sizes
from mixlaws.auto.stack import Row, Stack, spread_of
from mixlaws.auto.stacking import chosen, standardised_errors
from mixlaws.auto.transfer import ScaledStack, SeveralScales
from mixlaws.errors import InvalidInputError, MixlawsError
from mixlaws.scales import several
from mixlaws.swarm import Swarm, mixture_numbers, require_mixtures
from mixlaws.validation import CrossValidation, score, spearman

MINIMUM_RUNS = 6
_FOLDS = 8
_EIGHTY_PERCENT = 1.2816  # deviations either side of a normal mean
_UNFORESEEN = 0.25  # share of the held-out squared error that no deviation is expected to explain


@dataclass(frozen=True)
class Auto:
    """Hyperparameters.

    Args:
        objective: coefficients of the targets by name, as the problem has them; None means all alike.
        prefer: "accuracy" takes what predicts held-out runs best; "transfer" what, fitted to smaller scales,
            ranks the runs of the largest best, and where runs do not show that laws alone, whose shape keeps
            its ranks when the model grows.
        seconds: members whose estimated cost is beyond it are not run, and listed with their cost.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"model_parameters", "tokens"})  # of a swarm that it knows

    objective: dict[str, float] | None = None
    prefer: Literal["accuracy", "transfer"] = "accuracy"
    seconds: float = 12.0

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise InvalidInputError(f"seconds is {self.seconds}: use a value > 0")

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> Stack | ScaledStack:
        """Fit, score and stack; of runs of several scales for the largest one.

        Raises:
            RunsAlikeError: fewer than six distinct mixtures.
            SwarmTooSmallError: of several scales none has four distinct mixtures.
        """
        folds = _folds(swarm, rng)
        if not several(swarm):
            return self._stacked(swarm, folds, None, rng)
        runs = SeveralScales.split(swarm, folds, rng=rng)
        return runs.told(self._stacked(runs.moved, folds, runs, rng))

    def _stacked(
        self, swarm: Swarm, folds: IntArray, runs: SeveralScales | None, rng: np.random.Generator
    ) -> Stack:
        """The stack of runs in units of one scale; `runs` are those of several that they were."""
        coefficients = self._coefficients(swarm)
        tried, table = self._tried(swarm, folds, runs, rng)
        names = list(tried)
        predicted = np.array([found.predicted for found in tried.values()])
        errors = standardised_errors(predicted, swarm.values, coefficients)
        fallback = names.index("constant")
        weighed, parts = errors, folds
        if runs is not None and self._by_transfer(runs):
            weighed, parts = runs.transfer_errors(list(tried.values()), coefficients), folds[runs.largest]
        shares = chosen(errors, fallback, weighed)
        # A fold is predicted with shares that its runs had no part in: else the stack would flatter itself.
        by_fold = np.array(
            [
                chosen(errors[:, folds != fold], fallback, weighed[:, parts != fold])
                for fold in range(folds.max() + 1)
            ]
        )
        base, widening = _calibrated(by_fold[folds], list(tried.values()), swarm.values)
        rows = [
            _row(name, share, found, swarm.values, coefficients, MEMBERS[name].cost(_sizes(swarm)))
            for name, share, found in zip(names, shares, tried.values(), strict=True)
        ]
        if runs is not None:
            rows = [runs.scored(row, tried[row.member], coefficients) for row in rows]
        kept = {name: float(share) for name, share in zip(names, shares, strict=True) if share > 0}
        return Stack(
            members={name: tried[name].predictor for name in kept},
            shares=kept,
            base=frozen(base),
            widening=frozen(widening),
            table=sorted(rows, key=lambda row: row.mae or 0.0) + table,
            verdict=_verdict(kept, errors, names),
            held_out=CrossValidation(
                measured=swarm.values,
                predicted=np.einsum("nm,mnt->nt", by_fold[folds], predicted),
                folds=folds,
                constant=(set(kept) == {"constant"},) * len(swarm.targets),
            ),
        )

    def load(self, raw: JsonObject, /) -> Stack | ScaledStack:
        """Rebuild a stack from its dump."""
        return ScaledStack.load(raw) if "levels" in raw else Stack.load(raw)

    def _by_transfer(self, runs: SeveralScales | None) -> bool:
        return self.prefer == "transfer" and runs is not None and runs.smaller is not None

    def _coefficients(self, swarm: Swarm) -> FloatArray:
        if self.objective is None:
            return np.full(len(swarm.targets), 1.0 / len(swarm.targets))
        return swarm.coefficients(self.objective)

    def _tried(
        self, swarm: Swarm, folds: IntArray, runs: SeveralScales | None, rng: np.random.Generator
    ) -> tuple[Mapping[str, HeldOut], list[Row]]:
        """Members that could be fitted, and rows for those that were not."""
        tried: dict[str, HeldOut] = {}
        left_out: list[Row] = []
        how = hold_out if runs is None else runs.hold_out
        for (name, member), child in zip(MEMBERS.items(), rng.spawn(len(MEMBERS)), strict=True):
            if member.of_scales and runs is None:
                continue
            seconds = member.cost(_sizes(swarm)) * (1 if runs is None or runs.smaller is None else 2)
            reason = self._reason_against(member, seconds, len(swarm), runs)
            if not reason:
                try:
                    tried[name] = how(member.estimator, swarm, folds, rng=child)
                except MixlawsError as error:
                    reason = str(error)
            if reason:
                left_out.append(Row(name, seconds=seconds, note=reason))
        return tried, left_out

    def _reason_against(self, member: Member, seconds: float, n: int, runs: SeveralScales | None) -> str:
        if self.prefer == "transfer" and not member.parametric and not self._by_transfer(runs):
            return "no law: its ranks are not known to keep when the model grows"
        if n < member.useful_from:
            return f"of no use below {member.useful_from} runs, and there are {n}"
        if seconds > self.seconds:
            return f"too costly: about {seconds:.0f} s, and {self.seconds:.0f} s are allowed"
        return ""


def _sizes(swarm: Swarm) -> Sizes:
    return Sizes(len(swarm), len(swarm.domains), len(swarm.targets))


def _folds(swarm: Swarm, rng: np.random.Generator) -> IntArray:
    """(n,) fold of each run; repeats of one mixture share a fold."""
    distinct = require_mixtures(swarm, method="auto", needed=MINIMUM_RUNS)
    numbers = mixture_numbers(swarm.weights)
    return np.asarray((rng.permutation(distinct) % min(_FOLDS, distinct))[numbers])


def _calibrated(
    shares: FloatArray, tried: list[HeldOut], values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(t,) unforeseen variance, and (t,) factor that makes 80 % intervals hold 80 % of held-out runs.

    Args:
        shares: (n, m) shares that each run is predicted with.
        tried: m members.
        values: (n, t) measured values.
    """
    means = np.array([found.predicted for found in tried])
    own = np.array([found.deviation for found in tried])
    error = np.abs(np.einsum("nm,mnt->nt", shares, means) - values)
    base = _UNFORESEEN * (np.quantile(error, 0.8, axis=0) / _EIGHTY_PERCENT) ** 2 + 1e-18
    spread = spread_of(shares, means, own, base)
    return base, np.quantile(error / spread, 0.8, axis=0) / _EIGHTY_PERCENT


def _row(
    name: str, share: float, found: HeldOut, values: FloatArray, coefficients: FloatArray, seconds: float
) -> Row:
    constant = name == "constant"
    scores = score(values @ coefficients, found.predicted @ coefficients, constant=constant)
    ranks = [spearman(values[:, t], found.predicted[:, t]) for t in range(values.shape[1])]
    known = [] if constant else [rank for rank in ranks if rank is not None]
    return Row(
        member=name,
        weight=float(share),
        mae=scores.mae,
        r2=scores.r2,
        spearman=scores.spearman,
        target_spearman=float(np.median(known)) if known else None,
        seconds=seconds,
    )


def _verdict(kept: Mapping[str, float], errors: FloatArray, names: list[str]) -> str:
    if set(kept) == {"constant"}:
        return (
            f"no method describes these {errors.shape[1]} runs surely better than a constant: nothing speaks "
            "against the prior"
        )
    losses = dict(zip(names, (errors**2).sum(axis=(1, 2)), strict=True))
    best = min(losses, key=lambda name: losses[name])
    left = losses[best] / losses["constant"]
    return (
        f"{best} is the best single method on held-out runs, with {100 * left:.0f} % of a constant's squared "
        f"error; the answer is a weighted mean of {', '.join(kept)}"
    )
