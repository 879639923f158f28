"""The sizes of the demo: what the story needs of any plan."""

from dataclasses import fields

import pytest

from mixlaws.registry import ESTIMATORS
from mixwright.demo.plan import FULL, QUICK, Plan

PLANS = pytest.mark.parametrize("plan", [FULL, QUICK], ids=["full", "quick"])


@PLANS
def test_targets_are_larger_and_scored_on_text_that_no_proxy_was_scored_on(plan: Plan) -> None:
    assert plan.target.split != plan.proxy.split
    assert plan.target.tokens > plan.proxy.tokens
    assert plan.target.width > plan.proxy.width


@PLANS
def test_every_method_exists_and_there_is_one_to_disagree(plan: Plan) -> None:
    assert set(plan.methods) <= set(ESTIMATORS)
    assert len(set(plan.methods)) == len(plan.methods) >= 2


@PLANS
def test_noise_can_be_told(plan: Plan) -> None:
    # At least one mixture of the targets and one of the proxies has two seeds.
    assert max(plan.seeds, plan.noise_seeds) >= 2
    assert plan.repeats >= 1


@PLANS
def test_there_are_runs_enough_for_the_parts_of_a_cross_validation(plan: Plan) -> None:
    assert plan.designed >= 2 * plan.folds


@PLANS
def test_live_weights_take_hold_well_before_the_end(plan: Plan) -> None:
    assert plan.lead_steps * 4 < plan.target.steps
    assert plan.target.report_every < plan.lead_steps


def test_the_quick_demo_is_in_nothing_larger_than_the_full_one() -> None:
    for field in fields(Plan):
        quick, full = getattr(QUICK, field.name), getattr(FULL, field.name)
        if isinstance(full, int | float) and field.name != "kl":
            assert quick <= full, field.name
    for size in ("tokens", "width", "layers", "evaluation_tokens"):
        assert getattr(QUICK.proxy, size) <= getattr(FULL.proxy, size)
        assert getattr(QUICK.target, size) <= getattr(FULL.target, size)
