"""What `mixwright scale` works out: predictions at a scale, and how far off such predictions were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError
from mixlaws.registry import SCALING
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.held_out import HeldOutScale, hold_out_scale, table_at, with_curves
from mixlaws.swarm import target_coefficients
from mixwright.offline.hyperparameters import build
from mixwright.problems import CommandError
from service.importers.curves import ImportedCurves

_INTERVAL = 0.8  # of held-out errors
_SAME = 1e-9  # mixtures equal to nine decimals are one, as in a swarm
_OF_POINTS = ("size", "chinchilla", "kaplan")  # laws that take single observations of a run
_SIZES = ("size", "nested", "chinchilla", "kaplan")  # laws that compare sizes of a mixture


@dataclass(frozen=True)
class Question:
    """What is asked.

    Args:
        law: its name in the registry; None for the one that the scale asks for.
        params: hyperparameters that differ from their defaults.
        model_parameters: to predict for; None for the largest that was run.
        tokens: to predict for; None for the most that were observed.
        warmup_tokens: observations at fewer tokens are left out.
    """

    law: str | None
    params: Mapping[str, Any]
    model_parameters: float | None
    tokens: float | None
    warmup_tokens: float


@dataclass(frozen=True, eq=False)
class Scaled:
    """An answer.

    Args:
        law: its name.
        names: (m) what the mixtures are called, by the first run of each; best first.
        weights: (m, d) the mixtures.
        predicted: (m, t) their targets.
        coefficients: (t,) of the objective.
        held_out: the test of the law; None where too little is left to fit.
        untested: why there is no test; empty where there is one.
        size_factor: how many times the largest size that was run is asked for; 1 where it was run.
        token_factor: how many times the tokens that half of the runs reached are asked for; at least 1.
        left_out: runs that this law has no use for.
    """

    law: str
    model_parameters: float
    tokens: float
    domains: DomainSet
    targets: tuple[str, ...]
    names: tuple[str, ...]
    weights: FloatArray
    predicted: FloatArray
    coefficients: FloatArray
    held_out: HeldOutScale | None
    untested: str
    size_factor: float
    token_factor: float
    left_out: tuple[str, ...]

    @property
    def objective(self) -> FloatArray:
        """(m,) predicted objective."""
        return np.asarray(self.predicted @ self.coefficients)

    @property
    def error(self) -> float | None:
        """What the objective of 80 % of the left-out curves was off by, at the most."""
        if self.held_out is None:
            return None
        errors = np.abs((self.held_out.predicted - self.held_out.measured) @ self.coefficients)
        return float(np.quantile(errors, _INTERVAL))


def scale_runs(
    imported: ImportedCurves,
    asked: Question,
    targets: Sequence[str],
    objective: Mapping[str, float],
    *,
    seed: int,
) -> Scaled:
    """Fit a law of scale and ask it.

    Raises:
        CommandError: neither a size nor tokens are asked for.
        CurveTooShortError: too few checkpoints or model sizes.
        InvalidInputError: the law says nothing of the scale.
    """
    if asked.model_parameters is None and asked.tokens is None:
        raise CommandError("give --size, --tokens or both: what is to be predicted")
    curves = _with_targets(imported.curves, targets).since(asked.warmup_tokens)
    coefficients = target_coefficients(curves.targets, objective or dict.fromkeys(curves.targets, 1.0))
    usable = with_curves(curves, checkpoints=1 if asked.law in _OF_POINTS else 2)
    size = asked.model_parameters or float(usable.model_parameters.max())
    run_at_size = np.isclose(usable.model_parameters, size, rtol=_SAME)
    name = asked.law or ("step" if run_at_size.any() else "nested")
    law = build("scaling law", SCALING, name, asked.params)
    used = with_curves(usable, checkpoints=1, sizes=2) if name in _SIZES else usable
    tokens = asked.tokens or float(used.tokens.max())
    # Single curves may go on further than the others.
    ends = float(np.median([used.tokens[used.runs == run].max() for run in np.unique(used.runs)]))
    fit_rng, test_rng = np.random.default_rng(seed).spawn(2)
    table = table_at(law.fit(used, rng=fit_rng), model_parameters=size, tokens=tokens)
    held_out, untested = None, ""
    try:
        # The edge in the direction of the question; inside of the data, the ends of the curves.
        beyond_sizes = not run_at_size.any()
        beyond_tokens = name != "size" and (tokens > ends or not beyond_sizes)
        held_out = hold_out_scale(law, used, sizes=beyond_sizes, tokens=beyond_tokens, rng=test_rng)
    except CurveTooShortError as error:
        untested = str(error)
    order = np.argsort(table.values @ coefficients, kind="stable")
    return Scaled(
        law=name,
        model_parameters=size,
        tokens=tokens,
        domains=curves.domains,
        targets=curves.targets,
        names=tuple(_name(imported, table.weights[at]) for at in order),
        weights=table.weights[order],
        predicted=table.values[order],
        coefficients=coefficients,
        held_out=held_out,
        untested=untested,
        size_factor=1.0 if run_at_size.any() else size / float(used.model_parameters.max()),
        token_factor=max(tokens / ends, 1.0),
        left_out=_left_out(imported, used),
    )


def _left_out(imported: ImportedCurves, used: LossCurves) -> tuple[str, ...]:
    """Runs of which nothing is used, by name and size."""
    curves = imported.curves
    runs, first = np.unique(curves.runs, return_index=True)
    sizes = dict(zip(runs.tolist(), curves.model_parameters[first].tolist(), strict=True))
    return tuple(
        f"{imported.names[run]} of {sizes[run]:.3g}" for run in np.setdiff1d(runs, used.runs).tolist()
    )


def _with_targets(curves: LossCurves, targets: Sequence[str]) -> LossCurves:
    if not targets:
        return curves
    names = list(dict.fromkeys(targets))
    for name in names:
        target_coefficients(curves.targets, {name: 1.0})  # refuses a name that is not there
    columns = [curves.targets.index(name) for name in names]
    return replace(curves, targets=tuple(names), values=curves.values[:, columns])


def _name(imported: ImportedCurves, weights: FloatArray) -> str:
    """The first run of a mixture."""
    curves = imported.curves
    row = int(np.abs(curves.weights - weights).max(axis=1).argmin())
    return imported.names[int(curves.runs[row])]
