"""What a finished fit says of each domain, while the caller waits: bounded whatever the study's size.

A response asks the predictor for 33 mixtures, and the table of effects for two of each domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import MixlawsError
from mixlaws.laws.fitting import FittedLaw
from mixlaws.responses import Response, effects, responses
from mixlaws.validation import score
from service.errors import ConflictError
from service.fits.imported import check_own
from service.fits.prediction import Predictors
from service.models import Fit

MOST_RESPONSES = 8  # drawn at once: a Gaussian process of 1,000 runs and 30 targets takes some .2 s for one


@dataclass(frozen=True, eq=False)
class Findings:
    """What a fit says of each domain.

    Args:
        base: (d,) mean of the runs, which lines go through.
        responses: one for each domain; None where it was not asked for, or its share never varied.
        effects: (d, t) changes of targets with the domain's share, from its lower to its upper quartile.
        fidelity: R² of the objective on the very runs that a law was fitted to; None for what is no law.
    """

    base: FloatArray
    responses: list[Response | None]
    effects: FloatArray
    fidelity: float | None


def findings(
    fit: Fit,
    predictors: Predictors,
    weights: FloatArray,
    measured: FloatArray,
    coefficients: FloatArray,
    *,
    domains: Sequence[int],
) -> Findings:
    """Ask a fit that is done.

    Args:
        fit: the fit.
        predictors: those that are ready.
        weights: (n, d) mixtures of its runs.
        measured: (n, t) their values.
        coefficients: (t,) of the objective.
        domains: whose responses are wanted; at most `MOST_RESPONSES` of them are told, and of none those of
            the domains that move the objective most.

    Raises:
        ConflictError: it came with a file, was stored by another version, or says nothing finite.
    """
    check_own(fit)
    predictor = predictors.of(fit).predictor
    base = np.asarray(weights.mean(axis=0))
    try:
        changes = effects(predictor, weights, base)
        moved = np.argsort(-np.nan_to_num(np.abs(changes @ coefficients)), kind="stable").tolist()
        chosen = (domains or moved)[:MOST_RESPONSES]
        lines = responses(predictor, weights, base, coefficients, domains=chosen)
    except MixlawsError as error:
        raise ConflictError(f"fit {fit.id} cannot be asked about its domains: {error}") from None
    return Findings(
        base, lines, changes, _fidelity(predictor, weights, measured @ coefficients, coefficients)
    )


def _fidelity(
    predictor: Any, weights: FloatArray, objective: FloatArray, coefficients: FloatArray
) -> float | None:
    if not isinstance(predictor, FittedLaw):
        return None
    return score(objective, predictor.predict(weights) @ coefficients).r2
