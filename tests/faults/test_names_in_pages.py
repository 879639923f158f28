"""Case 52, the server's half: whatever people call things, pages and figures hold it as text.

What a browser makes of the same pages is tested in `tests/browser/test_pages.py`.
"""

import html
import json
import re
from typing import Any

import httpx
import pytest

from tests.service.problems import problem_of
from tests.support.servers import Service

NASTY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "<a href='javascript:alert(4)'>x</a>",
    "{{ 7 * 7 }} %{x} ${x}",
]
SLUGS = ["<b>", "a b", "javascript:alert(1)", "../x", "a/b", "%3Cb%3E", ""]


@pytest.fixture
def nasty(tenant: Service) -> Service:
    """A project in which everything that may be called anything is called badly."""
    client, image = tenant.client, NASTY[0]
    domains = [{"name": name, "tokens": 9} for name in NASTY]
    client.create_study({"name": "s", "domains": domains, "notes": NASTY[1]})
    run: dict[str, Any] = {
        "weights": {name: 1 / len(NASTY) for name in NASTY},
        "losses": dict.fromkeys(NASTY, 2.5),
    }
    runs = [{**run, "name": name} for name in NASTY]
    client.call("POST", "/v1/studies/s/runs", body={"runs": runs, "source": image})
    client.create_sweep("s", {"design": "sobol", "count": 1})
    lease = client.claim_run(NASTY[2])
    assert lease is not None
    client.put_failure(lease["run"]["id"], lease["lease"], NASTY[1])
    client.create_job({"name": "j", "policy": "static", "domains": domains, "samples_per_step": 8})
    named_key = client.call("POST", "/v1/keys", body={"name": image, "scopes": ["jobs:write", "jobs:read"]})
    with tenant.http(named_key["key"]) as http:
        assert http.post("/v1/jobs/j/freeze", json={"reason": NASTY[1]}).status_code == 200
    return tenant


def texts_of(value: object) -> list[str]:
    """All texts in a JSON document, names of members included."""
    if isinstance(value, dict):
        return [found for pair in value.items() for part in pair for found in texts_of(part)]
    if isinstance(value, list):
        return [found for item in value for found in texts_of(item)]
    return [value] if isinstance(value, str) else []


def figures(page: str) -> list[Any]:
    """The figures of a page, as its script reads them."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(figure) for figure in found]


def test_case_52_pages_hold_names_as_text_and_figures_as_what_plotly_shows_as_text(nasty: Service) -> None:
    with nasty.http(nasty.key, Accept="text/html") as http:
        runs = nasty.client.call("GET", "/v1/studies/s/runs")["items"]
        sweep = f"/studies/s/sweeps/{runs[0]['sweep_id']}?" + "&".join(f"run={run['id']}" for run in runs)
        asked = {"a": NASTY[0], "b": NASTY[1], "c": NASTY[2], "view": "triangle", "value": NASTY[1]}
        triangle = str(httpx.QueryParams(asked))
        paths = ("/", "/studies/s", "/jobs/j", sweep, f"{sweep}&{triangle}")
        pages = {path: http.get(path) for path in paths}
    for path, answer in pages.items():
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        for name in NASTY[:4]:
            assert name not in answer.text, f"{path} holds {name} as markup"
        assert "49" not in re.findall(r"<td>\s*(\d+) %", answer.text)
    for name in NASTY:
        assert html.escape(name) in html.unescape(pages["/studies/s"].text).replace("&", "&amp;") or (
            name in html.unescape(pages["/studies/s"].text)
        )
    drawn = [figure for page in pages.values() for figure in figures(page.text)]
    assert drawn
    told = [found for figure in drawn for found in texts_of(figure)]
    assert any("&lt;img" in found for found in told), "the names are in the figures"
    # These tags plotly knows; they are ours, in titles and between lines of a hover text.
    markup = {tag for found in told for tag in re.findall(r"<[^>]*>", found)}
    assert markup <= {"<br>", "<b>", "</b>", "<i>", "</i>", "<extra>", "</extra>", "<sub>", "</sub>"}


def test_case_52_parts_that_a_script_puts_into_a_page_are_escaped(nasty: Service) -> None:
    parts = nasty.client.call("GET", "/jobs/j/live")["parts"]
    assert html.escape(NASTY[1]) in parts["audit"], "the reason is shown"
    for part in parts.values():
        assert not [name for name in NASTY[:4] if name in part]


def test_case_52_json_is_never_served_as_a_page(nasty: Service) -> None:
    with nasty.http(nasty.key, Accept="text/html") as http:
        for path in ("/v1/studies/s", "/v1/jobs/j", "/v1/jobs/j/audit", "/v1/studies/s/runs", "/v1/audit"):
            answer = http.get(path)
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert NASTY[0] in answer.text or path == "/v1/audit"


@pytest.mark.parametrize("name", SLUGS)
def test_case_52_names_in_addresses_are_plain_or_refused(tenant: Service, name: str) -> None:
    domains = [{"name": "web", "tokens": 9}]
    for path, body in (
        ("/v1/studies", {"name": name, "domains": domains}),
        ("/v1/jobs", {"name": name, "policy": "static", "domains": domains, "samples_per_step": 8}),
        ("/v1/projects", {"name": name}),
    ):
        problem_of(tenant.call("POST", path, body), 422, "body.name")
    assert tenant.client.studies() == tenant.client.jobs() == []


@pytest.mark.parametrize("name", NASTY)
def test_case_52_a_page_that_says_what_is_wrong_quotes_it_as_text(tenant: Service, name: str) -> None:
    quoted = str(httpx.URL("http://x").copy_with(path=f"/studies/{name.replace('/', '')}").raw_path, "ascii")
    with tenant.http(tenant.key, Accept="text/html") as http:
        for path in (quoted, quoted.replace("/studies/", "/nothing/")):
            answer = http.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/html")
            assert not re.search(r"<(img|svg|a href='java)", answer.text)
