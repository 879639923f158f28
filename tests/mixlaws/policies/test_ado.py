"""ADO on losses whose law is known: what it fits, and where its mixture goes."""

import dataclasses

import numpy as np
import pytest

from benchmarks.reference_vectors.case import problem, told
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.policies.ado import Ado
from mixlaws.policies.ado_fit import fit_curves
from mixlaws.policies.ado_history import Smoothing, loss_curves
from mixlaws.policy import History, HistoryRequest

SEQUENCES, TOKENS = 64, 1024
# Floor, height and exponent of each domain, with sequences as samples.
LAW = np.array([[2.0, 12.0, 0.35], [1.8, 6.0, 0.2], [2.6, 8.0, 0.3]])


def history(steps: int, law: np.ndarray = LAW, *, noise: float = 0.05) -> History:
    n = SEQUENCES * np.arange(1, steps + 1)[:, None]
    rng = np.random.default_rng(0)
    losses = law[:, 0] + law[:, 1] * n ** -law[:, 2] + rng.normal(0, noise, (steps, len(law)))
    sequences = rng.multinomial(SEQUENCES, np.full(len(law), 1 / len(law)), size=steps)
    counts = sequences * TOKENS
    return History(np.arange(1, steps + 1), losses * counts, counts, sequences)


def slopes(curves: np.ndarray, n: float) -> np.ndarray:
    return np.asarray(curves[:, 2] * np.exp(curves[:, 0] - curves[:, 2] * np.log(n)) / n)


def test_a_fit_tells_the_slope_of_a_known_law_beyond_its_history() -> None:
    policy = Ado(ignore_steps=500)
    past = history(4000, noise=0.012)  # the error of a mean over 64 sequences, at 3 nats for a token
    curves = np.array(policy.compute(HistoryRequest(1, 4000), past)["curves"])
    far = SEQUENCES * 8000.0
    expected = LAW[:, 2] * LAW[:, 1] * far ** -LAW[:, 2] / far
    assert slopes(curves, far) == pytest.approx(expected, rel=0.1)
    told_loss = np.exp(curves[:, 1]) + np.exp(curves[:, 0]) * far ** -curves[:, 2]
    assert told_loss == pytest.approx(LAW[:, 0] + LAW[:, 1] * far ** -LAW[:, 2], abs=0.02)


def test_curves_without_noise_are_found_exactly_and_stay_within_their_bounds() -> None:
    n = np.geomspace(1e4, 1e7, 60)[:, None]
    law = np.vstack([LAW, [1.2, 2.0, 0.3], [2.0, 40.0, 0.95]])  # the last two lie beyond the bounds
    losses = law[:, 0] + law[:, 1] * n ** -law[:, 2]
    curves = fit_curves(np.broadcast_to(n, losses.shape), losses, np.ones(losses.shape, dtype=bool))
    exact = np.column_stack([np.log(LAW[:, 1]), np.log(LAW[:, 0]), LAW[:, 2]])
    assert curves[:3] == pytest.approx(exact, rel=1e-3)
    assert curves[3, 1] == 0.5
    assert curves[4, 2] == 0.8


def test_tokens_over_their_length_and_sequences_are_one_and_the_same_unit() -> None:
    # The bounds of the fit are meant for sequences: tokens as they are would push b against them.
    past = history(1500)
    by_tokens, by_sequences = (
        Ado(ignore_steps=500, tokens_per_sample=length).compute(HistoryRequest(1, 1500), past)["curves"]
        for length in (float(TOKENS), None)
    )
    assert by_tokens == by_sequences


def test_losses_are_smoothed_before_rows_are_left_out() -> None:
    past = history(400, noise=0.3)
    smoothing = Smoothing(ignore_steps=100, window=101, polynomial=3, every=10)
    drawn = past.token_counts / TOKENS
    samples, losses, mask = loss_curves(past, smoothing, drawn, shared=True)
    every_row = dataclasses.replace(smoothing, ignore_steps=0, every=1)
    _, whole, _ = loss_curves(past, every_row, drawn, shared=True)
    assert np.array_equal(losses, whole[100::10])
    assert mask.all()
    # All domains share the samples of all of them.
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert samples[0, 0] == pytest.approx(101 * SEQUENCES)


