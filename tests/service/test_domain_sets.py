"""Domain sets: versions that never change, and studies and jobs that keep what they took over."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.service.problems import problem_of
from tests.support.servers import Service

WEB = {"name": "web/news", "tokens": 9_000, "max_epochs": 2.0}
CODE = {"name": "code", "tokens": 3_000, "max_epochs": None}


def put(service: Service, *domains: dict[str, Any], name: str = "texts") -> httpx.Response:
    return service.call("POST", "/v1/domain-sets", {"name": name, "domains": list(domains)})


def test_a_set_has_versions_that_never_change(tenant: Service) -> None:
    first, again, second, back = (put(tenant, *ds) for ds in ([WEB], [WEB], [WEB, CODE], [WEB]))
    assert [a.status_code for a in (first, again, second, back)] == [201, 200, 201, 201]
    assert [a.json()["version"] for a in (first, again, second, back)] == [1, 1, 2, 3]
    assert again.json() == first.json()
    path = "/v1/domain-sets/texts"
    assert tenant.client.call("GET", path) == back.json()
    assert tenant.client.call("GET", path, parameters={"version": 2})["domains"] == [WEB, CODE]
    problem_of(tenant.call("GET", f"{path}?version=4"), 404, "version 4 of domain set 'texts'")
    problem_of(put(tenant, WEB, WEB), 422, "named twice")
    page = tenant.client.call("GET", "/v1/domain-sets", parameters={"limit": 2})
    rest = tenant.client.call("GET", "/v1/domain-sets", parameters={"cursor": page["next"]})
    assert [item["version"] for item in page["items"] + rest["items"]] == [1, 2, 3]
    with tenant.http(tenant.new_key(project="other")) as http:
        assert http.get(path).status_code == 404
        assert http.get("/v1/domain-sets").json()["items"] == []


def test_makers_at_once_make_one_version(tenant: Service) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: put(tenant, WEB), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert {answer.json()["version"] for answer in answers} == {1}


def test_a_study_and_a_job_keep_what_they_took_over(tenant: Service) -> None:
    put(tenant, WEB, CODE)
    study: dict[str, Any] = {"name": "s", "domain_set": {"name": "texts"}}
    job: dict[str, Any] = {
        "name": "j",
        "policy": "odm",
        "samples_per_step": 8,
        "domain_set": {"name": "texts"},
    }
    made = tenant.client.create_study(study), tenant.client.create_job(job)
    put(tenant, CODE)
    for body, create, before in zip(
        (study, job), (tenant.client.create_study, tenant.client.create_job), made, strict=True
    ):
        assert before["definition"]["domain_set"] == {"name": "texts", "version": 1}
        assert before["definition"]["domains"] == [WEB, CODE]
        assert create(body) == before, "asked for again, it is what it was"
        newer = create({**body, "name": "newer"})
        assert newer["definition"]["domains"] == [CODE]
        assert newer["definition"]["domain_set"]["version"] == 2


def test_domains_are_listed_or_a_set_is_named(tenant: Service) -> None:
    put(tenant, WEB)
    named = {"domain_set": {"name": "texts"}}
    for body, words in (
        ({}, "list them, or name a domain_set"),
        ({**named, "domains": [WEB]}, "one of the two"),
        ({"domain_set": {"name": "tests"}}, "domain_set: no domain set 'tests'"),
        ({"domain_set": {"name": "texts", "version": 2}}, "version 2"),
    ):
        problem_of(tenant.call("POST", "/v1/studies", {"name": "s", **body}), 422, words)
        job = {"name": "j", "policy": "odm", "samples_per_step": 8, **body}
        problem_of(tenant.call("POST", "/v1/jobs", job), 422, words)
    assert tenant.client.studies() == tenant.client.jobs() == []
