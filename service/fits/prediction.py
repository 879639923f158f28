"""What a finished fit says of any mixture, while the caller waits: no task, no child process."""

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, StateError, WeightsError
from mixlaws.estimator import Predictor, ProbabilisticPredictor, RescalablePredictor
from mixlaws.intervals import TOLD_LEVEL, half_widths
from mixlaws.simplex import as_weights
from service.compute.predictors import load_predictor
from service.errors import ConflictError, InvalidRequestError
from service.fits import repository, service
from service.fits.imported import check_own
from service.fits.schemas import PredictedOut, PredictIn, PredictionsOut, ScaleIn, ScaleOut
from service.models import Fit, TaskState
from service.studies import service as studies

_MOST_KEPT = 16  # predictors; trees and Gaussian processes of large swarms have some megabytes each
_ROWS = 1000  # mixtures predicted at once: a Gaussian process holds a row of its runs for each
_Key = tuple[UUID, datetime | None]


class Kept(NamedTuple):
    """A predictor with the scale that it was fitted for; None for fits that do not tell."""

    predictor: Predictor
    scale: dict[str, Any] | None


class Predictors:
    """The predictors that were asked last, ready for use.

    A fit that is done never changes. One that failed may be queued again, and is kept by the moment of its
    end too, so that no predictor outlives the result that it was read from.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Kept] = OrderedDict()

    def of(self, fit: Fit) -> Kept:
        """The predictor of a fit that is done.

        Raises:
            ConflictError: it was stored by another version of its method.
        """
        key = (fit.id, fit.finished_at)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        # Outside of the lock: others must not wait for it, and loading one twice does no harm.
        loaded = Kept(_loaded(fit), (fit.result or {}).get("scale"))
        with self._lock:
            self._kept[key] = loaded
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return loaded


def predict(
    session: Session, project_id: UUID, fit_id: UUID, body: PredictIn, predictors: Predictors
) -> PredictionsOut:
    """Predict mixtures by a fit.

    Raises:
        NotFoundError: the project has no such fit.
        ConflictError: the fit is not done.
        InvalidRequestError: a mixture is unusable, or the method knows nothing of the scale.
    """
    found = repository.by_id_without_result(session, project_id, fit_id)
    if found is None:
        raise service.missing(fit_id)
    fit, study = found
    if fit.state is not TaskState.DONE:
        raise ConflictError(f"fit {fit.id} is {fit.state.value}: wait until it is done", code="fit_not_done")
    check_own(fit)
    definition = studies.definition(study)
    problem, targets = studies.problem(definition), definition.targets or []
    weights = _weights(body, problem.domains)
    loaded = predictors.of(fit)
    predictor = _at(loaded.predictor, fit.method, body.at)
    values = _predicted(predictor, np.concatenate([weights, problem.prior[None, :]]))
    objective = problem.objective(values)
    deviations: list[Any] = [None] * len(weights)
    widths: list[Any] = deviations
    if isinstance(predictor, ProbabilisticPredictor):
        deviation = _in_parts(predictor.deviation, weights)
        deviations = deviation.tolist()
        widths = half_widths(predictor, deviation, level=TOLD_LEVEL).tolist()
    # Without the prior, the last.
    rows = zip(values.tolist(), deviations, widths, objective.tolist(), strict=False)
    return PredictionsOut(
        fit_id=fit.id,
        scale=_scale(loaded, predictor),
        predictions=[
            PredictedOut(
                predicted=dict(zip(targets, value, strict=True)),
                deviation=None if spread is None else dict(zip(targets, spread, strict=True)),
                half_width_95=None if width is None else dict(zip(targets, width, strict=True)),
                objective=combined,
                gain_over_prior=float(objective[-1]) - combined,
            )
            for value, spread, width, combined in rows
        ],
    )


def _scale(loaded: Kept, predictor: Predictor) -> ScaleOut | None:
    """Of a predictor that may have been told another one than it was fitted for."""
    if loaded.scale is None:
        return None
    named = {name: getattr(predictor, name, None) for name in loaded.scale}
    told = {name: value for name, value in named.items() if value is not None}
    return ScaleOut.model_validate({**loaded.scale, **told})


def _loaded(fit: Fit) -> Predictor:
    try:
        return load_predictor(fit.method, (fit.result or {})["predictor"])
    except StateError as error:
        raise ConflictError(
            f"fit {fit.id} was stored by another version ({error}): fit again, with another seed",
            code="fit_of_another_version",
        ) from None


def _weights(body: PredictIn, domains: DomainSet) -> FloatArray:
    """(n, d) checked mixtures."""
    rows = np.empty((len(body.mixtures), len(domains)))
    for number, mixture in enumerate(body.mixtures):
        try:
            rows[number] = domains.to_array(mixture)
        except InvalidInputError as error:
            raise InvalidRequestError(f"mixtures.{number}: {error}") from None
    try:
        return as_weights(rows)
    except WeightsError as error:
        worst = int(np.abs(rows.sum(axis=1) - 1).argmax())  # shares are known to be finite and within 0 to 1
        raise InvalidRequestError(f"mixtures.{worst}: {error}") from None


def _at(predictor: Predictor, method: str, scale: ScaleIn | None) -> Predictor:
    """The predictor for another scale."""
    named = {} if scale is None else scale.model_dump(exclude_none=True)
    if scale is None:
        return predictor
    if not named:
        raise InvalidRequestError("at names no scale: give model_parameters or tokens, or leave at out")
    if not isinstance(predictor, RescalablePredictor):
        raise InvalidRequestError(
            f"at: {method} predicts the scale that it was fitted at alone: leave at out, or fit a law that "
            "knows model sizes or tokens, such as bimix, effective_transfer or multilingual"
        )
    try:
        return predictor.at(**named)
    except InvalidInputError as error:
        raise InvalidRequestError(f"at: {error}") from None


def _predicted(predictor: Predictor, weights: FloatArray) -> FloatArray:
    """(n, t) targets, all of them finite."""
    values = _in_parts(predictor.predict, weights)
    if not np.all(np.isfinite(values)):
        worst = int(np.argwhere(~np.isfinite(values))[0][0])
        what = "the prior" if worst == len(weights) - 1 else f"mixtures.{worst}"
        raise InvalidRequestError(
            f"{what}: the prediction is not finite: stay closer to the mixtures of runs"
        )
    return values


def _in_parts(function: Any, weights: FloatArray) -> FloatArray:
    """A function of (n, d) mixtures, a part of them at a time."""
    parts = [function(weights[start : start + _ROWS]) for start in range(0, len(weights), _ROWS)]
    return np.concatenate(parts)
