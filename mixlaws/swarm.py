"""A swarm: the finished proxy runs that a fit sees, checked once, on construction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, frozen
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, RunsAlikeError, UnknownTargetError, WeightsError
from mixlaws.simplex import as_weights


@dataclass(frozen=True, eq=False)
class Swarm:
    """Finished proxy runs as arrays.

    Args:
        domains: the domains of axis d.
        targets: names of the targets of axis t; lower is better.
        weights: (n, d) mixtures, on the simplex.
        values: (n, t) targets, nats per token where they are losses.
        model_parameters: (n,) parameters of each proxy model, or None if all are alike.
        tokens: (n,) training tokens of each run, or None if all are alike.
        seeds: (n,) seed of each run, or None if unknown.

    Raises:
        InvalidInputError: shapes disagree, or a value is not finite; the message names run and target.
        WeightsError: a mixture is off the simplex.
    """

    domains: DomainSet
    targets: tuple[str, ...]
    weights: FloatArray
    values: FloatArray
    model_parameters: FloatArray | None = None
    tokens: FloatArray | None = None
    seeds: IntArray | None = None

    def __post_init__(self) -> None:
        try:
            weights = frozen(as_weights(self.weights))
        except WeightsError as error:
            raise WeightsError(f"a swarm's mixtures: {error}") from None
        values = frozen(self.values)
        n = len(weights)
        if weights.ndim != 2 or weights.shape[1] != len(self.domains):
            raise InvalidInputError(f"weights have shape {weights.shape}: expected (n, {len(self.domains)})")
        if len(set(self.targets)) != len(self.targets) or not self.targets:
            raise InvalidInputError(f"target names {self.targets!r} must be distinct, and at least one")
        if values.shape != (n, len(self.targets)):
            raise InvalidInputError(f"values have shape {values.shape}: expected ({n}, {len(self.targets)})")
        if not np.all(np.isfinite(values)):
            run, target = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise InvalidInputError(
                f"target {self.targets[target]!r} of run {run} is {values[run, target]}: leave that run out"
            )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "values", values)
        for name in ("model_parameters", "tokens", "seeds"):
            column = getattr(self, name)
            if column is not None and np.shape(column) != (n,):
                raise InvalidInputError(f"{name} has shape {np.shape(column)}: expected ({n},)")

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, rows: IntArray | Sequence[int], /) -> "Swarm":
        """The swarm of some of the runs, in the given order."""
        index = np.asarray(rows, dtype=np.int64)

        def pick(column: FloatArray | None) -> FloatArray | None:
            return None if column is None else column[index]

        return replace(
            self,
            weights=self.weights[index],
            values=self.values[index],
            model_parameters=pick(self.model_parameters),
            tokens=pick(self.tokens),
            seeds=None if self.seeds is None else self.seeds[index],
        )

    def only(self, targets: Sequence[str], /) -> "Swarm":
        """The swarm with some of the targets, in the given order."""
        columns = [self.target_index(target) for target in targets]
        return replace(self, targets=tuple(targets), values=self.values[:, columns])

    def target_index(self, target: str, /) -> int:
        """Index of a target along axis t."""
        if target not in self.targets:
            raise UnknownTargetError(target, self.targets)
        return self.targets.index(target)

    def coefficients(self, objective: Mapping[str, float], /) -> FloatArray:
        """(t,) coefficients of a named objective, normalised to sum 1.

        A penalty such as a KL term is only comparable between objectives of the same total weight,
        hence the normalisation.

        Raises:
            InvalidInputError: a target is unknown, or a coefficient negative or not finite.
        """
        return target_coefficients(self.targets, objective)


def mixture_numbers(weights: FloatArray, /) -> IntArray:
    """(n,) number of the distinct mixture that each run has; equal to nine decimals is the same mixture."""
    _, numbers = np.unique(weights.round(9), axis=0, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def require_mixtures(swarm: Swarm, /, *, method: str, needed: int = 2) -> int:
    """Number of distinct mixtures of a swarm, if it is enough for a method.

    Raises:
        RunsAlikeError: it is not; with one mixture alone every law is as good as any other.
    """
    distinct = len(np.unique(mixture_numbers(swarm.weights)))
    if distinct < needed:
        raise RunsAlikeError(method=method, needed=needed, got=distinct, runs=len(swarm))
    return distinct


def target_coefficients(targets: Sequence[str], objective: Mapping[str, float], /) -> FloatArray:
    """(t,) coefficients of a named objective over targets, normalised to sum 1; absent targets get 0."""
    row = np.zeros(len(targets))
    for target, coefficient in objective.items():
        if target not in targets:
            raise UnknownTargetError(target, targets, where=" in the objective")
        if not np.isfinite(coefficient) or coefficient < 0:
            raise InvalidInputError(f"objective coefficient of {target!r} is {coefficient}: use a value >= 0")
        row[list(targets).index(target)] = coefficient
    if row.sum() <= 0:
        raise InvalidInputError("the objective has no positive coefficient: weight at least one target")
    return np.asarray(row / row.sum())
