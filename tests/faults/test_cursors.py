"""Cursors of lists: good for the list and the project that gave them out, and for nothing else."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import func, select

from service.models import Study
from tests.service.problems import problem_of
from tests.support.servers import Service, running

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]


@dataclass(frozen=True)
class Lists:
    """A project whose lists have more than one page, and another project with the same names."""

    here: Service
    elsewhere_key: str

    def get(self, path: str, *, elsewhere: bool = False) -> httpx.Response:
        with self.here.http(self.elsewhere_key if elsewhere else self.here.key) as http:
            return http.get(path)


@pytest.fixture
def lists(tenant: Service) -> Lists:
    elsewhere = tenant.new_key(project=f"{tenant.project}-neighbour")
    for key in (tenant.key, elsewhere):
        with tenant.http(key) as http:
            for name in ("one", "two"):
                http.post("/v1/studies", json={"name": name, "domains": DOMAINS})
                http.post(f"/v1/studies/{name}/sweeps", json={"design": "sobol", "count": 2})
    return Lists(tenant, elsewhere)


def cursor_of(lists: Lists, path: str) -> str:
    return quote(lists.get(path).json()["next"])


def test_case_50_a_cursor_of_another_project_is_refused(lists: Lists) -> None:
    for path in ("/v1/studies", "/v1/studies/one/runs"):
        cursor = cursor_of(lists, f"{path}?limit=1")
        refused = lists.get(f"{path}?cursor={cursor}", elsewhere=True)
        problem_of(refused, 400, "begin again without a cursor", code="invalid_cursor")
        assert len(lists.get(f"{path}?cursor={cursor}").json()["items"]) == 1
    with lists.here.database.session() as session:
        mine = session.scalar(select(func.count()).select_from(Study).where(Study.name == "one"))
    assert (mine or 0) >= 2, "both projects have what they had"


def test_case_50_a_cursor_of_another_list_or_of_other_filters_is_refused(lists: Lists) -> None:
    cursor = cursor_of(lists, "/v1/studies/one/runs?limit=1&state=pending")
    for path in (
        "/v1/studies/two/runs?state=pending&",
        "/v1/studies/one/sweeps?",
        "/v1/studies?",
        "/v1/jobs?",
        "/v1/studies/one/runs?",
        "/v1/studies/one/runs?state=failed&",
    ):
        problem_of(lists.get(f"{path}cursor={cursor}"), 400, "with the same filters", code="invalid_cursor")
    # The number of items, and whether they are counted, are no filters.
    assert (
        lists.get(f"/v1/studies/one/runs?state=pending&limit=7&total=true&cursor={cursor}").json()["total"]
        == 2
    )


def test_case_50_a_cursor_that_nobody_gave_out_is_refused(lists: Lists) -> None:
    cursor = cursor_of(lists, "/v1/studies?limit=1")
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    made_up = [
        "",
        "x",
        "%00",
        "%27%3B%20drop%20table%20studies",
        "A" * 60,
        changed,
        cursor[1:],
        f"{cursor}AAAA",
    ]
    for garbage in made_up:
        problem_of(lists.get(f"/v1/studies?cursor={garbage}"), 400, code="invalid_cursor")
    rest = lists.get(f"/v1/studies?cursor={cursor}").json()["items"]
    assert [study["name"] for study in rest] == ["one"], "the one that was given out still holds"


def test_case_50_a_cursor_of_one_replica_holds_in_another(lists: Lists, tmp_path: Path) -> None:
    cursor = cursor_of(lists, "/v1/studies?limit=1")
    with (
        running(lists.here.database, tmp_path, tasks_inside=False) as replica,
        replica.http(lists.here.key) as http,
    ):
        answer = http.get(f"/v1/studies?cursor={cursor}").json()
    assert [study["name"] for study in answer["items"]] == ["one"]
