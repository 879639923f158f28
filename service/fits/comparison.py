"""All finished fits of the same runs side by side, by the scores on runs that none of them saw."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.score_intervals import ScoreIntervals, score_intervals
from service.fits import repository
from service.fits.imported import is_imported
from service.models import Fit, Study

MOST = 24  # fits: a study has some dozen methods
_MOST_NUMBERS = 400_000  # predictions read for intervals: some 8 MB, a fraction of a second


class Rival(NamedTuple):
    """A fit of the same runs.

    own: whether it is the one that the others are compared with.
    settings: what its configuration has besides the method, in words; empty for the usual ones.
    intervals: of its scores; None where they are not known.
    """

    id: UUID
    method: str
    settings: str
    own: bool
    spearman: float | None
    mae: float | None
    r2: float | None
    intervals: ScoreIntervals | None
    seconds: float | None


def rivals(
    session: Session,
    fit: Fit,
    study: Study,
    *,
    measured: FloatArray,
    coefficients: FloatArray,
    mixtures: IntArray | None,
) -> list[Rival]:
    """Fits of the runs that a fit saw, itself among them, smallest error first.

    Args:
        session: of the caller.
        fit: one that is done.
        study: its study.
        measured: (n, t) values of the runs.
        coefficients: (t,) of the objective.
        mixtures: (n,) number of the mixture of each run; None where it is not known, and no interval is.
    """
    result = fit.result or {}
    own = repository.Scored(
        fit.id, fit.method, fit.configuration, result.get("objective_scores"), result.get("seconds")
    )
    others = repository.scores_on(session, study.id, fit.data_digest, MOST)
    found = [own, *(row for row in others if row.id != fit.id)]
    told: dict[UUID, ScoreIntervals | None] = {}
    if mixtures is not None and not is_imported(fit):
        room = max(_MOST_NUMBERS // max(measured.size, 1), 1)
        wanted = [row.id for row in found[1:room]]
        known = {fit.id: result["predicted"], **repository.predicted(session, wanted)}
        told = {
            fit_id: _intervals(measured, predicted, coefficients, mixtures)
            for fit_id, predicted in known.items()
        }
    rows = [
        Rival(
            id=row.id,
            method=row.method,
            settings=_settings(row.configuration),
            own=row.id == fit.id,
            spearman=(row.scores or {}).get("spearman"),
            mae=(row.scores or {}).get("mae"),
            r2=(row.scores or {}).get("r2"),
            intervals=told.get(row.id),
            seconds=row.seconds,
        )
        for row in found
    ]
    return sorted(rows, key=lambda row: (row.mae is None, row.mae or 0.0))


def _intervals(
    measured: FloatArray, predicted: Sequence[Sequence[float]], coefficients: FloatArray, mixtures: IntArray
) -> ScoreIntervals | None:
    # The same draws for every fit: what differs between rows is the fits.
    rng = np.random.default_rng(0)
    return score_intervals(measured @ coefficients, np.array(predicted) @ coefficients, mixtures, rng=rng)


def _settings(configuration: dict[str, Any]) -> str:
    """Hyperparameters, folds and seed that are not the usual ones."""
    parts = [f"{name} {value}" for name, value in (configuration.get("params") or {}).items()]
    if configuration.get("folds", 10) != 10:
        parts.append(f"folds {configuration['folds'] or 'one mixture each'}")
    if configuration.get("seed", 0) != 0:
        parts.append(f"seed {configuration['seed']}")
    return ", ".join(parts)
