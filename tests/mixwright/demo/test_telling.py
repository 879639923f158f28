"""What the demo writes for scripts: the same that it prints."""

import json

from mixwright.demo.telling import _brief, _proposed, _scores
from tests.mixwright.demo.made_up import proposal, run


def test_a_proxy_run_keeps_what_a_fit_needs() -> None:
    assert _brief(run("uniform, seed 3", 4.0, 3.0)) == {
        "label": "uniform, seed 3",
        "weights": {"web": 0.5, "code": 0.5},
        "seed": 3,
        "losses": {"web": 4.0, "code": 3.0},
    }


def test_scores_are_one_row_for_each_target_and_one_for_the_objective() -> None:
    fit = {
        "method": "linear",
        "state": "done",
        "error": None,
        "scores": {"web": {"spearman": 0.7}, "code": {"spearman": 0.8}},
        "objective_scores": {"spearman": 0.9},
    }
    assert _scores(fit) == [
        {"method": "linear", "target": "web", "spearman": 0.7},
        {"method": "linear", "target": "code", "spearman": 0.8},
        {"method": "linear", "target": "objective", "spearman": 0.9},
    ]


def test_a_fit_that_failed_keeps_its_reason() -> None:
    failed = {"method": "power", "state": "failed", "error": "too few runs", "scores": None}
    assert _scores(failed) == [{"method": "power", "error": "too few runs"}]


def test_proposals_name_their_method_and_who_disagrees() -> None:
    fits = [{"id": "a", "method": "exponential"}, {"id": "b", "method": "lightgbm"}]
    rows = _proposed(fits, [proposal("b", 0.1, ["exponential"]), proposal("a", 0.2, [])])
    assert [(row["method"], row["proposer"], row["disagreeing"]) for row in rows] == [
        ("lightgbm", "convex", ["exponential"]),
        ("exponential", "convex", []),
    ]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
