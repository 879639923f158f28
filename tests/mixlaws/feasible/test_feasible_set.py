"""Projections, gaps and conflicts of the feasible set, against a linear program and against each other."""

import numpy as np
import pytest
from scipy.optimize import linprog

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.feasible.conflict import Constraint, constraints, reduced
from mixlaws.feasible.constraints import Group, Measure, PriorDistance
from mixlaws.feasible.feasible_set import FeasibleSet, GroupBounds
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import fill, project
from tests.mixlaws.feasible.problems import feasible

DOMAINS = DomainSet(tuple("abcdef"), (6, 5, 4, 3, 2, 1))


def least(full: FeasibleSet, cost: FloatArray) -> float | None:
    """The least cost by a linear program, with an L1 distance; None where there is no mixture."""
    d = len(full.lower)
    rows, limits = [], []
    equal = [np.concatenate([np.ones(d), np.zeros(d)])]
    for group in full.groups:
        member = np.concatenate([group.members.astype(float), np.zeros(d)])
        rows += [member, -member]
        limits += [group.upper, -group.lower]
        inner = full.prior * group.members / full.prior[group.members].sum()
        kept = np.flatnonzero(group.members & group.keeps)
        equal += [np.eye(2 * d)[j] - inner[j] * member for j in kept]
    if full.distance is not None:
        away = np.eye(d)  # w - q <= s and q - w <= s, with sum(s) bounded
        rows += [*np.hstack([away, -away]), *np.hstack([-away, -away]), np.append(np.zeros(d), np.ones(d))]
        limits += [*full.prior, *-full.prior, full.distance.most]
    bounds: list[tuple[float, float | None]] = [*zip(full.lower, full.upper, strict=True), *[(0, None)] * d]
    found = linprog(
        np.append(cost, np.zeros(d)), rows or None, limits or None, np.array(equal),
        np.append(1.0, np.zeros(len(equal) - 1)), bounds,
    )  # fmt: skip
    return None if found.x is None else float(found.x[:d] @ cost)


