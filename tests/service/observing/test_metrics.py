"""What Prometheus reads: true counts, and no label whose values callers choose."""

from service.deferring import defer
from service.ids import new_id
from service.scopes import Scope
from tests.service.observing.spoken import spoken
from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.samples import samples
from tests.support.servers import Service

REPORTS = "/v1/jobs/{job}/reports"


def test_a_service_counts_what_it_answers_by_route_and_not_by_name(service: Service) -> None:
    service.client.create_job(JOB)
    path = f"/v1/jobs/{JOB['name']}"
    for body in (report(9), report(9), report(19), report(14, source="rank0")):
        assert service.call("POST", f"{path}/reports", body).status_code == 200
    contradiction = report(19, token_counts={"web": 1, "code": 1, "law": 1})
    assert service.call("POST", f"{path}/reports", contradiction).status_code == 409
    assert service.call("POST", f"{path}/reports", {}).status_code == 422
    for _ in range(3):
        service.call("GET", f"{path}/schedule")
    service.call("GET", "/v1/nothing/at-all")
    found = samples(service)
    assert found["request_seconds_count", "GET", "/v1/jobs/{job}/schedule", "2xx"] == 3
    assert found["request_seconds_count", "POST", REPORTS, "2xx"] == 4
    assert found["request_seconds_count", "POST", REPORTS, "4xx"] == 2
    assert found["request_seconds_count", "GET", "none", "4xx"] == 1
    assert found["problems_total", "invalid_request", REPORTS] == 1
    assert sum(value for name, value in found.items() if name[0] == "problems_total" and REPORTS in name) == 2
    assert found["reports_total", "accepted"] == 3
    assert found["reports_total", "duplicate"] == 1
    assert found["reports_total", "late"] == 1
    assert found["commit_requests_count",] == found["commit_seconds_count",] >= 4
    assert found["live_jobs",] == 1
    assert 0 <= found["report_lag_seconds", "1.0"] <= found["schedule_age_seconds", "1.0"] + 60
    assert (found["database_up",], found["database_embedded",]) == (1, 1)
    assert found["part_failed", "the committer"] == 0
    names = " ".join(part for name in found for part in name)
    assert JOB["name"] not in names
    assert "nothing" not in names
    assert "at-all" not in names


def test_metrics_are_for_keys_that_may_read_them(shared_service: Service) -> None:
    with shared_service.http() as http:
        problem_of(http.get("/metrics"), 401)
    for scopes, status in (((Scope.JOBS_READ,), 403), ((Scope.METRICS_READ,), 200)):
        with shared_service.http(shared_service.new_key(*scopes)) as http:
            assert http.get("/metrics").status_code == status


def test_a_method_or_a_host_of_the_callers_making_is_no_new_series(shared_service: Service) -> None:
    before = set(samples(shared_service))
    for number in range(20):
        answer = spoken(shared_service, f"MADE{number} /made/{number} HTTP/1.1", Host=f"made{number}.example")
        assert answer.startswith(b"HTTP/1.1 4"), answer
    added = {name for name in set(samples(shared_service)) - before if name[0] == "request_seconds_count"}
    assert added <= {
        ("request_seconds_count", "other", "none", "4xx"),
        ("request_seconds_count", "GET", "/metrics", "2xx"),
    }


def test_tasks_that_wait_are_counted_with_their_age(shared_service: Service) -> None:
    name = "tasks", "todo", "mixwright:fit"
    before = samples(shared_service).get(name, 0)
    with shared_service.database.session() as session:
        defer(session, "fit", new_id())
    found = samples(shared_service)
    assert found[name] == before + 1
    assert found["task_age_seconds", "todo", "mixwright:fit"] > 0
