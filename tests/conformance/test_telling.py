"""The state of every policy can be told to people, whatever is in it."""

import numpy as np
import pytest

from mixlaws.registry import POLICIES
from mixlaws.steering.telling import told
from tests.conformance.test_policies import domains, driven
from tests.support.steering import Trainer, followed


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_state_is_told_in_a_few_words_with_the_numbers_of_its_domains(name: str) -> None:
    known = domains(5)
    drive = driven(name, known)
    for told_after in (0, 40):
        for _ in followed(drive, Trainer(5, seed=1, pace=16), told_after):
            pass
        dump = drive.policy.dump(drive.state)
        found = told(dump, known.names)
        assert all(len(words) < 60 and len(value) < 60 for words, value in found.facts)
        assert all(len(cells) == len(found.columns) for _, cells in found.rows)
        assert not any("schema" in words or "{" in value or "[" in value for words, value in found.facts)
        if isinstance(weights := dump.get("weights"), list):
            at = found.columns.index("weight it asks for")
            assert [row for row, _ in found.rows] == list(known.names)
            assert [float(cells[at]) for _, cells in found.rows] == pytest.approx(weights, rel=1e-3)


def test_a_state_from_before_a_domain_came_is_told_of_those_it_knows() -> None:
    found = told({"weights": [0.4, 0.6], "rewards": [1.0, 2.0]}, ["a", "b", "new"])
    assert list(found.rows) == [("a", ["0.4", "1"]), ("b", ["0.6", "2"])]


def test_what_a_policy_keeps_of_its_own_is_named_by_its_own_name() -> None:
    found = told(
        {
            "schema": 3,
            "policy": "own",
            "warm_runs": 7,
            "fitted": None,
            "curves": [[1.0, 0.5], [2.0, 0.25]],
            "packed": "A" * 400,
            "inner": {"is_open": True},
            "history": list(np.arange(9.0)),
        },
        ["a", "b"],
    )
    assert dict(found.facts) == {
        "warm runs": "7",
        "fitted": "not yet",
        "packed": "kept",
        "inner is open": "yes",
        "history": "9 values",
    }
    assert list(found.columns) == ["curves 1", "curves 2"]
    assert [cells for _, cells in found.rows] == [["1", "0.5"], ["2", "0.25"]]
