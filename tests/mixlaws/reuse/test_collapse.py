"""A reduced problem allows what the full one allows, and its KL is the full one's by the chain rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError, UnknownDomainError
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.reuse.collapse import Collapse, carry_over
from mixlaws.reuse.divergence import divergence, grouped_divergence
from mixlaws.reuse.predictor import CollapsedPredictor
from mixlaws.simplex import project
from mixlaws.simulation import Simulation

seeds = st.integers(0, 2**32 - 1)


def names(d: int) -> tuple[str, ...]:
    return tuple(f"d{i}" for i in range(d))


def random_collapse(seed: int) -> Collapse | None:
    """Random tokens, bounds, epochs and old weights; None where nothing is feasible."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 9))
    tokens = rng.integers(1, 10 ** int(rng.integers(1, 12)), d)
    reused = rng.choice(d, int(rng.integers(1, d)), replace=False)
    old = {f"d{i}": float(weight) for i, weight in zip(reused, rng.dirichlet(np.ones(d)), strict=False)}
    try:
        full = MixtureProblem(
            DomainSet(names(d), tuple(tokens.tolist())),
            rng.dirichlet(np.ones(d)),
            rng.uniform(0, 0.2 / d, d) * (rng.random(d) < 0.3),
            np.minimum(rng.uniform(0.3, 1.5, d), 1.0),
            final_tokens=int(tokens.sum() * rng.uniform(0.1, 3)) + 1,
            max_epochs=rng.uniform(0.5, 8, d),
        )
        collapse = Collapse.create(full, old)
        assert collapse.problem.caps is not None
    except InfeasibleError:
        return None
    return collapse


@given(seeds)
def test_the_chain_rule_of_kl_is_exact_for_any_mixture_prior_and_group(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 12))
    weights, prior = rng.dirichlet(np.full(d, 0.3), size=2)
    group = rng.choice(d, int(rng.integers(1, d)), replace=False)
    found = grouped_divergence(weights, prior, group)
    assert found.total == pytest.approx(divergence(weights, prior), abs=1e-9)
    assert found.between >= -1e-12
    assert found.within >= -1e-12
    assert divergence(weights, prior) >= found.between - 1e-12


@given(seeds)
def test_the_dropped_term_of_reuse_is_its_share_times_a_constant(seed: int) -> None:
    collapse = random_collapse(seed)
    if collapse is None:
        return
    rng = np.random.default_rng(seed)
    problem = collapse.problem
    for reduced in rng.dirichlet(np.ones(len(problem.domains)), size=5):
        exact = divergence(collapse.expand(reduced), collapse.full.prior)
        assert divergence(reduced, problem.prior) + reduced[0] * collapse.within == pytest.approx(
            exact, abs=1e-9
        )


def test_a_tilted_prior_orders_reduced_mixtures_as_the_full_divergence_does() -> None:
    full = MixtureProblem.create(DomainSet(names(5), (50, 20, 15, 10, 5)))
    collapse = Collapse.create(full, {"d0": 0.2, "d1": 0.3, "d4": 0.1})
    tilted = collapse.tilted().prior
    rows = np.random.default_rng(0).dirichlet(np.ones(len(tilted)), size=50)
    differences = [
        divergence(collapse.expand(row), collapse.full.prior) - divergence(row, tilted) for row in rows
    ]
    assert collapse.within > 0.01
    assert np.ptp(differences) < 1e-12


@given(seeds)
def test_an_expanded_mixture_honours_every_bound_and_cap_of_the_full_problem(seed: int) -> None:
    collapse = random_collapse(seed)
    if collapse is None:
        return
    rng, problem = np.random.default_rng(seed), collapse.problem
    drawn = rng.dirichlet(np.full(len(problem.domains), 0.3), size=20)
    full = collapse.expand(project(drawn, problem.lower, problem.caps))
    assert np.abs(full.sum(axis=1) - 1).max() < 1e-9
    assert np.all(full >= collapse.full.lower - 1e-12)
    assert np.all(full <= collapse.full.caps * (1 + 1e-9))
    assert collapse.gather(full) == pytest.approx(project(drawn, problem.lower, problem.caps), abs=1e-12)


