"""Notes of a study: whoever writes over newer ones is told, and every change is in the trail."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.studies.schemas import MOST_NOTES
from tests.service.problems import problem_of
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
BODY = {"name": "s", "domains": DOMAINS, "notes": "as it began"}
PATH = "/v1/studies/s/notes"


@pytest.fixture
def study(tenant: Service) -> Service:
    """A service with a study that was created with notes."""
    tenant.client.create_study(BODY)
    return tenant


def test_notes_begin_as_the_study_was_created_and_no_edit_is_lost(study: Service) -> None:
    first = study.call("GET", PATH)
    assert first.json() == {"notes": "as it began"}
    mine, theirs = {"notes": "# Mine\n"}, {"notes": "theirs"}
    problem_of(study.call("PUT", PATH, mine), 428, "If-Match", code="precondition_required")
    seen = {"If-Match": first.headers["ETag"]}
    stored = study.call("PUT", PATH, mine, headers=seen)
    assert (stored.status_code, stored.json()) == (200, mine)
    refused = problem_of(study.call("PUT", PATH, theirs, headers=seen), 412, "edited meanwhile")
    assert (refused["stored"], refused["etag"]) == (mine, stored.headers["ETag"])
    assert study.call("PUT", PATH, mine, headers=seen).status_code == 200, "an answer that was lost"
    assert study.call("GET", PATH).headers["ETag"] == stored.headers["ETag"]
    assert study.client.create_study(BODY)["definition"]["notes"] == "as it began", "the same study still"
    edits = study.client.call("GET", "/v1/audit?kind=study.noted")["items"]
    assert [(edit["subject"], edit["actor"]) for edit in edits] == [("s", "key test")]


def test_of_editors_at_once_one_wins(study: Service) -> None:
    seen = {"If-Match": study.call("GET", PATH).headers["ETag"]}

    def edit(number: int) -> int:
        return study.call("PUT", PATH, {"notes": f"by {number}"}, headers=seen).status_code

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(edit, range(6)))
    assert sorted(codes) == [200] + [412] * 5
    assert study.call("GET", PATH).json() == {"notes": f"by {codes.index(200)}"}


def test_what_was_seen_of_a_study_that_is_gone_edits_no_other_of_its_name(study: Service) -> None:
    seen = {"If-Match": study.call("GET", PATH).headers["ETag"]}
    study.client.delete_study("s", confirm="s")
    study.client.create_study(BODY)
    problem_of(study.call("PUT", PATH, {"notes": "of the old one"}, headers=seen), 412)


def test_notes_are_as_long_as_they_may_be_and_no_longer(study: Service) -> None:
    anyway = {"If-Match": "*"}
    assert study.call("PUT", PATH, {"notes": "ü" * MOST_NOTES}, headers=anyway).status_code == 200
    problem_of(
        study.call("PUT", PATH, {"notes": "ü" * (MOST_NOTES + 1)}, headers=anyway), 422, f"{MOST_NOTES}"
    )


def test_who_may_only_read_edits_nothing(study: Service) -> None:
    with study.http(study.new_key("studies:read")) as http:
        etag = http.get(PATH).headers["ETag"]
        problem_of(http.put(PATH, json={"notes": "x"}, headers={"If-Match": etag}), 403)
    assert study.call("GET", PATH).json() == {"notes": "as it began"}


def test_edited_notes_travel_with_the_file_of_a_study(study: Service) -> None:
    def file(name: str) -> bytes:
        return study.call("GET", f"/v1/studies/{name}/export").content

    assert b'"as it began"' in file("s")
    study.call("PUT", PATH, {"notes": "as it became"}, headers={"If-Match": "*"})
    with study.http(study.key, **{"Content-Type": "application/x-ndjson"}) as http:
        there = http.post("/v1/studies/import?name=copy", content=file("s"))
        assert there.status_code == 201, there.text
        assert http.post("/v1/studies/import", content=file("s")).status_code == 200, "the very same"
        assert http.get("/v1/studies/copy/notes").json() == {"notes": "as it became"}
        study.call("PUT", PATH, {"notes": "and again"}, headers={"If-Match": "*"})
        assert http.post("/v1/studies/import?name=s", content=file("copy")).status_code == 409
