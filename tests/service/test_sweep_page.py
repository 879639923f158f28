"""The page of a sweep: how far it is, what befell its runs, and chosen ones side by side."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, update

from service.dashboard import mixture_views
from service.models import ProxyRun
from tests.support.servers import Service

NAMES = ["web", "code", "law", "news"]
MIXTURES = [(0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4), (0.0, 0.0, 0.0, 1.0)]


@pytest.fixture
def sweep(tenant: Service) -> tuple[Service, str]:
    """A sweep of three runs that wait, and the address of its page."""
    domains = [{"name": name, "tokens": 1} for name in NAMES]
    tenant.client.create_study({"name": "trial", "domains": domains, "objective": {"web": 3, "code": 1}})
    mixtures = [
        {"weights": dict(zip(NAMES, row, strict=True)), "label": f"given {place}", "seed": place}
        for place, row in enumerate(MIXTURES)
    ]
    made = tenant.client.create_sweep("trial", {"mixtures": mixtures})
    return tenant, f"/studies/trial/sweeps/{made['id']}"


def claimed(service: Service) -> tuple[str, str]:
    """Another run: a worker that asks again would get the one that it holds."""
    lease = service.client.claim_run(f"worker {uuid4()}")
    assert lease is not None
    return lease["run"]["id"], lease["lease"]


def finish(service: Service, run: tuple[str, str], losses: dict[str, float]) -> None:
    service.client.put_result(
        run[0],
        {"lease": run[1], "losses": losses, "step": 100, "tokens": 9, "model_parameters": 9, "seconds": 1.0},
    )


def observe(service: Service, run: tuple[str, str], step: int, losses: dict[str, float]) -> None:
    seen = [{"step": step, "target": target, "value": value} for target, value in losses.items()]
    body = {"lease": run[1], "observations": seen}
    service.client.call("POST", f"/v1/runs/{run[0]}/observations", body=body)


def shift(service: Service, run: tuple[str, str], **changes: Any) -> None:
    with service.database.session() as session:
        session.execute(update(ProxyRun).where(ProxyRun.id == run[0]).values(**changes))


def shown(service: Service, path: str) -> str:
    answer = service.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.text


def figures(page: str) -> list[Any]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(figure) for figure in found]


def losses(*values: float) -> dict[str, float]:
    return dict(zip(NAMES, values, strict=True))


def test_nobody_knows_the_time_left_of_a_sweep_that_nobody_trains(sweep: tuple[Service, str]) -> None:
    assert "Nobody trains these runs now" in shown(*sweep)


def test_the_time_left_is_that_of_a_run_for_all_that_are_left(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    first = claimed(service)
    assert "once its first run is completed" in shown(service, path)
    finish(service, first, losses(3, 3, 3, 3))
    shift(service, first, started_at=ProxyRun.finished_at - timedelta(minutes=40))
    second = claimed(service)
    body = {"lease": second[1], "progress": 0.5}
    service.client.call("PUT", f"/v1/runs/{second[0]}/heartbeat", body=body)
    page = shown(service, path)
    assert "<dt>time left</dt><dd>about 60 min</dd>" in page, (
        "half a run and a whole one, one after the other"
    )
    claimed(service)
    assert "<dt>time left</dt><dd>about 30 min</dd>" in shown(service, path), "both at once"


def test_what_befell_runs_is_told_with_the_reason(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    assert "Failed and stale runs" not in shown(service, path)
    failed, stale, wrong = claimed(service), claimed(service), claimed(service)
    service.client.put_failure(failed[0], failed[1], "out of memory at step 12")
    finish(service, wrong, losses(3, 3, 3, 3))
    service.client.call("POST", f"/v1/runs/{wrong[0]}/invalidate", body={"reason": "wrong data"})
    shift(service, stale, lease_expires_at=func.now() - timedelta(hours=1))
    page = shown(service, path)
    told = page[page.index("Failed and stale runs") : page.index("<h2>Mixtures</h2>")]
    assert "out of memory at step 12" in told
    assert "wrong data" in told
    assert re.search(r"no sign of life.*1 h ago", told, re.DOTALL)
    assert shown(service, f"{path}?state=stale").count('type="checkbox"') == 1
    assert shown(service, f"{path}?state=running").count('type="checkbox"') == 0
    assert "Nobody trains these runs now" in page


def test_chosen_runs_stand_side_by_side_with_their_curves(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    runs = [claimed(service), claimed(service)]
    for run, worse in zip(runs, (0.0, 0.4), strict=True):
        for step in (10, 20):
            observe(service, run, step, losses(6 + worse - step / 10, 5, 5, 5))
        observe(service, run, 30, {"web": 1.0})  # of code nothing: no objective there
    finish(service, runs[0], losses(3, 3, 3, 3))
    query = "?" + "&".join(f"run={run_id}" for run_id, _ in reversed(runs))
    page = shown(service, path + query)
    _, curves = figures(page)
    drawn = {line["name"]: list(zip(line["x"], line["y"], strict=True)) for line in curves["data"]}
    # The objective is three parts web and one part code.
    assert drawn["given 1, seed 1"] == [(10, pytest.approx(5.3)), (20, pytest.approx(4.55))]
    assert drawn["given 0, seed 0"][-1] == (100, 3)
    assert list(drawn) == ["given 1, seed 1", "given 0, seed 0"], "in the order of the choice"
    assert page.count(" checked>") == 2
    assert "share of news" in page
    _, curves = figures(shown(service, path + query + "&value=law"))
    assert [line["y"][:2] for line in curves["data"]] == [[5, 5], [5, 5]]
    assert "law, nats per token" in curves["layout"]["yaxis"]["title"]["text"]


def test_only_runs_of_the_sweep_are_compared_and_not_too_many(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    other = service.client.create_sweep("trial", {"design": "sobol", "count": 10})
    strangers = service.client.call("GET", "/v1/studies/trial/runs")["items"][3:]
    query = "?" + "&".join(f"run={run['id']}" for run in strangers)
    assert 'id="chosen"' not in shown(service, path + query)
    page = shown(service, f"/studies/trial/sweeps/{other['id']}{query}")
    assert "2 more are ticked: the first 8 are compared" in page
    assert "None of them has observed anything yet" in page


def test_a_scatter_matrix_shows_the_shares_and_losses_that_were_chosen(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    for worse in (0.0, 0.5):
        finish(service, claimed(service), losses(3 + worse, 2, 4, 5 - worse))
    page = shown(service, f"{path}?view=matrix&share=law&loss=news&value=code")
    (figure,) = figures(page)
    titles = {axis: told["title"]["text"] for axis, told in figure["layout"].items() if "axis" in axis[1:5]}
    assert titles == {
        "xaxis": "law<br>share", "xaxis2": "news<br>nats per token",
        "yaxis": "news<br>nats per token", "yaxis2": "code<br>nats per token",
    }  # fmt: skip
    points = {(trace["xaxis"], trace["yaxis"]): trace for trace in figure["data"]}
    assert sorted(zip(points["x", "y"]["x"], points["x", "y"]["y"], strict=True)) == [(0.2, 5), (0.3, 4.5)]
    assert points["x", "y2"]["y"] == [2, 2]
    assert "2 of 3 runs" not in page
    (usual,) = figures(shown(service, f"{path}?view=matrix"))
    assert usual["layout"]["xaxis4"]["title"]["text"] == "news<br>share", (
        "four domains unless others are chosen"
    )
    assert usual["layout"]["yaxis4"]["title"]["text"] == "objective<br>nats per token"
    every = "&".join(f"{kind}={name}" for kind in ("share", "loss") for name in NAMES)
    assert "the first 5 are drawn" in shown(service, f"{path}?view=matrix&{every}")


def test_a_triangle_takes_three_domains_as_parts_of_what_they_hold(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    finish(service, claimed(service), losses(3, 2, 3, 3))
    page = shown(service, f"{path}?view=triangle&a=law&b=web&c=code&value=code")
    (figure,) = figures(page)
    waiting, finished = figure["data"]
    assert (finished["a"], finished["b"], finished["c"]) == (
        [pytest.approx(2 / 9, abs=1e-4)], [pytest.approx(4 / 9, abs=1e-4)], [pytest.approx(3 / 9, abs=1e-4)],
    )  # fmt: skip
    assert finished["marker"]["color"] == [2.0]
    assert finished["marker"]["size"] > waiting["marker"]["size"], "what lies elsewhere makes a point small"
    assert len(waiting["a"]) == 1
    assert "1 run holds none of the three" in page
    twice = shown(service, f"{path}?view=triangle&a=law&b=web&c=law")
    assert "three different domains" in twice


def test_many_runs_are_thinned_and_the_page_says_so(
    sweep: tuple[Service, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, path = sweep
    assert "runs are drawn" not in shown(service, path)
    monkeypatch.setattr(mixture_views, "_MOST_RUNS", 2)
    monkeypatch.setattr(mixture_views, "_FEWEST_RUNS", 1)
    assert "2 of 3 runs are drawn" in shown(service, path)


def test_a_sweep_is_found_at_its_own_study_and_project_alone(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    service.client.create_study({"name": "other", "domains": [{"name": "web", "tokens": 1}]})
    assert service.call("GET", path.replace("/trial/", "/other/")).status_code == 404
    assert service.call("GET", path[:-4] + "0000").status_code == 404


def test_a_study_leads_to_its_sweeps(sweep: tuple[Service, str]) -> None:
    service, path = sweep
    page = shown(service, "/studies/trial")
    assert page.count(f'href="{path}"') == 1 + len(MIXTURES), "from its row and from each of its runs"