@given(seeds)
def test_a_greater_share_than_the_virtual_cap_breaks_a_cap_of_a_reused_domain(seed: int) -> None:
    collapse = random_collapse(seed)
    if collapse is None or collapse.problem.caps[0] >= 0.99:
        return
    reduced = np.zeros(len(collapse.problem.domains))
    reduced[0] = 1.01 * collapse.problem.caps[0]
    assert np.any(collapse.expand(reduced) > collapse.full.caps)


def test_the_virtual_capacity_is_what_the_first_dry_domain_allows_and_not_the_sum() -> None:
    full = MixtureProblem.create(
        DomainSet(("big", "small", "new"), (900, 10, 500)),
        final_tokens=1000,
        max_epochs=dict.fromkeys(("big", "small", "new"), 4.0),
    )
    collapse = Collapse.create(full, {"big": 0.3, "small": 0.1})
    assert collapse.problem.domains.tokens == (40, 500)  # 10 / 0.25; the sum would be 910
    assert collapse.problem.caps[0] == pytest.approx(0.16)
    at_cap = collapse.expand(np.array([0.16, 0.84]))
    assert at_cap == pytest.approx([0.12, 0.04, 0.84])
    assert at_cap[1] * 1000 == pytest.approx(4 * 10)


def test_caps_belong_to_the_final_run_and_leave_proxy_runs_free() -> None:
    full = MixtureProblem.create(
        DomainSet(("a", "b", "new"), (100, 10, 100)),
        final_tokens=100,
        max_epochs={"a": 1.0, "b": 1.0, "new": 1.0},
        upper={"a": 0.6},
    )
    reduced = Collapse.create(full, {"a": 0.5, "b": 0.5}).problem
    assert reduced.caps[0] == pytest.approx(0.2)
    # The bound of `a` is the user's wish and holds everywhere; the tokens of `b` bind the final run alone.
    assert reduced.without_caps().caps == pytest.approx([1.0, 1.0])
    narrow = MixtureProblem.create(full.domains, upper={"a": 0.3})
    assert Collapse.create(narrow, {"a": 0.5, "b": 0.5}).problem.without_caps().caps[0] == pytest.approx(0.6)


def test_caps_that_leave_no_mixture_are_told_before_any_search() -> None:
    full = MixtureProblem.create(
        DomainSet(("a", "b", "new"), (100, 1, 50)),
        final_tokens=100,
        max_epochs=dict.fromkeys(("a", "b", "new"), 1.0),
    )
    with pytest.raises(InfeasibleError, match="allow more epochs"):
        _ = Collapse.create(full, {"a": 0.5, "b": 0.5}).problem
    held = MixtureProblem.create(full.domains, lower={"b": 0.1})
    with pytest.raises(InfeasibleError, match="'b' has a lower bound, and the old weight 0"):
        _ = Collapse.create(held, {"a": 0.5, "b": 0.0}).problem


def test_names_are_compared_whole_and_never_as_parts_of_each_other() -> None:
    domains = DomainSet(("pdf", "pdf_v1", "web/pdf"), (1, 1, 1))
    collapse = Collapse.create(MixtureProblem.create(domains), {"pdf": 1.0})
    assert collapse.reused.tolist() == [0]
    assert collapse.problem.domains.names == ("reused", "pdf_v1", "web/pdf")
    with pytest.raises(UnknownDomainError):
        Collapse.create(MixtureProblem.create(domains), {"pdf_": 1.0})
    with pytest.raises(InvalidInputError, match="another name"):
        Collapse.create(MixtureProblem.create(domains), {"pdf": 1.0}, name="web/pdf")


