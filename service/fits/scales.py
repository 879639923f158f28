"""The scales that runs were trained at: passed on where all are known, refused where they would mislead.

A method that knows no scale takes a difference between model sizes for one between mixtures.
"""

from collections.abc import Sequence
from typing import Any

from mixlaws.registry import ESTIMATORS, method
from mixlaws.scales import ALIKE, NAMES
from service.errors import InvalidRequestError
from service.models import ProxyRun
from service.runs.repository import Mixed


def columns(runs: Sequence[ProxyRun]) -> dict[str, list[int] | None]:
    """Scales and seeds of runs, by the names that a swarm has for them; None where a run does not tell."""
    told: dict[str, list[int] | None] = {"seeds": [run.seed for run in runs]}
    for scale in NAMES:
        known = _known(runs, scale)
        told[scale] = known if len(known) == len(runs) else None
    return told


def differ(runs: Sequence[Mixed]) -> bool:
    """Whether runs are of several scales, as far as they tell."""
    known = [values for scale in NAMES if (values := _known(runs, scale))]
    return any(max(values) > (1 + ALIKE) * min(values) for values in known)


def check(name: str, runs: Sequence[ProxyRun]) -> None:
    """See to it that a method is not given runs of scales that it does not tell apart.

    Raises:
        InvalidRequestError: the runs differ in a scale that the method does not know, or that some of them
            do not tell.
    """
    for scale, words in NAMES.items():
        known = _known(runs, scale)
        if not known or max(known) <= (1 + ALIKE) * min(known):
            continue
        span = f"{len(runs)} runs with {min(known):,} to {max(known):,} {words}"
        if not _knows(name, scale):
            others = [other for other in ESTIMATORS if _knows(other, scale)]
            raise InvalidRequestError(
                f"{span}, a difference that {name} would take for one of mixtures: name sweeps of one scale "
                f"in sweep_ids, or use {' or '.join(others)}"
            )
        if len(known) < len(runs):
            raise InvalidRequestError(
                f"{span}, and {len(runs) - len(known)} of them do not tell theirs: name sweeps in sweep_ids "
                "whose runs all do"
            )


def _known(runs: Sequence[ProxyRun] | Sequence[Mixed], scale: str) -> list[int]:
    results: list[dict[str, Any]] = [run.result or {} for run in runs]
    return [result[scale] for result in results if result.get(scale) is not None]


def _knows(name: str, scale: str) -> bool:
    scales: frozenset[str] = getattr(method("method", ESTIMATORS, name), "scales", frozenset())
    return scale in scales
