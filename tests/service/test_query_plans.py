"""What the database looks at for a request does not grow with what is stored beside it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.stored import Store
from tests.support.servers import Service

STUDIES, RUNS, JOBS = 20, 400, 5000
A_PAGE = 100
MOST_ROWS = 2 * A_PAGE  # of one table, in one statement: those of a page, and one that belongs to each


class Plans:
    """Rows that each statement looked at, by table, as PostgreSQL counts them while it runs."""

    def __init__(self) -> None:
        self.looked_at: list[tuple[str, dict[str, float]]] = []

    def before(self, connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        """Run a statement once more than wanted, count, and take it back."""
        with connection.connection.cursor() as cursor:
            cursor.execute("SAVEPOINT counted")
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            ((found,),) = cursor.fetchall()
            cursor.execute("ROLLBACK TO SAVEPOINT counted")
        rows: dict[str, float] = {}
        self._count((json.loads(found) if isinstance(found, str) else found)[0]["Plan"], rows)
        self.looked_at.append((statement, rows))

    def _count(self, node: dict[str, Any], rows: dict[str, float]) -> None:
        if "Relation Name" in node and "Actual Loops" in node:
            dropped = sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
            table = node["Relation Name"]
            seen = (node["Actual Rows"] + dropped) * node["Actual Loops"]
            rows[table] = rows.get(table, 0) + seen
        for child in node.get("Plans", []):
            self._count(child, rows)


@contextmanager
def counted() -> Iterator[Plans]:
    plans = Plans()
    event.listen(Engine, "before_cursor_execute", plans.before)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", plans.before)


def test_no_request_looks_at_more_than_it_answers(service: Service, rng: Any) -> None:
    random = Random(int(rng.integers(2**32)))  # noqa: S311 - which rows are asked for
    with (
        psycopg.connect(service.database.conninfo, autocommit=True) as connection,
        service.http(service.key) as http,
    ):
        store = Store(connection, http, RUNS)
        store.fill(STUDIES, JOBS)
        study, last = "study-19", f"copy-{JOBS - 1}"
        later = store.cursor(random)
        requests: list[tuple[str, str, Any]] = [
            ("GET", "/v1/studies", None),
            ("GET", "/v1/jobs", None),
            ("GET", f"/v1/studies/{study}/runs", None),
            ("GET", f"/v1/studies/{study}/runs?state=pending", None),
            ("GET", later, None),
            ("POST", "/v1/runs/claim", {"worker": "a"}),
            ("POST", "/v1/runs/claim", {"worker": "b", "study": study}),
            ("GET", f"/v1/jobs/{last}/schedule", None),
            ("POST", f"/v1/jobs/{last}/reports", store.report()),
            ("POST", f"/v1/jobs/{last}/reports", store.report()),
        ]
        for method, path, body in requests:
            with counted() as plans:
                answer = http.request(method, path, json=body)
            assert answer.status_code == 200, answer.text
            most = {
                table: (rows, statement)
                for statement, found in plans.looked_at
                for table, rows in found.items()
                if rows > MOST_ROWS
            }
            assert not most, f"{method} {path}"
            assert plans.looked_at, f"{method} {path} asked nothing of the database"


def test_pages_of_a_study_and_a_sweep_look_at_its_own_runs_alone(service: Service) -> None:
    own = 60  # runs, each of which a page may look at some times: it tells the best of all
    with (
        psycopg.connect(service.database.conninfo, autocommit=True) as connection,
        service.http(service.key) as http,
    ):
        store = Store(connection, http, own)
        store.fill(STUDIES, 1)
        sweep = http.get("/v1/studies/study-7/sweeps").json()["items"][0]["id"]
        for path in (
            "/studies/study-7?sort=finished",
            "/studies/study-7",
            f"/studies/study-7/sweeps/{sweep}",
        ):
            with counted() as plans:
                assert http.get(path).status_code == 200
            looked = [found.get("proxy_runs", 0) for _, found in plans.looked_at]
            assert max(looked) <= 2 * (own + 1), path
            assert max(looked) > own, "of its own it looks at all"