@pytest.mark.parametrize("kl", [0.0, 0.05])
def test_the_optimum_is_found_in_few_dimensions_if_the_reused_weights_are_those_of_the_optimum(
    kl: float,
) -> None:
    rng = np.random.default_rng(2)
    simulation = Simulation.create(domains=6, rng=rng)
    proposer = ConvexProposer(kl=kl, starts=2)
    best = proposer.propose(simulation.truth, simulation.problem, count=1, rng=rng)[0]
    domains = simulation.problem.domains
    old = {name: best.weights[j] for j, name in enumerate(domains.names) if j < 4}
    collapse = Collapse.create(simulation.problem, old)
    seen = CollapsedPredictor(simulation.truth, collapse)
    tilted = collapse.tilted()
    found = proposer.propose(seen, tilted, count=1, rng=rng)[0]
    assert len(found.weights) == 3
    assert collapse.expand(found.weights) == pytest.approx(best.weights, abs=2e-3)
    assert found.predicted == pytest.approx(best.predicted, abs=1e-4)


def test_without_the_second_kl_term_reuse_prefers_the_reused_domains() -> None:
    rng = np.random.default_rng(5)
    simulation = Simulation.create(domains=6, rng=rng)
    old = dict(zip(simulation.problem.domains.names[:4], (0.7, 0.1, 0.1, 0.1), strict=True))
    collapse = Collapse.create(simulation.problem, old)
    seen = CollapsedPredictor(simulation.truth, collapse)
    exact, short = (
        ConvexProposer(kl=0.5, starts=2).propose(seen, problem, count=1, rng=rng)[0].weights[0]
        for problem in (collapse.tilted(), collapse.problem)
    )
    assert short > exact + 0.01


def test_a_prior_that_leaves_out_a_reused_domain_is_refused_where_kl_would_be_infinite() -> None:
    domains = DomainSet(names(3), (1, 1, 1))
    full = MixtureProblem.create(domains, prior={"d0": 0, "d1": 0.5, "d2": 0.5})
    collapse = Collapse.create(full, {"d0": 0.5, "d1": 0.5})
    assert divergence(np.array([0.5, 0.5, 0]), full.prior) == np.inf
    with pytest.raises(InvalidInputError, match="KL is infinite: give it a share"):
        collapse.tilted()
    # A reused domain outside the prior that has no weight either does no harm.
    assert Collapse.create(full, {"d0": 0, "d1": 0.5}).tilted().prior == pytest.approx([0.5, 0.5])


def test_removal_renormalises_and_needs_no_run() -> None:
    left = MixtureProblem.create(DomainSet(("a", "c"), (10, 10)))
    assert carry_over(left, {"a": 0.2, "c": 0.3}) == pytest.approx([0.4, 0.6])


def test_after_removal_a_capped_domain_stays_at_its_cap_and_the_others_keep_their_ratios() -> None:
    left = MixtureProblem.create(
        DomainSet(("a", "b", "c"), (10, 100, 100)),
        final_tokens=100,
        max_epochs=dict.fromkeys(("a", "b", "c"), 4.0),
    )
    # Renormalised, `a` would be read 5 times.
    assert carry_over(left, {"a": 0.4, "b": 0.3, "c": 0.1}) == pytest.approx([0.4, 0.45, 0.15])


def test_derivatives_of_a_collapsed_predictor_are_those_of_its_predictions() -> None:
    simulation = Simulation.create(domains=5, rng=np.random.default_rng(0))
    collapse = Collapse.create(simulation.problem, {"domain-1": 0.3, "domain-4": 0.1})
    seen = CollapsedPredictor(simulation.truth, collapse)
    at = np.array([[0.4, 0.3, 0.2, 0.1]])
    slopes = seen.jacobian(at)[0]
    for axis in range(4):
        step = np.zeros((1, 4))
        step[0, axis] = 1e-6
        difference = (seen.predict(at + step) - seen.predict(at - step))[0] / 2e-6
        assert slopes[:, axis] == pytest.approx(difference, abs=1e-6)