@pytest.mark.parametrize("seed", range(12))
def test_the_gap_is_that_of_a_linear_program(seed: int) -> None:
    _, problem = feasible(3 * (seed // 2) + 2 * (seed % 2))  # without a distance, and with one of L1
    rng = np.random.default_rng(seed)
    gradient = rng.normal(size=len(problem.domains))
    at = problem.feasible.project(rng.dirichlet(np.ones(len(problem.domains))))
    cheapest = least(problem.feasible, gradient)
    assert cheapest is not None
    assert problem.feasible.gap(gradient, at) == pytest.approx(gradient @ at - cheapest, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_filled_has_the_least_divergence_from_the_shares(seed: int) -> None:
    _, problem = feasible(seed)
    rng = np.random.default_rng(seed)
    d = len(problem.domains)
    shares = rng.dirichlet(np.ones(d))
    filled = problem.feasible.fill(shares)
    assert problem.feasible.contains(filled[None, :], tolerance=1e-9)[0]

    def divergence(rows: FloatArray) -> FloatArray:
        return np.asarray((rows * np.log(np.maximum(rows, 1e-300) / shares)).sum(axis=1))

    others = problem.feasible.project(rng.dirichlet(np.ones(d), size=500))
    assert divergence(filled[None, :])[0] <= divergence(others).min() + 1e-9
    assert divergence(filled[None, :])[0] <= divergence(0.99 * filled + 0.01 * others).min() + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_a_feasible_mixture_is_its_own_projection(seed: int) -> None:
    _, problem = feasible(seed)
    rows = problem.feasible.project(np.random.default_rng(seed).dirichlet(np.ones(len(problem.domains)), 50))
    assert problem.feasible.project(rows) == pytest.approx(rows, abs=1e-9)


def test_groups_that_bind_nothing_change_neither_projection_nor_filling() -> None:
    rng = np.random.default_rng(0)
    lower, upper = np.full(6, 0.02), np.full(6, 0.5)
    everything = GroupBounds(np.ones(6, dtype=bool))
    loose = FeasibleSet(lower, upper, DOMAINS.natural, (everything, GroupBounds(np.arange(6) < 3)))
    points = rng.dirichlet(np.ones(6), size=20)
    assert loose.project(points) == pytest.approx(project(points, lower, upper), abs=1e-9)
    assert loose.fill(points[0]) == pytest.approx(fill(points[0], lower, upper), abs=1e-9)


def random_problem(seed: int) -> MixtureProblem:
    rng = np.random.default_rng(seed)
    lower = rng.uniform(0, 0.08, 6)
    parts = np.array_split(rng.permutation(6), 3)
    groups = []
    for number, part in enumerate(parts):
        low = rng.uniform(0, 0.6)
        members = tuple(DOMAINS.names[at] for at in part)
        groups.append(Group(f"g{number}", members, low, min(1.0, low + rng.uniform(0, 0.4)), bool(seed % 2)))
    distance = PriorDistance(Measure.L1, rng.uniform(0.02, 0.5)) if seed % 3 else None
    return MixtureProblem(
        DOMAINS, DOMAINS.natural, lower, np.minimum(1, lower + rng.uniform(0.2, 0.8, 6)),
        groups=tuple(groups), distance=distance,
    )  # fmt: skip


def test_an_infeasible_problem_names_constraints_that_conflict_and_none_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = 0
    for seed in range(60):
        with monkeypatch.context() as patch:
            patch.setattr(MixtureProblem, "_check_common", lambda _: None)
            problem = random_problem(seed)
        full = problem.feasible
        assert full.empty == (least(full, np.zeros(6)) is None)
        if not full.empty:
            continue
        refused += 1
        with pytest.raises(InfeasibleError) as told:
            random_problem(seed)
        named = [one for one in everything(problem) if one.text in told.value.constraints]
        assert len(named) == len(told.value.constraints)
        assert least(reduced(full, named), np.zeros(6)) is None
        for one in named:
            rest = [other for other in named if other is not one]
            assert least(reduced(full, rest), np.zeros(6)) is not None
    assert refused > 10


def everything(problem: MixtureProblem) -> list[Constraint]:
    return constraints(problem.feasible, problem.domains, problem.groups, problem.caps < problem.upper)


def test_a_message_names_groups_tokens_and_distance() -> None:
    with pytest.raises(InfeasibleError, match=r"'b' at most 0.05 \(its tokens\); group 'code' at least 0.4"):
        MixtureProblem.create(
            DOMAINS, upper={"a": 0.3}, final_tokens=100, max_epochs={"b": 1.0},
            groups=[Group("code", ("a", "b"), lower=0.4)],
        )  # fmt: skip
    with pytest.raises(InfeasibleError, match=r"'f' frozen at 0.5; KL distance from the prior at most 0.1"):
        MixtureProblem.create(DOMAINS, frozen={"f": 0.5}, distance=PriorDistance(Measure.KL, 0.1))


def test_frozen_domains_and_groups_hold_what_is_stated_or_the_prior() -> None:
    problem = MixtureProblem.create(
        DOMAINS, frozen={"a": None, "b": 0.1}, groups=[Group("rest", ("c", "d"), 0.3, 0.3, True)]
    )
    rows = problem.feasible.project(np.random.default_rng(0).dirichlet(np.ones(6), size=50))
    assert rows[:, 0] == pytest.approx(np.full(50, 6 / 21))
    assert rows[:, 1] == pytest.approx(np.full(50, 0.1))
    assert rows[:, 2] == pytest.approx(np.full(50, 0.3 * 4 / 7))
    assert rows[:, 3] == pytest.approx(np.full(50, 0.3 * 3 / 7))


@pytest.mark.parametrize(
    ("groups", "match"),
    [
        ([Group("g", ("a", "b")), Group("h", ("b", "c"))], "share domain 'b'"),
        ([Group("g", ("a",)), Group("g", ("b",))], "two groups are called 'g'"),
        ([Group("g", ("a", "x"))], "unknown domain 'x'"),
        ([Group("g", ("a", "a"))], "names a domain twice"),
    ],
)
def test_groups_that_cannot_be_meant_are_refused(groups: list[Group], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        MixtureProblem.create(DOMAINS, groups=groups)


def test_bounds_that_are_no_shares_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="0 <= lower <= upper <= 1"):
        Group("g", ("a",), 0.5, 0.4)
    with pytest.raises(InvalidInputError, match="use a value > 0"):
        PriorDistance(Measure.KL, 0.0)
    with pytest.raises(InvalidInputError, match="gives nothing to any of its domains"):
        MixtureProblem.create(
            DOMAINS, prior={"a": 1.0} | dict.fromkeys("bcdef", 0.0),
            groups=[Group("g", ("b", "c"), keep_proportions=True)],
        )  # fmt: skip
