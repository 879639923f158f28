"""A member too costly for all runs is fitted to a part of them, and scored on them all."""

import numpy as np
import pytest

from mixlaws.auto.auto import Auto
from mixlaws.auto.held_out import hold_out_of_part
from mixlaws.auto.members import MEMBERS, Sizes
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.fitting import FittedLaw
from mixlaws.least_squares import Batch, minimise
from mixlaws.simulation import Simulation
from mixlaws.swarm import mixture_numbers


def test_a_member_of_bounded_cost_is_fitted_to_a_part_and_said_to_be() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=1000, noise=0.02, rng=np.random.default_rng(1))
    seconds = 0.2
    fitted = Auto(seconds=seconds).fit(swarm, rng=np.random.default_rng(2))
    rows = {row.member: row for row in fitted.table}
    assert "of 1000 runs" in rows["exponential"].note
    assert rows["exponential"].mae is not None
    assert rows["exponential"].seconds <= seconds < MEMBERS["exponential"].cost(Sizes(1000, 4, 4))
    assert rows["linear"].note == ""
    assert "too costly" in rows["lightgbm"].note
    unseen = simulation.swarm(count=200, noise=0.0, rng=np.random.default_rng(3))
    error = np.abs(fitted.predict(unseen.weights) - unseen.values).mean()
    assert error < 0.3 * unseen.values.std(axis=0).mean()


def test_scores_of_a_part_know_no_run_that_they_are_of() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=60, noise=0.05, rng=np.random.default_rng(1))
    folds = (np.arange(60) % 8)[mixture_numbers(swarm.weights)]
    rows, run = np.flatnonzero(folds < 4), 0
    moved = swarm.values.copy()
    at = np.flatnonzero(folds < 4)[run]
    moved[at] += 1.0
    changed = type(swarm)(swarm.domains, swarm.targets, swarm.weights, moved)
    # At a given ridge: one of five tells nothing of a run.
    law = ExponentialLaw(ridge=1e-4)
    first, second = (
        hold_out_of_part(law, runs, folds, rows, rng=np.random.default_rng(0)) for runs in (swarm, changed)
    )
    assert second.predicted[at] == pytest.approx(first.predicted[at], abs=1e-6)
    assert first.runs == len(rows)


def test_memory_is_bounded_whatever_time_is_allowed() -> None:
    sizes = Sizes(10_000, 64, 64)
    assert MEMBERS["gaussian_process"].memory(sizes) > 2**35
    assert all(MEMBERS[name].memory(sizes) == 0 for name in ("exponential", "lightgbm", "linear"))


def test_fits_in_parts_are_the_fits_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=20, noise=0.01, rng=np.random.default_rng(1))
    form = ExponentialLaw().form
    start = rng.normal(0, 0.3, (30, 4))
    batch = Batch(
        y=np.tile(swarm.values.T, (10, 1)),
        mask=np.ones((30, 20)),
        scale=np.ones(30),
        delta=1.0,
        ridge=np.full(30, 1e-3),
        penalty=form.penalty(3),
        lower=form.lower(3),
    )
    whole, objective = minimise(form.model(swarm.weights), start, batch)
    predictor = FittedLaw(form, whole[:3], 1e-3)
    predicted = predictor.predict(swarm.weights)
    monkeypatch.setattr("mixlaws.least_squares.SLOPES", 7 * 20 * 4)
    monkeypatch.setattr("mixlaws.laws.fitting.SLOPES", 7 * whole[:3].size)
    parts, of_parts = minimise(form.model(swarm.weights), start, batch)
    assert of_parts == pytest.approx(objective, rel=1e-9)
    assert parts == pytest.approx(whole, rel=1e-6, abs=1e-9)
    assert predictor.predict(swarm.weights) == pytest.approx(predicted, abs=1e-12)