def test_a_domain_that_is_absent_keeps_its_last_loss_and_starts_with_the_mean_of_the_batch() -> None:
    counts = np.array([[10, 30, 0], [10, 0, 0], [10, 30, 20]])
    sums = counts * np.array([[4.0, 2.0, 9.0], [3.8, 9.0, 9.0], [3.6, 1.8, 3.0]])
    past = History(np.arange(1, 4), sums, counts)
    plain = Smoothing(ignore_steps=0, window=1, polynomial=3, every=1)
    _, losses, _ = loss_curves(past, plain, counts / 1.0, shared=True)
    assert losses == pytest.approx(np.array([[4.0, 2.0, 2.5], [3.8, 2.0, 2.5], [3.6, 1.8, 3.0]]))


def test_too_short_a_history_is_refused_and_leaves_the_curves_that_are_there() -> None:
    policy = Ado(ignore_steps=1000)
    with pytest.raises(FitError, match="beyond step 1000"):
        policy.compute(HistoryRequest(1, 900), history(900))
    state = policy.absorb(policy.init(problem(3)), {"curves": [[1.0, 0.7, 0.3]] * 3})
    assert policy.absorb(state, {}).curves is state.curves


def test_it_goes_to_the_domain_that_can_be_learnt_and_not_to_noise() -> None:
    law = np.array([[1.8, 20.0, 0.25], [5.0, 1e-6, 0.2]])
    policy = Ado(start_step=600, fit_every=600, ignore_steps=100)
    past = history(3000, law)
    state = policy.init(problem(2))
    requests = 0
    for row in range(3000):
        feedback = Feedback(row + 1, past.loss_sums[row], past.token_counts[row], state.weights)
        state = policy.update(state, feedback)
        request = policy.due(state)
        if request is not None:
            requests += 1
            upto = request.step_to
            seen = History(past.steps[:upto], past.loss_sums[:upto], past.token_counts[:upto])
            state = policy.absorb(state, policy.compute(request, seen))
    assert requests == 4  # after steps number 600, 1200, 1800 and 2400, counted from 0
    assert state.weights[0] > 0.8


def test_a_fit_stays_due_as_it_is_until_its_result_comes() -> None:
    policy = Ado(start_step=10, fit_every=10)
    state = policy.init(problem(2))
    losses, counts = np.array([3.0, 2.0]), np.array([1024, 1024])
    seen = []
    for step in range(1, 26):
        state = policy.update(state, told(step, state.weights, losses, counts))
        seen.append(policy.due(state))
    assert seen[:10] == [None] * 10
    assert set(seen[10:]) == {HistoryRequest(1, 11)}
    state = policy.absorb(state, {})
    assert policy.due(state) is None
    assert state.weights == pytest.approx([0.5, 0.5]), "the prior holds until there are curves"
    state = policy.update(state, told(26, state.weights, losses, counts))
    assert policy.due(state) == HistoryRequest(1, 26), "the fit that was left out meanwhile comes next"


def test_one_feedback_over_some_steps_counts_as_so_many() -> None:
    policy = Ado(start_step=0, fit_every=1000)
    fine = coarse = policy.absorb(policy.init(problem(2)), {"curves": [[2.0, 0.6, 0.3], [1.0, 0.6, 0.1]]})
    losses, counts = np.array([3.0, 2.0]), np.array([2048, 1024])
    for step in range(1, 41):
        fine = policy.update(fine, told(step, fine.weights, losses, counts))
        if step % 10 == 0:
            coarse = policy.update(coarse, told(step, coarse.weights, losses, 10 * counts, steps=10))
    assert coarse.credit == pytest.approx(fine.credit, abs=1e-12)
    assert coarse.samples == pytest.approx(fine.samples)
    assert coarse.average == pytest.approx(fine.average, abs=0.02)


def test_only_a_newer_version_moves_the_credit_of_the_first_adjusted_variant() -> None:
    policy = Ado(variant="mixtera_v1", start_step=0)
    state = policy.absorb(policy.init(problem(2)), {"curves": [[2.0, 0.6, 0.3], [1.0, 0.6, 0.1]]})
    losses, counts = np.array([3.0, 2.0]), np.array([1024, 1024])
    for step, version in enumerate((1, 1, 1, 2, 2), start=1):
        before = state
        state = policy.update(state, told(step, state.weights, losses, counts, version=version))
        assert (state.credit.tolist() != before.credit.tolist()) == (step == 4)


def test_a_hyperparameter_out_of_range_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"preference.*1\.5"):
        Ado(preference=1.5)
    with pytest.raises(InvalidInputError, match="tokens_per_sample is 0"):
        Ado(tokens_per_sample=0.0)
