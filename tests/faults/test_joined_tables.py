"""Tables of mixtures and of values: joined by the name of a run, never by its place in a file."""

from pathlib import Path
from typing import Any

import pytest

from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from tests.service.importers.tables import WIDE, olmix, wide_rows, written
from tests.service.problems import problem_of
from tests.support.servers import Service


@pytest.mark.parametrize("key", ["run", "run_id"])
def test_case_44_tables_are_joined_by_run_in_whatever_order_they_stand(tmp_path: Path, key: str) -> None:
    imported = read_runs(olmix(tmp_path, ("c,z,3.0", "a,x,1.0", "b,y,2.0"), key=key))
    values = {run.name: run.values["arc_bpb"] for run in imported.runs}
    assert values == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert imported.swarm.weights[imported.swarm.values[:, 0].argmax()].tolist() == [1.0, 0.0]


def test_case_44_what_does_not_join_and_what_is_nan_is_left_out_by_name(tmp_path: Path) -> None:
    report = read_runs(olmix(tmp_path, ("a,x,1.0", "b,y,nan", "d,q,2.0"))).report
    found = report.to_json()["findings"]
    assert found["without_values"]["names"] == ["c"]
    assert found["without_mixture"]["names"] == ["d"]
    assert found["not_finite"]["names"] == ["b"]
    assert report.runs == 1


def test_case_44_a_run_that_stands_twice_is_merged_only_if_all_fields_are_equal(tmp_path: Path) -> None:
    rows = wide_rows(3)
    report = read_runs(written(tmp_path / "runs.csv", WIDE, *rows, rows[1])).report
    assert (report.runs, report.count("merged_duplicates")) == (3, 1)
    other = rows[1].rsplit(",", 1)[0] + ",2.75"
    with pytest.raises(
        ImportRefusedError, match=r"run 'r1' stands twice, and code is 2\.5 in .*line 3 and 2\.75 in .*line 5"
    ):
        read_runs(written(tmp_path / "runs.csv", WIDE, *rows, other))


def test_case_44_runs_of_a_shuffled_table_are_stored_with_their_own_mixture(
    tenant: Service, tmp_path: Path
) -> None:
    imported = read_runs(olmix(tmp_path, ("d,q,4.0", "c,z,3.0", "b,y,2.0", "a,x,1.0")))
    domains = [{"name": name, "tokens": 10**9} for name in ("web", "code")]
    tenant.client.create_study({"name": "trial", "domains": domains, "targets": ["arc_bpb"]})
    rows: list[dict[str, Any]] = [
        {"name": run.name, "weights": dict(run.weights), "losses": dict(run.values)} for run in imported.runs
    ]
    answer = tenant.client.import_runs("trial", rows)
    assert (answer["created"], answer["duplicates"]) == (3, 0)
    stored = {run["label"]: (run["weights"], run["result"]["losses"]) for run in tenant.client.runs("trial")}
    assert stored == {
        "a": ({"web": 0.5, "code": 0.5}, {"arc_bpb": 1.0}),
        "b": ({"web": 0.25, "code": 0.75}, {"arc_bpb": 2.0}),
        "c": ({"web": 1.0, "code": 0.0}, {"arc_bpb": 3.0}),
    }
    again = tenant.client.import_runs("trial", rows[::-1])
    assert (again["created"], again["duplicates"], again["sweep_id"]) == (0, 3, None)


def test_case_44_a_name_that_stands_for_two_runs_of_one_request_is_refused_and_nothing_stored(
    tenant: Service,
) -> None:
    domains = [{"name": name, "tokens": 10**9} for name in ("web", "code")]
    tenant.client.create_study({"name": "trial", "domains": domains, "targets": ["loss"]})
    row = {"name": "a", "weights": {"web": 0.5, "code": 0.5}, "losses": {"loss": 1.0}}
    twice = [row, {**row, "name": "b"}, {**row, "losses": {"loss": 2.0}}]
    refused = tenant.call("POST", "/v1/studies/trial/runs", {"runs": twice})
    problem = problem_of(refused, 422, "runs.2: run 'a' stands twice", code="duplicate_run")
    assert (problem["first"]["losses"], problem["second"]["losses"]) == ({"loss": 1.0}, {"loss": 2.0})
    assert tenant.client.runs("trial") == []
    once = tenant.client.import_runs("trial", [row, row])
    assert (once["created"], once["duplicates"]) == (1, 1), "the same twice is one run, and counted"
