"""Fit every method of the ladder, score each on runs that it did not see, and stack what is good.

No method is best on all swarms: trees need hundreds of runs, laws rank best across model sizes, and Gaussian
processes lead in between. The score table comes with the answer; where nothing describes the data better
than a constant, the stack is that constant, and a proposal from it is the prior.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.auto.calibration import calibrated, spread_of
from mixlaws.auto.fidelity import told_of_laws
from mixlaws.auto.held_out import PART_FOLDS, HeldOut, hold_out, hold_out_of_part, reach
from mixlaws.auto.members import MEMBERS, Member, Sizes
from mixlaws.auto.stack import Row, Stack
from mixlaws.auto.stacking import chosen, standardised_errors
from mixlaws.auto.transfer import ScaledStack, SeveralScales
from mixlaws.errors import InvalidInputError, MixlawsError
from mixlaws.progress import through
from mixlaws.scales import several
from mixlaws.swarm import Swarm, mixture_numbers, require_mixtures
from mixlaws.validation import CrossValidation, law_fidelity, score, spearman

MINIMUM_RUNS = 6
_FOLDS = 8
_LEAST_PART = 256  # runs: a member that cannot afford so many is left out
_SECONDS = (12.0, 1.0)  # for a member, whatever there is, and for each of its targets
_BYTES = 2**29  # for the predictor of a member, of which there are nine at once


@dataclass(frozen=True)
class Auto:
    """Hyperparameters.

    Args:
        objective: coefficients of the targets by name, as the problem has them; None means all alike.
        prefer: "accuracy" takes what predicts held-out runs best; "transfer" what, fitted to smaller scales,
            ranks the runs of the largest best, and where runs do not show that laws alone, whose shape keeps
            its ranks when the model grows.
        seconds: allowed for a member; one whose estimated cost is beyond it is fitted to as many runs as
            it can afford, 256 at least, or is not run, and listed with its cost. None allows 12, or one for
            each target if there are more.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"model_parameters", "tokens"})  # of a swarm that it knows

    objective: dict[str, float] | None = None
    prefer: Literal["accuracy", "transfer"] = "accuracy"
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
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
        base, widening, freedom = calibrated(by_fold[folds], list(tried.values()), swarm.values)
        low, high = reach(swarm.values)
        rows = [
            _row(name, float(share @ coefficients), found, swarm, coefficients)
            for name, share, found in zip(names, shares, tried.values(), strict=True)
        ]
        if runs is not None:
            rows = [runs.scored(row, tried[row.member], coefficients) for row in rows]
        kept = {name: frozen(share) for name, share in zip(names, shares, strict=True) if share.any()}
        return Stack(
            members={name: tried[name].predictor for name in kept},
            shares=kept,
            base=frozen(base),
            widening=frozen(widening),
            freedom=freedom,
            low=frozen(low),
            high=frozen(high),
            table=sorted(rows, key=lambda row: row.mae or 0.0) + table,
            verdict=_verdict(kept, errors, names) + told_of_laws(rows),
            held_out=CrossValidation(
                measured=swarm.values,
                predicted=np.einsum("nmt,mnt->nt", by_fold[folds], predicted),
                folds=folds,
                constant=(set(kept) == {"constant"},) * len(swarm.targets),
                deviation=_deviation(by_fold[folds], list(tried.values()), base, widening),
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
        sizes = _sizes(swarm)
        allowed = max(_SECONDS[0], _SECONDS[1] * sizes.t) if self.seconds is None else self.seconds
        times = 2 if runs is not None and runs.smaller is not None else 1  # fitted to smaller scales as well
        members = list(zip(MEMBERS, MEMBERS.values(), rng.spawn(len(MEMBERS)), strict=True))
        costs = [min(member.cost(sizes), allowed) for member in MEMBERS.values()]
        for name, member, child in through(members, stage=lambda one: f"trying {one[0]}", costs=costs):
            if member.of_scales and runs is None:
                continue
            affordable = _affordable(
                member, sizes, allowed / times, whole=runs is not None or not member.by_parts
            )
            seconds = times * member.cost(sizes)
            reason = self._reason_against(member, sizes, runs)
            if not (reason or affordable):
                reason = f"too costly: about {seconds:.0f} s, and {allowed:.0f} s are allowed"
            if not reason:
                try:
                    tried[name] = (
                        _held_out(member, swarm, folds, affordable, rng=child)
                        if runs is None
                        else runs.hold_out(member.estimator, swarm, folds, rng=child)
                    )
                except MixlawsError as error:
                    reason = str(error)
            if reason:
                left_out.append(Row(name, seconds=seconds, note=reason))
        return tried, left_out

    def _reason_against(self, member: Member, sizes: Sizes, runs: SeveralScales | None) -> str:
        if self.prefer == "transfer" and not member.parametric and not self._by_transfer(runs):
            return "no law: its ranks are not known to keep when the model grows"
        if sizes.n < member.useful_from:
            return f"of no use below {member.useful_from} runs, and there are {sizes.n}"
        return ""


def _affordable(member: Member, sizes: Sizes, seconds: float, *, whole: bool) -> int:
    """Runs that a member can be fitted to, all of them or a part; 0 if too few for it to be worth while.

    Args:
        member: the member.
        sizes: of the swarm.
        seconds: that it may take.
        whole: whether a part is of no use.
    """

    def fits(part: Sizes) -> bool:
        return member.cost(part) <= seconds and member.memory(part) <= _BYTES

    if fits(sizes) or whole:
        return sizes.n if fits(sizes) else 0
    low, high = 0, sizes.n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(sizes._replace(n=middle, folds=PART_FOLDS)) else (low, middle)
    return low if low >= _LEAST_PART else 0


def _held_out(
    member: Member, swarm: Swarm, folds: IntArray, runs: int, *, rng: np.random.Generator
) -> HeldOut:
    """The member fitted to so many runs, which are whole mixtures drawn at random."""
    if runs == len(swarm):
        return hold_out(member.estimator, swarm, folds, rng=rng)
    numbers = mixture_numbers(swarm.weights)
    order = rng.permutation(int(numbers.max()) + 1)
    taken = order[np.cumsum(np.bincount(numbers)[order]) <= runs]
    rows = np.flatnonzero(np.isin(numbers, taken))
    return hold_out_of_part(member.estimator, swarm, folds, rows, rng=rng)


def _sizes(swarm: Swarm) -> Sizes:
    return Sizes(len(swarm), len(swarm.domains), len(swarm.targets))


def _folds(swarm: Swarm, rng: np.random.Generator) -> IntArray:
    """(n,) fold of each run; repeats of one mixture share a fold."""
    distinct = require_mixtures(swarm, method="auto", needed=MINIMUM_RUNS)
    numbers = mixture_numbers(swarm.weights)
    return np.asarray((rng.permutation(distinct) % min(_FOLDS, distinct))[numbers])


def _deviation(
    shares: FloatArray, tried: Sequence[HeldOut], base: FloatArray, widening: FloatArray
) -> FloatArray:
    """(n, t) deviations of runs by members that did not see them; base and widening are of all runs."""
    means = np.array([found.predicted for found in tried])
    own = np.array([found.deviation for found in tried])
    return np.asarray(widening * spread_of(shares, means, own, base))


def _row(name: str, share: float, found: HeldOut, swarm: Swarm, coefficients: FloatArray) -> Row:
    member, sizes, values = MEMBERS[name], _sizes(swarm), swarm.values
    constant = name == "constant"
    scores = score(values @ coefficients, found.predicted @ coefficients, constant=constant)
    ranks = [spearman(values[:, t], found.predicted[:, t]) for t in range(values.shape[1])]
    known = [] if constant else [rank for rank in ranks if rank is not None]
    is_law = member.parametric and not constant
    seconds, note = member.cost(sizes), ""
    if found.runs < sizes.n:
        note = f"fitted to {found.runs} of {sizes.n} runs: with all of them it takes about {seconds:.0f} s"
        seconds = member.cost(sizes._replace(n=found.runs, folds=PART_FOLDS))
    return Row(
        member=name,
        weight=share,
        mae=scores.mae,
        r2=scores.r2,
        spearman=scores.spearman,
        target_spearman=float(np.median(known)) if known else None,
        fidelity_in_sample=law_fidelity(found.predictor, swarm, coefficients) if is_law else None,
        seconds=seconds,
        note=note,
    )


def _verdict(kept: Collection[str], errors: FloatArray, names: list[str]) -> str:
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
        f"error; the answer is {'a weighted mean of ' if len(kept) > 1 else ''}{', '.join(kept)}"
        f"{'' if len(kept) > 1 else ' alone'}"
    )
