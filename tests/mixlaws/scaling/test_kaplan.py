"""Kaplan's law: its forms agree with each other, and its stages find a known world from small models."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.errors import CurveTooShortError, FitError, InvalidInputError
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.kaplan import FittedKaplan, KaplanLaw, _trajectories, trajectory_loss
from mixlaws.scaling.kaplan_stages import staged_start
from mixlaws.scaling.simulation import TRAJECTORY, simulated_curves, simulated_losses

MIXTURE = np.array([[0.3, 0.7]])
TRUTH = FittedKaplan(MIXTURE, np.array([[TRAJECTORY]]))


def loss(parameters: float, tokens: float, batch: float) -> float:
    scale = (np.array([x]) for x in (parameters, tokens, batch))
    return float(trajectory_loss(np.array([TRAJECTORY]), *scale)[0, 0])


@given(st.floats(1e6, 1e11), st.floats(1e9, 1e13), st.floats(1e3, 1e8), st.floats(1e3, 1e8))
def test_all_batches_that_reach_one_loss_lie_on_a_hyperbola_of_steps_and_tokens(
    parameters: float, tokens: float, batch: float, other: float
) -> None:
    reached = loss(parameters, tokens, batch)
    critical = float(TRUTH.critical_batch(np.array(reached))[0, 0])
    least_steps = tokens / (batch + critical)
    least_tokens = critical * least_steps
    # (S / S_min - 1) (E / E_min - 1) = 1 gives the steps that another batch needs for the same loss.
    steps = least_steps + least_tokens / other
    assert (steps / least_steps - 1) * (steps * other / least_tokens - 1) == pytest.approx(1, rel=1e-3)
    assert loss(parameters, steps * other, other) == pytest.approx(reached, rel=1e-9)


@given(st.floats(1e6, 1e11), st.floats(1e9, 1e13), st.floats(1e3, 1e8))
def test_the_loss_of_a_finite_batch_solves_the_law_that_defines_it(
    parameters: float, tokens: float, batch: float
) -> None:
    alpha_n, log_n_c, alpha_b, log_b_star, alpha_s, log_s_c = TRAJECTORY
    reached = loss(parameters, tokens, batch)
    critical = np.exp(log_b_star) / reached ** (1 / alpha_b)
    least_steps = tokens / batch / (1 + critical / batch)
    right = (np.exp(log_n_c) / parameters) ** alpha_n + (np.exp(log_s_c) / least_steps) ** alpha_s
    assert reached == pytest.approx(right, rel=1e-9)


def test_smaller_batches_waste_no_tokens_and_larger_ones_no_steps() -> None:
    by_tokens = [loss(1e8, 1e10, batch) for batch in (1e4, 1e5, 1e6, 1e7)]
    by_steps = [loss(1e8, 1e4 * batch, batch) for batch in (1e4, 1e5, 1e6, 1e7)]
    assert np.all(np.diff(by_tokens) > 0)
    assert np.all(np.diff(by_steps) < 0)


def test_at_the_critical_batch_twice_the_least_tokens_are_needed() -> None:
    reached = float(TRUTH.at(model_parameters=1e8, tokens=1e10).values[0, 0])
    critical = float(TRUTH.critical_batch(np.array(reached))[0, 0])
    told = TRUTH.at(model_parameters=1e8, tokens=1e10, batch_tokens=critical).values[0, 0]
    assert told == pytest.approx(reached, rel=1e-9)
    assert loss(1e8, 5e9, 1e-3) == pytest.approx(reached, rel=1e-9)


def test_slopes_of_the_implicit_loss_are_exact() -> None:
    made = simulated_curves(MIXTURE)
    model, theta = _trajectories(made), np.array([TRAJECTORY])
    _, slopes = model(theta)
    for k in range(theta.shape[1]):
        step = 1e-6 * np.eye(theta.shape[1])[k]
        secant = (model(theta + step)[0] - model(theta - step)[0]) / 2e-6
        assert slopes[:, :, k] == pytest.approx(secant, abs=1e-6 * np.abs(slopes).max())


def one_target(noise: float) -> LossCurves:
    """Curves of the trajectory itself: 3M to 60M parameters."""
    made = simulated_curves(MIXTURE, tokens=tuple(np.geomspace(3e8, 6e10, 14)))
    batch = made.batch_tokens
    assert batch is not None
    values = trajectory_loss(np.array([TRAJECTORY]), made.model_parameters, made.tokens, batch).T
    values = values * np.exp(noise * np.random.default_rng(0).standard_normal(values.shape))
    return replace(made, targets=("loss",), values=values)


def test_constants_are_recovered_from_small_models() -> None:
    made = one_target(noise=0.0)
    # The stages alone extrapolate each curve to its floor, which is never exact; the joint fit is.
    assert staged_start(made, 0) == pytest.approx(TRAJECTORY, rel=0.15)
    assert KaplanLaw().fit(made).parameters[0, 0] == pytest.approx(TRAJECTORY, rel=1e-4)


def test_noisy_small_models_foretell_a_model_five_hundred_times_as_large() -> None:
    fitted = KaplanLaw().fit(one_target(noise=0.003))
    for batch in (5e5, 4e6):
        at = fitted.at(model_parameters=33e9, tokens=1e12, batch_tokens=batch)
        assert at.values[0, 0] == pytest.approx(loss(33e9, 1e12, batch), rel=0.01)


def test_every_mixture_has_a_trajectory_of_its_own() -> None:
    mixtures = np.array([[0.3, 0.7], [0.8, 0.2]])
    fitted = KaplanLaw().fit(simulated_curves(mixtures))
    at = fitted.at(model_parameters=1e9, tokens=1e11, batch_tokens=1e6)
    scale = (np.full(2, x) for x in (1e9, 1e11, 1e6))
    assert at.predict(mixtures) == pytest.approx(simulated_losses(mixtures, *scale), rel=1e-3)


def test_data_that_do_not_tell_a_stage_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="needs batch_tokens"):
        KaplanLaw().fit(replace(simulated_curves(MIXTURE), batch_tokens=None))
    with pytest.raises(CurveTooShortError, match="1 model size; Kaplan's law needs at least 2"):
        KaplanLaw().fit(simulated_curves(MIXTURE, sizes=(1e7,)))
    with pytest.raises(CurveTooShortError, match="1 batch size of a model size"):
        KaplanLaw().fit(simulated_curves(MIXTURE, batches=(1e5,)))
    made = simulated_curves(MIXTURE)
    with pytest.raises(FitError, match="losses > 0 alone"):
        KaplanLaw().fit(replace(made, values=-made.values))
    with pytest.raises(InvalidInputError, match=r"batch_tokens is 0.0"):
        TRUTH.at(model_parameters=1e8, tokens=1e10, batch_tokens=0.0)
