"""Loss curves: targets of proxy runs at several numbers of tokens and model sizes, checked once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray, frozen
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, WeightsError
from mixlaws.simplex import as_weights
from mixlaws.swarm import mixture_numbers

_ONE_VALUE_PER_RUN = ("model_parameters", "batch_tokens")


@dataclass(frozen=True, eq=False)
class LossCurves:
    """Observations of runs at steps; here axis n counts observations, and a run has several.

    Args:
        domains: the domains of axis d.
        targets: names of the targets of axis t; lower is better.
        weights: (n, d) mixture of the run, on the simplex.
        values: (n, t) targets, nats per token where they are losses.
        model_parameters: (n,) parameters of the run's model; non-embedding ones, if a law is to follow
            the published fits.
        tokens: (n,) training tokens seen up to the observation.
        runs: (n,) number of the run.
        batch_tokens: (n,) tokens of an optimiser step of the run, or None if unknown.

    Raises:
        InvalidInputError: shapes disagree; a value is not finite or a scale not positive; a run has two
            mixtures, sizes or batches; a run is observed twice at one number of tokens.
        WeightsError: a mixture is off the simplex.
    """

    domains: DomainSet
    targets: tuple[str, ...]
    weights: FloatArray
    values: FloatArray
    model_parameters: FloatArray
    tokens: FloatArray
    runs: IntArray
    batch_tokens: FloatArray | None = None

    def __post_init__(self) -> None:
        try:
            weights = frozen(as_weights(self.weights))
        except WeightsError as error:
            raise WeightsError(f"the mixtures of loss curves: {error}") from None
        n, t = len(weights), len(self.targets)
        if weights.ndim != 2 or weights.shape[1] != len(self.domains):
            raise InvalidInputError(f"weights have shape {weights.shape}: expected (n, {len(self.domains)})")
        if not n:
            raise InvalidInputError("no observation: loss curves need at least one")
        if len(set(self.targets)) != t or not t:
            raise InvalidInputError(f"target names {self.targets!r} must be distinct, and at least one")
        values = frozen(self.values)
        if values.shape != (n, t):
            raise InvalidInputError(f"values have shape {values.shape}: expected ({n}, {t})")
        if not np.all(np.isfinite(values)):
            row, target = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise InvalidInputError(
                f"target {self.targets[target]!r} of observation {row} is {values[row, target]}: "
                "leave that observation out"
            )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "values", values)
        runs = np.array(self.runs, dtype=np.int64)
        runs.flags.writeable = False
        if runs.shape != (n,):
            raise InvalidInputError(f"runs has shape {runs.shape}: expected ({n},)")
        object.__setattr__(self, "runs", runs)
        self._check_scales(n)
        self._check_runs()

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, rows: IntArray | BoolArray | Sequence[int], /) -> "LossCurves":
        """The curves of some observations: numbers of rows, or a mask over them."""
        chosen = np.asarray(rows)
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.int64)
        return replace(
            self,
            weights=self.weights[index],
            values=self.values[index],
            model_parameters=self.model_parameters[index],
            tokens=self.tokens[index],
            runs=self.runs[index],
            batch_tokens=None if self.batch_tokens is None else self.batch_tokens[index],
        )

    def since(self, tokens: float, /) -> "LossCurves":
        """The observations from a number of tokens on: a warm-up follows no power law.

        Raises:
            InvalidInputError: none is left.
        """
        kept = self.tokens >= tokens
        if not kept.any():
            raise InvalidInputError(
                f"no observation has {tokens:g} tokens, the largest {self.tokens.max():g}: leave out less"
            )
        return self if kept.all() else self.take(kept)

    def _check_scales(self, n: int) -> None:
        for name in ("model_parameters", "tokens", "batch_tokens"):
            if getattr(self, name) is None:
                continue
            column = frozen(getattr(self, name))
            if column.shape != (n,):
                raise InvalidInputError(f"{name} has shape {column.shape}: expected ({n},)")
            wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
            if len(wrong):
                raise InvalidInputError(
                    f"{name} of observation {wrong[0]} is {column[wrong[0]]}: use a finite value > 0"
                )
            object.__setattr__(self, name, column)

    def _check_runs(self) -> None:
        mixtures = mixture_numbers(self.weights)
        constants = {"mixture": mixtures.astype(np.float64)}
        for name in _ONE_VALUE_PER_RUN:
            if getattr(self, name) is not None:
                constants[name] = getattr(self, name)
        for run in np.unique(self.runs):
            rows = np.flatnonzero(self.runs == run)
            for name, column in constants.items():
                if np.ptp(column[rows]) > 0:
                    raise InvalidInputError(f"run {run} has more than one {name}: number its runs apart")
            seen, counts = np.unique(self.tokens[rows], return_counts=True)
            if counts.max() > 1:
                twice = seen[counts.argmax()]
                raise InvalidInputError(f"run {run} is observed more than once at {twice:g} tokens: keep one")
