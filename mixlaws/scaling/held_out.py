"""How far off a scaling law is when it is carried on as far as the observations allow.

What is asked of a scaling law lies beyond its data, so that the only honest test leaves out what lies at the
edge: the largest model size, the last third of every curve, or both, as the question has it. Predicted is the
last observation of each curve that was left out. The test reaches less far than the question; both distances
are told.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import CurveTooShortError, InvalidInputError
from mixlaws.estimator import ScaledPredictor
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.kaplan import FittedKaplan
from mixlaws.scaling.nested import FittedNestedLaw
from mixlaws.scaling.scaling_law import AnyScalingLaw
from mixlaws.scaling.table import MixtureTable
from mixlaws.swarm import mixture_numbers

_SEEN = 2 / 3  # of the tokens of a curve, when its end is left out
_SAME = 1e-9  # mixtures equal to nine decimals are one, as in a swarm


@dataclass(frozen=True, eq=False)
class HeldOutScale:
    """Predictions of m curves' last observations by a fit that saw nothing of that scale.

    Args:
        measured: (m, t) values.
        predicted: (m, t) predictions.
        last: (m, t) the value nearest in scale that the fit saw of the mixture: what no law at all would say.
        size_factor: how many times the largest size that was fitted the left-out size is.
        token_factor: median of how many times the fitted tokens the left-out ones are.
    """

    measured: FloatArray
    predicted: FloatArray
    last: FloatArray
    size_factor: float
    token_factor: float


def with_curves(curves: LossCurves, /, *, checkpoints: int = 2, sizes: int = 1) -> LossCurves:
    """The observations of mixtures that were run at enough sizes, on curves that have enough checkpoints.

    Raises:
        CurveTooShortError: none is left.
    """
    mixture = mixture_numbers(curves.weights)
    _, curve = np.unique(np.stack([mixture, curves.model_parameters], axis=1), axis=0, return_inverse=True)
    curve = curve.reshape(-1)
    lengths = np.array([len(np.unique(curves.tokens[curve == number])) for number in range(curve.max() + 1)])
    kept = lengths[curve] >= checkpoints
    at_sizes = [
        len(np.unique(curves.model_parameters[kept & (mixture == number)]))
        for number in range(mixture.max() + 1)
    ]
    kept &= np.array(at_sizes)[mixture] >= sizes
    if not kept.any():
        short = int(lengths.max()) < checkpoints
        raise CurveTooShortError(
            method="this law",
            what="checkpoints of a mixture" if short else "model sizes of a mixture",
            needed=checkpoints if short else sizes,
            got=int(lengths.max()) if short else max(at_sizes),
        )
    return curves.take(kept)


def table_at(
    fitted: ScaledPredictor, /, *, model_parameters: float, tokens: float, batch_tokens: float | None = None
) -> MixtureTable:
    """The mixtures that were run, at a scale; of a nested law without its mixing law.

    Raises:
        InvalidInputError: the law says nothing of that scale.
        CurveTooShortError: a mixture was run at too few sizes.
    """
    if isinstance(fitted, FittedNestedLaw):
        return fitted.table(model_parameters=model_parameters, tokens=tokens)
    if isinstance(fitted, FittedKaplan):
        return fitted.at(model_parameters=model_parameters, tokens=tokens, batch_tokens=batch_tokens)
    found = fitted.at(model_parameters=model_parameters, tokens=tokens)
    if not isinstance(found, MixtureTable):
        raise InvalidInputError(f"a {type(found).__name__} is no table of the mixtures that were run")
    return found


def hold_out_scale(
    law: AnyScalingLaw, curves: LossCurves, /, *, sizes: bool, tokens: bool, rng: np.random.Generator
) -> HeldOutScale:
    """Fit without the edge of the observations, and predict it.

    Args:
        law: the scaling law.
        curves: observations.
        sizes: leave out the largest model size.
        tokens: leave out the last third of every curve.
        rng: of the fit.

    Raises:
        CurveTooShortError: too little is left to fit.
        FitError: no finite fit was found.
    """
    largest = curves.model_parameters.max()
    ends = np.array([curves.tokens[curves.runs == run].max() for run in curves.runs])
    seen = np.ones(len(curves), dtype=np.bool_)
    if sizes:
        seen &= curves.model_parameters < largest
    if tokens:
        seen &= curves.tokens <= _SEEN * ends
    if not seen.any():
        raise CurveTooShortError(method="a test of this law", what="model sizes", needed=2, got=1)
    left_out = curves.take(_left_out(curves, ends, seen, sizes=sizes))
    fitted = law.fit(curves.take(seen), rng=rng)
    part = curves.take(seen)
    last, factor = _nearest(part, left_out)
    return HeldOutScale(
        left_out.values,
        _predicted(fitted, left_out),
        last,
        float(largest / part.model_parameters.max()) if sizes else 1.0,
        factor if tokens else 1.0,
    )


def _predicted(fitted: ScaledPredictor, left_out: LossCurves) -> FloatArray:
    """(m, t) predictions, each scale once: a nested law is fitted anew at every scale."""
    batches = np.zeros(len(left_out)) if left_out.batch_tokens is None else left_out.batch_tokens
    scales = np.stack([left_out.model_parameters, left_out.tokens, batches], axis=1)
    predicted = np.empty_like(left_out.values)
    for size, tokens, batch in np.unique(scales, axis=0):
        rows = np.flatnonzero((scales == (size, tokens, batch)).all(axis=1))
        table = table_at(
            fitted, model_parameters=float(size), tokens=float(tokens), batch_tokens=float(batch) or None
        )
        predicted[rows] = table.predict(left_out.weights[rows])
    return predicted


def _left_out(curves: LossCurves, ends: FloatArray, seen: BoolArray, *, sizes: bool) -> BoolArray:
    """(n,) ends of left-out curves, of mixtures that are seen; of the left-out size alone if there is one."""
    mixture = mixture_numbers(curves.weights)
    known = np.isin(mixture, mixture[seen])
    last = (curves.tokens == ends) & ~seen & known
    return np.asarray(last & (curves.model_parameters == curves.model_parameters.max()) if sizes else last)


def _nearest(part: LossCurves, left_out: LossCurves) -> tuple[FloatArray, float]:
    """(m, t) values of the same mixture nearest in size, then in tokens; median factor between tokens."""
    nearest = []
    for row in range(len(left_out)):
        same = np.flatnonzero(np.abs(part.weights - left_out.weights[row]).max(axis=1) < _SAME)
        by_size = np.abs(np.log(part.model_parameters[same] / left_out.model_parameters[row]))
        by_tokens = np.abs(np.log(part.tokens[same] / left_out.tokens[row]))
        nearest.append(same[np.lexsort([by_tokens, by_size])[0]])
    return np.asarray(part.values[nearest]), float(np.median(left_out.tokens / part.tokens[nearest]))
