"""The page of a study, however many runs it has: what it says is true of all of them."""

import csv
import io
import json
import re
from typing import Any

import httpx
import numpy as np
import pytest

from mixlaws.simulation import Simulation
from service.dashboard import confirmed, mixture_views
from service.dashboard.runs_table import A_PAGE
from tests.support.populated import finish_runs
from tests.support.servers import Service

NAMES = ["web", "code", "law", "news"]
MANY = 2 * A_PAGE + 21
NATURAL = dict(zip(NAMES, (0.4, 0.3, 0.2, 0.1), strict=True))


def number(label: str) -> int:
    return int(label.removeprefix("run "))


def objective_of(place: int) -> float:
    """Of the run of a number: a permutation, so that no order of storage is the order of objectives."""
    return 3 + ((place * 37) % MANY) / 1000


@pytest.fixture
def many(tenant: Service) -> Service:
    """A study with many completed runs, of which the last ones are as natural as can be."""
    weights = np.random.default_rng(5).dirichlet(np.ones(4), size=MANY)
    weights[-2:] = list(NATURAL.values())
    domains = [{"name": name, "tokens": int(10 * NATURAL[name])} for name in NAMES]
    tenant.client.create_study({"name": "many", "domains": domains})
    runs = [
        {
            "name": f"run {place}",
            "weights": dict(zip(NAMES, weights[place].tolist(), strict=True)),
            "losses": dict.fromkeys(NAMES, objective_of(place)),
        }
        for place in range(MANY)
    ]  # fmt: skip
    tenant.client.call("POST", "/v1/studies/many/runs", body={"runs": runs, "source": "test"})
    tenant.client.create_sweep("many", {"design": "sobol", "count": 3})
    lease = tenant.client.claim_run("tester")
    tenant.client.put_failure(lease["run"]["id"], lease["lease"], "out of memory")
    return tenant


def shown(service: Service, query: str = "", study: str = "many") -> str:
    with service.http(service.key, Accept="text/html") as http:
        answer: httpx.Response = http.get(f"/studies/{study}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def labels(page: str) -> list[str]:
    """Runs of the table, in its order."""
    table = page[page.index('id="runs"') :]
    return re.findall(r'<td class="wide">((?:run|sobol) \d+)</td>', table)


def links(page: str) -> dict[str, str]:
    """Addresses by their words."""
    found = re.findall(r'<a[^>]*href="(\?[^"]*)"[^>]*>([^<]*)</a>', page)
    return {words: address.replace("&amp;", "&").split("#")[0] for address, words in found}


def figures(page: str) -> list[Any]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(figure) for figure in found]


