"""Reading what one holds already: ETags of everything that is read from the database."""

from fastapi.routing import APIRoute, iter_route_contexts

from service.app import create_app
from service.settings import Settings
from tests.service.reports import JOB
from tests.support.servers import Service


def test_what_is_unchanged_is_told_in_a_line(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    for path in ("/v1/jobs/run-7b", "/v1/jobs", "/v1/jobs/run-7b/audit", "/v1/keys"):
        first = tenant.call("GET", path)
        etag = first.headers["ETag"]
        assert etag.startswith('"')
        assert first.headers["Cache-Control"] == "private, no-cache"
        for held in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = tenant.call("GET", path, headers={"If-None-Match": held})
            assert (again.status_code, again.content) == (304, b""), held
            assert again.headers["ETag"] == etag
            assert again.headers["X-Request-Id"]
        assert tenant.call("GET", path, headers={"If-None-Match": '"other"'}).content == first.content


def test_what_has_changed_is_sent(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    held = {"If-None-Match": tenant.call("GET", "/v1/jobs/run-7b").headers["ETag"]}
    tenant.client.call("POST", "/v1/jobs/run-7b/freeze", body={"reason": "look"})
    changed = tenant.call("GET", "/v1/jobs/run-7b", headers=held)
    assert changed.status_code == 200
    assert changed.json()["hold"]["by"] == "operator"
    assert changed.headers["ETag"] != held["If-None-Match"]


def test_a_refusal_has_no_etag(tenant: Service) -> None:
    refused = tenant.call("GET", "/v1/jobs/none", headers={"If-None-Match": "*"})
    assert refused.status_code == 404
    assert "ETag" not in refused.headers


def test_every_read_of_the_api_has_one(shared_service: Service) -> None:
    app = create_app(Settings(), shared_service.database)
    without = {
        route.path
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        and route.methods == {"GET"}
        and (route.path or "").startswith("/v1/")
        and not getattr(route.original_route, "validated", False)
    }
    # The schedule has one of its own, of its attempt and version; events are a stream.
    assert without == {"/v1/jobs/{job}/schedule", "/v1/jobs/{job}/schedule/events"}
