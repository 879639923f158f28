"""What a fit says of mixtures that somebody moves by hand: how sure it is, and how far they are from runs.

Beside what `predict` tells, from draws of the objective f of the mixture w and of the prior p together:

    half width of f(w), of the gain f(p) - f(w), and the share of draws in which f(w) < f(p)

and, by the mean of the predictor, how far from w mixtures are still predicted within the noise of f(w).
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from pydantic import Field
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor, ProbabilisticPredictor
from mixlaws.intervals import TOLD_LEVEL
from mixlaws.judging import FAR, flatness, hull_distance
from mixlaws.problem import MixtureProblem
from service.fits import repository, service
from service.fits.noise import Noise
from service.fits.prediction import Predictors, predict
from service.fits.schemas import PredictedOut, PredictIn
from service.models import Fit, Study
from service.schemas import MOST_DOMAINS, Answer, Body, Text, Weights
from service.studies import service as studies
from service.studies.schemas import Coefficient

_MOST_KEPT = 16  # fits, as many as there are predictors ready for use
_DRAWS = 1024
_SEED = 0  # the same draws for every mixture: an interval must not tremble while one is moved


class ExploreIn(Body):
    """A mixture to look at."""

    mixture: Weights = Field(description="Shares of every domain, which sum to 1 within 1e-6.")
    objective: dict[Text, Coefficient] | None = Field(
        default=None,
        max_length=MOST_DOMAINS,
        description="Coefficients of the targets, scaled to sum to 1; by default those of the study.",
    )


class ExploredOut(Answer):
    """What a fit says of a mixture, and how far to trust that."""

    prediction: PredictedOut = Field(description="As the API predicts it, by the objective that was stated.")
    objective_half_width_95: float | None = Field(description="Half of the 95 % interval of the objective.")
    gain_half_width_95: float | None = Field(description="The same of the gain over the prior.")
    probability_better: float | None = Field(description="That the objective is below that of the prior.")
    hull_distance: float | None = Field(
        description="Total variation to the nearest average of mixtures that were run; null if none is left."
    )
    extrapolates: bool = Field(description="Whether that is so far that the prediction is a guess.")
    flatness: float = Field(
        description="Largest total variation at which a mixture is still predicted within the noise."
    )
    noise: float = Field(description="Noise of the objective, that of runs of one mixture if there are any.")


class Around(NamedTuple):
    """What stands around the predictions of a fit: (n, d) mixtures of its runs, and the noise of these."""

    sampled: FloatArray
    noise: Noise


class Surroundings:
    """What the runs tell that the fits asked last have seen: it never changes."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, Around] = OrderedDict()

    def of(self, session: Session, fit: Fit, study: Study) -> Around:
        """What stands around the predictions of a fit that is done."""
        with self._lock:
            kept = self._kept.get(fit.id)
            if kept is not None:
                self._kept.move_to_end(fit.id)
                return kept
        # Outside of the lock, as predictors are loaded.
        loaded = Around(
            np.array(service.sampled(session, fit, study), dtype=np.float64),
            Noise.told(fit.result or {}, studies.definition(study).targets or []),
        )
        with self._lock:
            self._kept[fit.id] = loaded
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return loaded


class Asked(NamedTuple):
    """What answers are made of, kept from one to the next."""

    predictors: Predictors
    surroundings: Surroundings


def explored(
    session: Session,
    project_id: UUID,
    fit_id: UUID,
    mixtures: Sequence[Mapping[str, float]],
    asked: Asked,
    objective: Mapping[str, float] | None = None,
) -> list[ExploredOut]:
    """Predict mixtures and say how far that can be trusted, by the study's objective or by another one.

    Raises:
        NotFoundError: the project has no such fit.
        ConflictError: the fit is not done.
        InvalidRequestError: a mixture is unusable.
        MixlawsError: a target of the objective is unknown, or none counts.
    """
    body = PredictIn(mixtures=[dict(mixture) for mixture in mixtures])
    said = predict(session, project_id, fit_id, body, asked.predictors)
    found = repository.by_id_without_result(session, project_id, fit_id)
    if found is None:  # predict has just found it
        raise RuntimeError(f"fit {fit_id} is gone")
    fit, study = found
    definition = studies.definition(study)
    problem = studies.problem(definition.model_copy(update={"objective": objective or definition.objective}))
    sampled, known = asked.surroundings.of(session, fit, study)
    noise = known.of(None if objective is None else problem.coefficients)
    predictor = asked.predictors.of(fit).predictor
    natural = float(problem.objective(predictor.predict(problem.prior[None, :]))[0])
    answers = []
    for mixture, prediction in zip(mixtures, said.predictions, strict=True):
        weights = problem.domains.to_array(mixture)
        distance = hull_distance(weights, sampled) if len(sampled) else None
        whole, gain, better = _sureness(weights, predictor, problem)
        answers.append(
            ExploredOut(
                prediction=_weighed(prediction, problem, natural) if objective else prediction,
                objective_half_width_95=whole,
                gain_half_width_95=gain,
                probability_better=better,
                hull_distance=distance,
                extrapolates=distance is None or distance > FAR,
                flatness=flatness(weights, predictor, problem, noise=noise, rng=np.random.default_rng(_SEED)),
                noise=noise,
            )
        )
    return answers


def _weighed(prediction: PredictedOut, problem: MixtureProblem, natural: float) -> PredictedOut:
    """A prediction by the objective of a problem, which the prior (natural) has too."""
    objective = float(problem.objective(np.array(list(prediction.predicted.values()))))
    return prediction.model_copy(update={"objective": objective, "gain_over_prior": natural - objective})


def _sureness(
    weights: FloatArray, predictor: Predictor, problem: MixtureProblem
) -> tuple[float | None, float | None, float | None]:
    """Half widths of the objective and of the gain, and the chance of a gain; None if it is not known."""
    if not isinstance(predictor, ProbabilisticPredictor):
        return None, None, None
    rng = np.random.default_rng(_SEED)
    draws = problem.objective(predictor.sample(np.stack([weights, problem.prior]), count=_DRAWS, rng=rng))
    gains = draws[:, 1] - draws[:, 0]
    better = float((gains > 0).mean() + 0.5 * (gains == 0).mean())
    return _half_width(draws[:, 0]), _half_width(gains), better


def _half_width(draws: FloatArray) -> float:
    """Half of what lies between the quantiles that leave 2.5 % of draws out on either side."""
    low, high = np.quantile(draws, [0.5 - TOLD_LEVEL / 2, 0.5 + TOLD_LEVEL / 2])
    return float(high - low) / 2
