"""Vectors of ADO: the released selector with its fits, and Mixtera's variants with given curves."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, numbers, problem, told
from mixlaws.arrays import FloatArray, IntArray
from mixlaws.feedback import Feedback
from mixlaws.policies.ado import Ado
from mixlaws.policies.ado_history import drawn_samples
from mixlaws.policies.ado_state import AdoState
from mixlaws.policy import History

_MIXTERA: dict[str, Any] = {
    "vanilla": "mixtera",
    "adjusted_v1": "mixtera_v1",
    "adjusted_v2": "mixtera_v2",
    "adjusted_v3": "mixtera_v3",
}


def check(raw: Raw) -> Iterator[Case]:
    """The mixtures given the fitted curves of the file, and the curves that are fitted here."""
    policy, expected, allowed = _policy(raw["params"]), raw["expected"], raw["tolerance"]
    counts, losses = np.array(raw["inputs"]["counts"]), numbers(raw["inputs"]["mean_losses"])
    state = policy.init(problem(counts.shape[1], tokens=raw["inputs"]["task_token_count"]))
    curves = expected["fitted_params_by_step"]
    worst = dict.fromkeys(("policy", "p_history", "p_avg"), 0.0)
    fitted_at = []
    for t in range(len(counts)):
        if str(t) in curves:
            state = policy.absorb(state, {"curves": curves[str(t)]})
        state = policy.update(state, _told(t, state, losses[t], counts[t]))
        for name, got in (("policy", state.weights), ("p_history", state.credit), ("p_avg", state.average)):
            if name in expected and expected[name][t] is not None:
                worst[name] = max(worst[name], deviation(got, expected[name][t]))
        request = policy.due(state)
        if request is not None:
            fitted_at.append(str(t))
            history = _history(losses[: t + 1], counts[: t + 1])
            fitted = numbers(policy.compute(request, history)["curves"])
            if str(t) in curves:
                off = _curve_deviation(policy, history, fitted, numbers(curves[str(t)]))
                yield Case(f"curves fitted at {t}", off, allowed["fitted_loss_curve"])
            state = policy.absorb(state, {})
    yield from (Case(name, off, allowed["policy_given_params"]) for name, off in worst.items())
    yield Case("steps of fits", float(len(set(fitted_at) ^ set(curves))), 0.0)


def check_mixtera(raw: Raw) -> Iterator[Case]:
    """The mixtures of every variant, given its curves."""
    for case in raw["cases"]:
        params = {**raw["params"], **case.get("params", {})}
        policy = Ado(
            variant=_MIXTERA[case["variant"]],
            start_step=params["start_step"],
            credit_memory=1 - params["gamma1"],
            preference=params["gamma2"],
            credit_exponent=params["s"],
            least_share=params["delta_min"],
            tokens_per_sample=params["count_normalizer"] or 1.0,
        )
        state = policy.init(problem(len(params["initial"]), prior=params["initial"]))
        state = policy.absorb(state, {"curves": case["scaling_params"]})
        worst = 0.0
        for t, step in enumerate(case["steps"]):
            sums, tokens = numbers(step["loss_sums"]), np.array(step["token_counts"])
            feedback = Feedback(t + 1, sums, tokens, state.weights, version=step["mixture_id"])
            state = policy.update(state, feedback)
            expected = case["expected_mixture"][t]
            if expected is not None:
                worst = max(worst, deviation(state.weights, expected))
        yield Case(case.get("id", case["variant"]), worst, raw["tolerance"])


def _policy(params: Raw) -> Ado:
    return Ado(
        start_step=params["start_step"],
        fit_every=params["update_interval"],
        ignore_steps=params["ignore_steps"],
        credit_memory=params["gamma_history"],
        credit_exponent=params["s"],
        preference=params["mix"][1],
        least_share=params["min_prob"],
        least_exponent=params["alpha_floor"],
        shared_samples=params["use_same_step_size"],
        window=params["savgol"][0],
        polynomial=params["savgol"][1],
        fit_rows=params["subsample"],
        tokens_per_sample=None,
    )


def _told(t: int, state: AdoState, losses: FloatArray, counts: IntArray) -> Feedback:
    """Sequences of a token each, so that means over sequences are means over tokens."""
    return told(t + 1, state.weights, losses, counts, sequence_counts=counts)


def _history(losses: FloatArray, counts: IntArray) -> History:
    sums = np.where(counts > 0, losses, 0.0) * counts
    return History(np.arange(1, len(counts) + 1), np.asarray(sums, dtype=np.float64), counts, counts)


def _curve_deviation(policy: Ado, history: History, got: FloatArray, expected: FloatArray) -> float:
    """Largest difference of two sets of curves over the samples that they were fitted to, nats per token."""
    drawn = drawn_samples(history, policy.tokens_per_sample)
    if policy.shared_samples:
        drawn = np.broadcast_to(drawn.sum(axis=1)[:, None], drawn.shape)
    n = np.maximum(np.cumsum(drawn, axis=0)[policy.ignore_steps :], 1.0)
    ours, theirs = (np.exp(c[:, 1]) + np.exp(c[:, 0] - c[:, 2] * np.log(n)) for c in (got, expected))
    return float(np.abs(ours - theirs).max())
