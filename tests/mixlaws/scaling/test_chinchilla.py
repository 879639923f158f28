"""Chinchilla's law recovers published surfaces at scales that it has not seen."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError, FitError
from mixlaws.scaling.chinchilla import ChinchillaLaw
from mixlaws.scaling.curves import LossCurves

# E, A, B, alpha, beta as published by Hoffmann et al. 2022 and by Besiroglu et al. 2024.
HOFFMANN = (1.69, 406.4, 410.7, 0.34, 0.28)
BESIROGLU = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
MIXTURE = np.array([[0.5, 0.5]])
Constants = tuple[float, float, float, float, float]


def loss(constants: Constants, parameters: FloatArray, tokens: FloatArray) -> FloatArray:
    e, a, b, alpha, beta = constants
    return np.asarray(e + a / parameters**alpha + b / tokens**beta)


def curves(*surfaces: Constants, noise: float = 0.0) -> LossCurves:
    rows = [(n, d) for n in np.geomspace(4e7, 1e10, 8) for d in n * np.geomspace(2, 200, 8)]
    parameters, tokens = np.array(rows).T
    values = np.stack([loss(surface, parameters, tokens) for surface in surfaces], axis=1)
    values = values * np.exp(noise * np.random.default_rng(0).standard_normal(values.shape))
    weights = np.repeat(MIXTURE, len(rows), axis=0)
    names = tuple(f"surface-{k}" for k in range(len(surfaces)))
    return LossCurves(
        DomainSet(("a", "b"), (1, 1)), names, weights, values, parameters, tokens, np.arange(len(rows))
    )


def test_both_published_surfaces_are_recovered_together() -> None:
    fitted = ChinchillaLaw().fit(curves(HOFFMANN, BESIROGLU))
    for found, (e, a, b, alpha, beta) in zip(fitted.parameters[0], (HOFFMANN, BESIROGLU), strict=True):
        assert np.exp(found[[4, 0, 2]]) == pytest.approx([e, a, b], rel=1e-3)
        assert found[[1, 3]] == pytest.approx([alpha, beta], rel=1e-4)


@pytest.mark.parametrize("constants", [HOFFMANN, BESIROGLU], ids=["hoffmann", "besiroglu"])
def test_noisy_small_models_foretell_a_model_of_seventy_billion(constants: Constants) -> None:
    fitted = ChinchillaLaw().fit(curves(constants, noise=0.002))
    predicted = fitted.at(model_parameters=70e9, tokens=1.4e12).predict(MIXTURE)
    assert predicted[0, 0] == pytest.approx(loss(constants, np.array(70e9), np.array(1.4e12)), rel=0.01)


def test_diverged_runs_do_not_move_the_surface() -> None:
    made = curves(BESIROGLU)
    values = made.values.copy()
    values[[5, 20, 41]] *= 1.5
    fitted = ChinchillaLaw().fit(replace(made, values=values))
    predicted = fitted.at(model_parameters=70e9, tokens=1.4e12).predict(MIXTURE)
    assert predicted[0, 0] == pytest.approx(loss(BESIROGLU, np.array(70e9), np.array(1.4e12)), rel=2e-3)


def test_more_parameters_or_tokens_never_raise_the_loss() -> None:
    fitted = ChinchillaLaw().fit(curves(HOFFMANN, noise=0.02))
    grid = np.geomspace(1e6, 1e13, 30)
    for along_size in (True, False):
        scales = [(x, 1e10) if along_size else (1e10, x) for x in grid]
        falling = [fitted.at(model_parameters=n, tokens=d).values[0, 0] for n, d in scales]
        assert np.all(np.diff(falling) <= 1e-12)


def test_data_that_do_not_span_the_surface_are_refused() -> None:
    made = curves(HOFFMANN)
    with pytest.raises(CurveTooShortError, match="1 model sizes of a mixture"):
        ChinchillaLaw().fit(made.take(made.model_parameters == made.model_parameters[0]))
    with pytest.raises(CurveTooShortError, match="4 observations of a mixture"):
        ChinchillaLaw().fit(made.take([0, 1, 10, 11]))
    with pytest.raises(FitError, match="losses > 0 alone"):
        ChinchillaLaw().fit(replace(made, values=made.values - 5.0))