def fact(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>\s*([^<]*?)\s*<", page)
    assert found, name
    return found[1]


def test_the_pages_of_runs_hold_every_run_once_the_best_first(many: Service) -> None:
    seen: list[str] = []
    page = shown(many)
    while True:
        seen += labels(page)
        if "next" not in links(page):
            break
        page = shown(many, links(page)["next"])
    assert len(seen) == len(set(seen)) == MANY + 3
    done = [number(label) for label in seen[:MANY]]
    assert done == sorted(range(MANY), key=objective_of)
    assert {label.split()[0] for label in seen[MANY:]} == {"sobol"}, "what has no objective comes last"


def test_a_head_sorts_and_a_second_click_turns_it_round(many: Service) -> None:
    page = shown(many, "?sort=finished&state=completed")
    assert labels(page)[0].startswith("run ")
    page = shown(many, links(page)["objective"])
    assert objective_of(number(labels(page)[0])) == 3
    page = shown(many, links(page)["objective"])
    assert objective_of(number(labels(page)[0])) == 3 + (MANY - 1) / 1000
    assert 'aria-sort="descending"' in page
    following = shown(many, links(page)["next"])
    assert not set(labels(following)) & set(labels(page))
    assert objective_of(number(labels(following)[0])) < objective_of(number(labels(page)[-1])), "kept"


def test_runs_are_filtered_by_state_purpose_and_name(many: Service) -> None:
    assert len(labels(shown(many, "?state=failed"))) == 1
    assert "out of memory" in shown(many, "?state=failed")
    assert len(labels(shown(many, "?state=pending&purpose="))) == 2
    assert labels(shown(many, "?words=RUN+12&state=completed&sort=run"))[:2] == ["run 12", "run 120"]
    nothing = shown(many, "?purpose=confirmation")
    assert "No run is like that" in nothing
    assert len(labels(shown(many, links(nothing)["show all"]))) == A_PAGE


def test_a_page_that_is_not_there_is_the_last_one(many: Service) -> None:
    assert len(labels(shown(many, "?page=99"))) == MANY + 3 - 2 * A_PAGE


def test_best_and_prior_are_of_all_runs_and_not_of_those_that_are_shown(many: Service) -> None:
    page = shown(many, "?state=failed")
    assert fact(page, "best proxy run") == "3.000"
    natural = (objective_of(MANY - 2) + objective_of(MANY - 1)) / 2
    assert fact(page, "natural mixture") == f"{natural:.3f}"
    assert fact(page, "best against natural") == f"{3 - natural:+.3f}"


def test_a_study_without_a_run_of_the_prior_says_so(many: Service) -> None:
    many.client.create_study({"name": "other", "domains": [{"name": name, "tokens": 1} for name in NAMES]})
    assert "was not run" not in shown(many, study="other")
    run = {"name": "a", "weights": NATURAL, "losses": dict.fromkeys(NAMES, 3.0)}
    many.client.call("POST", "/v1/studies/other/runs", body={"runs": [run], "source": "test"})
    assert "was not run" in shown(many, study="other")


def test_an_invalid_run_is_neither_best_nor_has_an_objective(many: Service) -> None:
    runs = many.client.call("GET", "/v1/studies/many/runs?limit=1000")["items"]
    best = next(
        run for run in runs if run["label"].startswith("run") and objective_of(number(run["label"])) == 3
    )
    many.client.call("POST", f"/v1/runs/{best['id']}/invalidate", body={"reason": "wrong data"})
    page = shown(many)
    assert fact(page, "best proxy run") == "3.001"
    assert best["label"] not in labels(page)


def test_a_figure_of_many_runs_is_thinned_and_says_so(many: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture_views, "_MOST_RUNS", 30)
    page = shown(many)
    assert f"30 of {MANY + 3} proxy runs are drawn" in page
    (figure,) = figures(page)
    lines = sum(trace["x"].count(None) for trace in figure["data"] if len(trace["x"]) > 1)
    assert lines == 30
    runs = many.client.call("GET", "/v1/studies/many/runs?limit=1000")["items"]
    best = next(
        run for run in runs if run["label"].startswith("run") and objective_of(number(run["label"])) == 3
    )
    last = figure["data"][-2]["y"]  # under the scale: the lines of the best
    assert pytest.approx(list(best["weights"].values()), abs=1e-5) == last[-5:-1]


def test_the_page_does_not_grow_with_the_runs_that_it_does_not_show(
    many: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture_views, "_MOST_RUNS", 30)
    before = len(shown(many))
    run = {"weights": NATURAL, "losses": dict.fromkeys(NAMES, 9.0)}
    more = [{**run, "name": f"more {place}"} for place in range(300)]
    many.client.call("POST", "/v1/studies/many/runs", body={"runs": more, "source": "test"})
    assert len(shown(many)) < 1.05 * before


def test_the_table_of_all_runs_is_a_file(many: Service) -> None:
    address = re.search(r'href="([^"]*format=csv)"', shown(many))
    assert address
    content = many.call("GET", address[1]).text
    assert len(list(csv.reader(io.StringIO(content)))) == MANY + 3 + 1


def test_what_runs_tried_of_a_domain_is_told(tenant: Service) -> None:
    tenant.client.create_study({"name": "two", "domains": [{"name": n, "tokens": 1} for n in ("a", "b")]})
    runs = [
        {"name": str(share), "weights": {"a": share, "b": 1 - share}, "losses": {"a": 3.0, "b": 3.0}}
        for share in (0.25, 0.5, 0.625)
    ]
    tenant.client.call("POST", "/v1/studies/two/runs", body={"runs": runs, "source": "test"})
    page = shown(tenant, study="two")
    row = page[page.index("<td>a</td>") :]
    assert re.findall(r'<td class="n">([\d.]+) %</td>', row)[:3] == ["50.0", "25.0", "62.5"]


@pytest.mark.parametrize("query", ["?sort=weights", "?page=0", "?state=gone", "?words=%00", "?page=1e9"])
def test_what_no_page_of_ours_asks_is_refused(many: Service, query: str) -> None:
    assert many.call("GET", f"/studies/many{query}").status_code == 422


def test_many_proxy_runs_do_not_hide_what_was_confirmed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(3))
    domains = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
    service.client.create_study({"name": "trial", "domains": rows})
    service.client.create_sweep("trial", {"design": "sobol", "count": 10})
    mixtures = [
        {"weights": domains.to_mapping(domains.natural), "label": f"{name}, seed {seed}", "seed": seed}
        for name in ("natural", "b", "c")
        for seed in range(2)
    ]
    service.client.create_sweep("trial", {"purpose": "confirmation", "mixtures": mixtures})
    finish_runs(service, simulation, noise=0.02, seed=0)
    page = service.call("GET", "/studies/trial").text
    assert "Confirmed at a larger scale" in page
    assert "more mixtures are not among the best" not in page
    monkeypatch.setattr(confirmed, "_MOST_MIXTURES", 1)
    assert "2 more mixtures are not among the best" in service.call("GET", "/studies/trial").text
