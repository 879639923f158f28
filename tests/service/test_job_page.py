"""The page of a job: small however long it trains, and of what still counts alone."""

import json
import re
from typing import Any

import pytest

from tests.service.reports import JOB, report
from tests.support.long_jobs import long_job
from tests.support.servers import Service

NAME = str(JOB["name"])
MOST_BYTES = 1_500_000


def live(service: Service, name: str = NAME) -> dict[str, Any]:
    """What the script of the page is told, words and figures."""
    told, drawn = (service.call("GET", f"/jobs/{name}/{part}") for part in ("live", "figures"))
    assert told.status_code == drawn.status_code == 200
    assert told.json()["pulse"] == drawn.json()["pulse"]
    return {**told.json(), **drawn.json()}


def lines(figure: dict[str, Any]) -> dict[str, list[tuple[Any, Any]]]:
    return {trace["name"]: list(zip(trace["x"], trace["y"], strict=True)) for trace in figure["data"]}


def told(service: Service, step: int, **more: Any) -> None:
    assert service.call("POST", f"/v1/jobs/{NAME}/reports", report(step, **more)).is_success


@pytest.mark.parametrize(("domains", "reports"), [(6, 100_000), (30, 30_000)])
def test_a_hundred_thousand_reports_make_a_small_page(service: Service, domains: int, reports: int) -> None:
    spike = reports // 3
    long_job(service, "long", reports=reports, versions=9_000, domains=domains, spike=spike)
    with service.http(service.key, Accept="text/html") as http:
        page = http.get("/jobs/long")
        state = http.get("/jobs/long/figures")
    assert page.status_code == state.status_code == 200
    assert len(page.content) < MOST_BYTES
    assert len(state.content) < MOST_BYTES
    embedded = re.findall(r'<script type="application/json">(.*?)</script>', page.text, re.DOTALL)
    assert [json.loads(figure) for figure in embedded] == [state.json()["figures"]["shares"]]
    for figure in state.json()["figures"].values():
        assert sum(len(trace["x"]) for trace in figure["data"]) < 16_000
    first = lines(state.json()["figures"]["losses"])["domain 0"]
    assert first[0][0] == 9
    assert first[-1][0] == 10 * reports - 1
    later = [point for point in first if point[0] > 1_000]
    assert max(later, key=lambda point: point[1])[0] == spike * 10 - 1, "the one report with a spike is drawn"


def test_what_was_reported_since_is_on_the_page_and_what_a_restart_took_back_is_not(service: Service) -> None:
    service.client.create_job(JOB)
    for step in (9, 19, 29):
        told(service, step)
    assert lines(live(service)["figures"]["losses"])["web"] == [(9, 3.0), (19, 3.0), (29, 3.0)]
    tokens = {"web": 512, "code": 512, "law": 0}
    sums = {"web": 512 * 3.5, "code": None, "law": 0.0}
    told(service, 39, loss_sums=sums, token_counts=tokens, non_finite=["code"])
    seen = lines(live(service)["figures"]["losses"])
    assert seen["web"][-1] == (39, 3.5)
    assert seen["code"][-1] == (29, 2.5)
    assert seen["law"][-1] == (29, 4.0)
    assert service.call("POST", f"/v1/jobs/{NAME}/attempts", {"from_step": 20}).is_success
    assert lines(live(service)["figures"]["losses"])["web"] == [(9, 3.0), (19, 3.0)]
    told(service, 29, attempt=2, loss_sums={"web": 512 * 2.0, "code": 512.0, "law": 512.0})
    assert lines(live(service)["figures"]["losses"])["web"] == [(9, 3.0), (19, 3.0), (29, 2.0)]


def test_reports_of_several_sources_are_one_point(service: Service) -> None:
    service.client.create_job({**JOB, "sources": ["a", "b"]})
    told(service, 9, source="a", loss_sums={"web": 300.0}, token_counts={"web": 100})
    assert lines(live(service)["figures"]["losses"])["web"] == [], "the policy has not seen it"
    assert "10 steps wait for other sources" in live(service)["parts"]["trainer"]
    told(service, 9, source="b", loss_sums={"web": 1200.0}, token_counts={"web": 300})
    assert lines(live(service)["figures"]["losses"])["web"] == [(9, 3.75)]


def test_a_job_with_a_domain_that_came_later_has_a_page(service: Service) -> None:
    service.client.create_job(JOB)
    told(service, 9)
    new = {"name": "news", "tokens": 5_000, "reason": "it was missing"}
    assert service.call("POST", f"/v1/jobs/{NAME}/domains", new).is_success
    assert service.call("POST", f"/v1/jobs/{NAME}/attempts", {"from_step": 10}).is_success
    losses = dict.fromkeys(("web", "code", "law", "news"), 512 * 2.0)
    told(service, 19, attempt=2, loss_sums=losses, token_counts=dict.fromkeys(losses, 512))
    figures = live(service)["figures"]
    assert lines(figures["losses"])["web"] == [(9, 3.0), (19, 2.0)]
    assert lines(figures["losses"])["news"] == [(19, 2.0)]
    assert lines(figures["weights"])["news"][0] == (0, 0.0)
    with service.http(service.key, Accept="text/html") as http:
        assert http.get(f"/jobs/{NAME}").status_code == 200


def test_a_job_that_nobody_trains_yet_says_what_to_do(service: Service) -> None:
    service.client.create_job(JOB)
    parts = live(service)["parts"]
    assert "start the trainer" in parts["trainer"]
    assert "has seen no report yet" in parts["policy"]


def test_an_ended_job_takes_no_orders(service: Service) -> None:
    service.client.create_job(JOB)
    assert 'data-order="freeze"' in live(service)["parts"]["orders"]
    assert service.call("POST", f"/v1/jobs/{NAME}/end", {"reason": "trained"}).is_success
    assert "data-order" not in live(service)["parts"]["orders"]
    assert "the job is over" in live(service)["parts"]["policy"]
