"""A study as a file: the same to the last bit wherever it is imported; nothing of a file that is wrong."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixclient import ServiceClient
from service.compute.fitting import run_fit
from service.compute.proposing import run_proposal
from service.fits import service as fits
from service.fits.schemas import FitIn
from service.keys.service import principal_of_key
from service.models import TaskState
from service.proposals import service as proposals
from service.proposals.schemas import ProposalIn
from service.studies import service as studies
from service.study_files.lines import UNFINISHED
from tests.service.problems import problem_of
from tests.support.servers import Service
from tests.support.trials import DOMAINS, STUDY, WEIGHTS, queued, result

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
Lines = list[dict[str, Any]]


def exported(service: Service, study: str = STUDY) -> bytes:
    answer = service.call("GET", f"/v1/studies/{study}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{study}.jsonl"'
    return answer.content


def imported(service: Service, file: bytes, **parameters: str) -> httpx.Response:
    with service.http(service.key) as http:
        return http.post("/v1/studies/import", content=file, params=parameters)


@pytest.fixture
def elsewhere(shared_service: Service) -> Iterator[Callable[[], Service]]:
    """Makes new projects, each with a key and a client of its own."""
    with ExitStack() as clients:

        def project() -> Service:
            name = f"tenant-{uuid4()}"
            key = shared_service.new_key(project=name)
            client = clients.enter_context(ServiceClient(shared_service.url, key))
            return replace(shared_service, key=key, client=client, project=name)

        yield project


def parsed(file: bytes) -> Lines:
    return [json.loads(line) for line in file.splitlines()]


def written(lines: Lines) -> bytes:
    """A file of other lines, with the end that belongs to them."""
    rows = [json.dumps(line).encode() + b"\n" for line in lines]
    end = {"kind": "end", "lines": len(rows), "sha256": hashlib.sha256(b"".join(rows)).hexdigest()}
    return b"".join(rows) + json.dumps(end).encode() + b"\n"


def filled(service: Service) -> None:
    """A study with runs in every state, curves, notes, and a fit that nobody works on."""
    queued(service, 4)
    client = service.client
    done, cancelled, held = (client.claim_run(f"worker-{number}") for number in range(3))
    assert done is not None
    assert cancelled is not None
    assert held is not None
    curve = [{"step": step, "target": "web", "value": 1 / step} for step in (1, 3, 7)]
    path = f"/v1/runs/{done['run']['id']}"
    client.call("POST", f"{path}/observations", body={"lease": done["lease"], "observations": curve})
    client.put_result(done["run"]["id"], result(done, losses={"web": 0.1 + 0.2, "code": 1e-310, "law": 1e22}))
    service.call("PUT", f"{path}/notes", {"notes": "=odd", "tags": ["a"]}, headers={"If-Match": "*"})
    client.call("POST", f"/v1/runs/{cancelled['run']['id']}/cancel", body={"reason": "why"})
    own = client.call("PUT", f"/v1/studies/{STUDY}/runs/mine", body={"weights": WEIGHTS, "train": {"a": 1}})
    client.call("POST", f"/v1/runs/{own['id']}/observations", body={"observations": curve[:1]})
    client.create_fit(STUDY, {"method": "linear", "sweep_ids": [done["run"]["sweep_id"]]})


def test_a_study_comes_back_the_same_to_the_last_bit(
    tenant: Service, elsewhere: Callable[[], Service]
) -> None:
    filled(tenant)
    file, other = exported(tenant), elsewhere()
    assert (answer := imported(other, file)).status_code == 201, answer.text
    assert exported(other) == file
    assert answer.json()["definition"] == tenant.client.study(STUDY)["definition"]
    assert imported(other, file).status_code == 200
    runs = {run["label"]: run for run in other.client.runs(STUDY)}
    states = [runs[f"sobol {number}"]["state"] for number in range(4)] + [runs["mine"]["state"]]
    assert states == ["completed", "cancelled", "pending", "pending", "running"]
    assert runs["sobol 0"]["result"]["losses"] == {"web": 0.1 + 0.2, "code": 1e-310, "law": 1e22}
    assert (runs["sobol 0"]["notes"], runs["sobol 2"]["claims"]) == ("=odd", 0)
    (fit,) = other.client.fits(STUDY)
    assert (fit["state"], fit["error"], fit["stale_inputs"]) == ("failed", UNFINISHED, True)
    lease = other.client.claim_run("worker")
    assert lease is not None
    other.client.put_result(lease["run"]["id"], result(lease))


def test_whatever_runs_hold_comes_back_the_same(elsewhere: Callable[[], Service]) -> None:
    @settings(max_examples=6)
    @given(
        st.lists(
            st.tuples(
                TEXT,
                st.lists(st.integers(1, 10**9), min_size=3, max_size=3),
                st.dictionaries(
                    st.tuples(st.integers(0, 2**31 - 1), st.sampled_from("ab")), FINITE, max_size=5
                ),
                st.dictionaries(TEXT, FINITE | TEXT | st.none(), max_size=3),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def holds(runs: list[tuple[str, list[int], dict[tuple[int, str], float], dict[str, Any]]]) -> None:
        here, there = elsewhere(), elsewhere()
        here.client.create_study({"name": STUDY, "domains": DOMAINS, "targets": ["a", "b"]})
        for number, (label, parts, seen, train) in enumerate(runs):
            shares = np.array(parts) / sum(parts)
            weights = dict(zip(WEIGHTS, shares.tolist(), strict=True))
            body = {"weights": weights, "label": label, "train": train}
            run = here.client.call("PUT", f"/v1/studies/{STUDY}/runs/r{number}", body=body)
            points = [{"step": step, "target": name, "value": v} for (step, name), v in seen.items()]
            if points:
                here.client.call("POST", f"/v1/runs/{run['id']}/observations", body={"observations": points})
        file = exported(here)
        assert imported(there, file).status_code == 201
        assert exported(there) == file
        stored = [line for line in parsed(file) if line["kind"] == "observations"]
        kept = {
            (line["steps"][at], line["targets"][at], repr(line["values"][at]))
            for line in stored
            for at in range(len(line["steps"]))
        }
        assert kept == {(step, name, repr(v)) for _, _, seen, _ in runs for (step, name), v in seen.items()}

    holds()


def test_another_study_of_that_name_is_a_conflict_and_another_name_is_free(tenant: Service) -> None:
    filled(tenant)
    file = exported(tenant)
    assert imported(tenant, file).status_code == 200, "it is the very same"
    tenant.client.create_sweep(STUDY, {"design": "sobol", "count": 1})
    before = exported(tenant)
    refused = problem_of(imported(tenant, file), 409, "?name=", code="other_study")
    assert refused["line"] > 1
    assert exported(tenant) == before
    assert imported(tenant, file, name="copy").status_code == 201
    head, *rest = parsed(exported(tenant, "copy"))[:-1]
    assert [{**head, "name": STUDY}, *rest] == parsed(file)[:-1]
    assert imported(tenant, file, name="copy").status_code == 200


def changed(lines: Lines, kind: str, **more: Any) -> Lines:
    """The lines of a file, the first of a kind with other fields."""
    at = next(at for at, line in enumerate(lines) if line["kind"] == kind)
    return [*lines[:at], {**lines[at], **more}, *lines[at + 1 :]]


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no schema of ours": ("study", {"schema": "mixwright-study/v9"}, "line 1"),
    "an unknown field": ("run", {"colour": "red"}, "colour"),
    "weights off the simplex": ("run", {"weights": [0.5, 0.5, 0.5]}, "sum to 1.5"),
    "too few weights": ("run", {"weights": [0.5, 0.5]}, "2 weights for 3 domains"),
    "a sweep that is not there": ("run", {"sweep": 9}, "sweep 9 is not in the file"),
    "a result of other targets": ("run", {"result": {"losses": {"web": 1}}}, "the result is none"),
    "an unknown target": ("observations", {"targets": ["wep"] * 6}, "none called 'wep'"),
    "lengths that differ": ("observations", {"steps": [1]}, "different lengths"),
    "a step that is there twice": ("observations", {"steps": [1, 1, 1, 1, 1, 1]}, "out of order"),
    "a value that is no number": (
        "observations",
        {"values": [float("nan")] * 6},
        "line 5: observations.values.0",
    ),
    "a run that is not there": ("fit", {"runs": [99]}, "names a run"),
    "a fit that cannot be read": ("fit", {"state": "done", "result": {"scores": {}}}, "cannot be read"),
    "what no column holds": ("run", {"notes": "\0"}, "U+0000"),
}


def test_nothing_is_stored_of_a_file_that_contradicts_itself(
    tenant: Service, elsewhere: Callable[[], Service]
) -> None:
    filled(tenant)
    lines, there = parsed(exported(tenant))[:-1], elsewhere()
    for kind, more, words in WRONG.values():
        problem_of(imported(there, written(changed(lines, kind, **more))), 422, words)
    assert there.client.studies() == []
    assert imported(there, written(lines)).status_code == 201


def test_no_file_makes_the_service_fail(tenant: Service, elsewhere: Callable[[], Service]) -> None:
    filled(tenant)
    lines, there = parsed(exported(tenant))[:-1], elsewhere()
    fields = [(line["kind"], name) for line in lines for name in line if name != "kind"]
    odd = [None, True, -1, 2**31, 2**63, 1e308, "", "\0", "\ud800", "x" * 300, [], [None], {}, {"\0": 1}]
    names = (f"file-{number}" for number in range(10**6))

    @settings(max_examples=12)
    @given(st.sampled_from(fields), st.sampled_from(odd))
    def sends(field: tuple[str, str], value: Any) -> None:
        answer = imported(there, written(changed(lines, field[0], **{field[1]: value})), name=next(names))
        assert answer.status_code in {201, 422}, (field, value, answer.text)
        if answer.status_code == 201:
            assert there.call("GET", "/v1/studies").status_code == 200
            name = answer.json()["name"]
            for part in ("", "/runs", "/sweeps", "/fits", "/export"):
                assert there.call("GET", f"/v1/studies/{name}{part}").status_code == 200, (field, value)
            assert there.call("DELETE", f"/v1/studies/{name}?confirm={name}").status_code == 204

    sends()


def test_nothing_is_stored_of_a_file_that_was_cut_or_changed(
    tenant: Service, elsewhere: Callable[[], Service]
) -> None:
    filled(tenant)
    there, file = elsewhere(), exported(tenant)
    middle = file.index(b"\n", len(file) // 2) + 1
    for bad, words in (
        (b"", "the file is empty"),
        (file[:middle], "was cut"),
        (file[: middle - 20], "line"),
        (file.replace(b'"web"', b'"wob"', 1), "line"),
        (file.replace(b"worker-0", b"worker-9", 1), "was changed"),
        (b"\x1f\x8b\x08" + file, "line 1"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n", "line 1"),
    ):
        problem_of(imported(there, bad), 422, words)
    assert there.client.studies() == []


def computed(service: Service) -> tuple[UUID, UUID]:
    """A fit and a proposal of the study, as tasks would have stored them."""
    with service.database.session() as session:
        caller = principal_of_key(session, service.key)
        assert caller is not None
        study = studies.get(session, caller.project_id, STUDY)
        fit, _ = fits.create(session, study, FitIn(method="linear", params={}))
        fit.result, fit.state = run_fit(fits.task_input(session, fit, study)), TaskState.DONE
        request = proposals.create(session, study, ProposalIn(fit_id=fit.id, params={}))
        request.result = run_proposal(proposals.task_input(session, request, study))
        request.state = TaskState.DONE
        return fit.id, request.id


def test_a_fit_that_came_with_a_file_is_read_and_never_computed_with(
    tenant: Service, elsewhere: Callable[[], Service]
) -> None:
    tenant.client.create_study({"name": STUDY, "domains": DOMAINS})
    rows = np.random.default_rng(4).dirichlet([1.0, 1.0, 1.0], 12).tolist()
    runs = [
        {
            "name": f"r{at}",
            "weights": dict(zip(WEIGHTS, row, strict=True)),
            "losses": dict.fromkeys(WEIGHTS, row[0]),
        }
        for at, row in enumerate(rows)
    ]
    tenant.client.import_runs(STUDY, runs)
    fit_id, proposal_id = computed(tenant)
    fit, other = tenant.client.fit(str(fit_id)), elsewhere()
    assert imported(other, exported(tenant)).status_code == 201
    assert exported(other) == exported(tenant)
    (copy,) = other.client.fits(STUDY)
    same = {"id", "stale_inputs"}
    assert {key: copy[key] for key in copy if key not in same} == {k: fit[k] for k in fit if k not in same}
    (proposal,) = other.client.proposals(STUDY)
    assert proposal["proposals"] == tenant.client.proposal(str(proposal_id))["proposals"]
    for path, body in (
        (f"/v1/fits/{copy['id']}/predict", {"mixtures": [WEIGHTS]}),
        (f"/v1/studies/{STUDY}/proposals", {"fit_id": copy["id"]}),
    ):
        problem_of(other.call("POST", path, body), 409, "Ask for the same fit here", code="fit_imported")
    again = other.client.create_fit(STUDY, {"method": "linear"})
    assert again["id"] != copy["id"]
    for page in (f"/studies/{STUDY}", f"/fits/{copy['id']}"):
        assert other.call("GET", page).status_code == 200
