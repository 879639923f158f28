"""Case 50: what belongs to another project is not there, at any address, to read or to change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text

from mixclient import ServiceClient
from service.models import Base
from service.scopes import EVERY_SCOPE, PROJECT_SCOPES
from service.study_files.endpoints import IMPORT_PATH
from tests.service.problems import problem_of
from tests.support.filled import DOMAINS, NAME, filled
from tests.support.routes import PUBLIC, WITHOUT_SCOPE, Address, inventory
from tests.support.servers import Service

NOBODY = "00000000-0000-7000-8000-000000000000"
WHY = {"reason": "to try"}
REPORT = {
    "attempt": 1,
    "source": "rank0",
    "step_from": 0,
    "step_to": 9,
    "schedule_version": 1,
    "loss_sums": {"web": 900.0, "code": 500.0},
    "token_counts": {"web": 300, "code": 200},
}
RESULT = {
    "lease": NOBODY,
    "step": 1,
    "tokens": 1,
    "model_parameters": 1,
    "seconds": 1.0,
    "losses": {"web": 1.0},
}
# What to send to each address that takes a body: complete, so that nothing but the wall can refuse it.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/studies": {"name": "strange", "domains": DOMAINS[:1]},
    "POST /v1/domain-sets": {"name": "strange", "domains": DOMAINS[:1]},
    "POST /v1/studies/{study}/sweeps": {"design": "sobol", "count": 1},
    "POST /v1/studies/{study}/runs": {
        "runs": [{"name": "r", "weights": {"web": 1.0}, "losses": {"web": 1.0}}]
    },
    "PUT /v1/studies/{study}/notes": {"notes": "strange"},
    "POST /studies/{study}/notes/preview": {"notes": "strange"},
    "PUT /v1/studies/{study}/runs/{run_id}": {"weights": {"web": 0.75, "code": 0.25}},
    "POST /v1/sweeps/{sweep_id}/cancel": WHY,
    "POST /v1/studies/{study}/fits": {"method": "linear"},
    "POST /v1/studies/{study}/proposals": {"fit_id": NOBODY},
    "POST /v1/fits/{fit_id}/predict": {"mixtures": [{"web": 0.75, "code": 0.25}]},
    "POST /fits/{fit_id}/explore": {"mixture": {"web": 0.75, "code": 0.25}},
    "POST /v1/runs/claim": {"worker": "stranger"},
    "POST /v1/runs/claims": {"worker": "stranger"},
    "POST /v1/runs/{run_id}/claim": {"worker": "stranger", "force": True},
    "POST /v1/runs/{run_id}/observations": {
        "lease": NOBODY,
        "observations": [{"step": 1, "target": "web", "value": 1.0}],
    },
    "POST /v1/runs/{run_id}/cancel": WHY,
    "POST /v1/runs/{run_id}/invalidate": WHY,
    "PUT /v1/runs/{run_id}/notes": {"notes": "strange"},
    "PUT /v1/runs/{run_id}/heartbeat": {"lease": NOBODY, "progress": 0.5},
    "PUT /v1/runs/{run_id}/result": RESULT,
    "PUT /v1/runs/{run_id}/failure": {"lease": NOBODY, "reason": "none"},
    "POST /v1/jobs": {"name": "strange", "policy": "static", "domains": DOMAINS[:1], "samples_per_step": 1},
    "POST /v1/jobs/{job}/reports": REPORT,
    "POST /v1/jobs/{job}/acks": {"attempt": 1, "version": 1, "step": 0, "outcome": "applied"},
    "POST /v1/jobs/{job}/attempts": {"from_step": 0},
    "POST /v1/jobs/{job}/pin": {"weights": {"web": 1.0, "code": 0.0}, **WHY},
    "POST /v1/jobs/{job}/freeze": WHY,
    "POST /v1/jobs/{job}/release": WHY,
    "POST /v1/jobs/{job}/rollback": {"version": 1, **WHY},
    "POST /v1/jobs/{job}/retire": {"domain": "web", **WHY},
    "POST /v1/jobs/{job}/readmit": {"domain": "web", **WHY},
    "POST /v1/jobs/{job}/shadow": {"on": True, **WHY},
    "POST /v1/jobs/{job}/domains": {"name": "law", "tokens": 9, **WHY},
    "POST /v1/jobs/{job}/end": WHY,
    "POST /v1/keys": {"name": "stranger", "scopes": ["jobs:read"]},
    "POST /v1/keys/{key_id}/rotate": {},
    "POST /v1/projects": {"name": "strange"},
    "PATCH /v1/projects/{project_id}": {"name": "strange"},
}
# What pages send by their forms.
FORMS: dict[str, dict[str, Any]] = {
    "POST /keys": {"name": "stranger", "scopes": ["jobs:read"]},
    "POST /keys/{key_id}/rotate": {"hours": "24", **WHY},
    "POST /keys/{key_id}/revoke": WHY,
}
# What there is of the whole installation, a key of a project does not show.
BEYOND = set(EVERY_SCOPE) - set(PROJECT_SCOPES)
ADDRESSES = [address for address in inventory() if address.name not in PUBLIC | WITHOUT_SCOPE]


@dataclass(frozen=True)
class Walls:
    """Two tenants of one service: a project with everything in it, and a stranger to it.

    Args:
        owner: the service with the key of the first.
        stranger: the same with a key of the second, which has every scope of a project.
        things: what the first has, by the names that addresses have for it.
    """

    owner: Service
    stranger: Service
    things: dict[str, str]

    def path(self, address: Address) -> str:
        """An address of the first tenant's thing."""
        path = address.path
        for name in address.parameters:
            assert name in self.things, f"{address.name}: let tests/support/filled.py make what {name} names"
            path = path.replace(f"{{{name}}}", self.things[name])
        return path

    def stored(self) -> set[str]:
        """Every row that there is, but for when keys were last used."""
        found: set[str] = set()
        with self.owner.database.session() as session:
            for table in Base.metadata.tables:
                rows = session.scalars(text(f"SELECT (to_jsonb(t) - 'last_used_at')::text FROM {table} t"))  # noqa: S608 - ours
                found |= {f"{table} {row}" for row in rows}
        return found


@pytest.fixture(scope="module")
def walls(shared_service: Service) -> Iterator[Walls]:
    keys = {project: shared_service.new_key(*PROJECT_SCOPES, project=project) for project in ("one", "other")}
    with (
        ServiceClient(shared_service.url, keys["one"]) as one,
        ServiceClient(shared_service.url, keys["other"]) as other,
    ):
        owner = replace(shared_service, key=keys["one"], client=one, project="one")
        stranger = replace(shared_service, key=keys["other"], client=other, project="other")
        yield Walls(owner, stranger, filled(owner))


def study_file(walls: Walls) -> bytes:
    """A file of a study that is not yet there."""
    study = {"name": "of-a-file", "domains": DOMAINS[:1]}
    with walls.stranger.http(walls.stranger.key) as http:
        http.post("/v1/studies", json=study).raise_for_status()
        file = http.get("/v1/studies/of-a-file/export").content
        http.delete("/v1/studies/of-a-file?confirm=of-a-file").raise_for_status()
    return file


def test_case_50_the_owner_sees_what_the_stranger_is_kept_from(walls: Walls) -> None:
    with walls.owner.http(walls.owner.key) as http:
        for address in ADDRESSES:
            reads = address.method == "GET" and not BEYOND.intersection(address.scopes)
            if reads and not address.path.endswith("/events"):
                assert http.get(walls.path(address)).status_code == 200, address


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: " ".join(address.name))
def test_case_50_a_stranger_finds_nothing_of_another_project(walls: Walls, address: Address) -> None:
    name = " ".join(address.name)
    assert not address.takes_body or name in BODIES | FORMS, f"say in BODIES what to send to {name}"
    before = walls.stored()
    content = study_file(walls) if address.path == IMPORT_PATH else None
    with walls.stranger.http(walls.stranger.key) as http:
        path = walls.path(address)
        data, body = FORMS.get(name), BODIES.get(name)
        answer = http.request(address.method, path, json=body, data=data, content=content)
    if beyond := BEYOND.intersection(address.scopes):
        problem_of(answer, 403, f"'{next(iter(beyond))}'", code="missing_scope")
    elif address.parameters:
        problem_of(answer, 404, code="not_found")
        secrets = {value for key, value in walls.things.items() if key not in address.parameters}
        assert not [secret for secret in secrets - {NAME} if secret in answer.text]
    else:
        assert answer.status_code in {200, 201, 204}, answer.text
        assert not [thing for thing in set(walls.things.values()) - {NAME} if thing in answer.text]
        assert NAME not in answer.text
    assert walls.stored() >= before, "what was there is as it was"


@pytest.mark.usefixtures("walls")
def test_case_50_lists_hold_what_is_ones_own(tenant: Service) -> None:
    with tenant.http(tenant.key) as http:
        for path in ("/v1/studies", "/v1/jobs", "/v1/domain-sets", "/v1/tasks", "/v1/audit"):
            assert http.get(path).json()["items"] == []
        assert [row["name"] for row in http.get("/v1/keys").json()["items"]] == ["test"]
        page = http.get("/", headers={"Accept": "text/html"}).text
    assert "Nothing here yet" in page
    assert NAME not in page


def test_case_50_a_cursor_of_another_project_shows_nothing_of_it(walls: Walls, tenant: Service) -> None:
    runs = walls.owner.client.call("GET", f"/v1/studies/{NAME}/runs?limit=1")
    trail = walls.owner.client.call("GET", "/v1/audit?limit=1")
    tenant.client.create_study({"name": NAME, "domains": DOMAINS})
    for path, cursor in ((f"/v1/studies/{NAME}/runs", runs["next"]), ("/v1/audit", trail["next"])):
        assert cursor is not None
        answer = tenant.call("GET", f"{path}?cursor={cursor}")
        assert answer.status_code in {200, 400}
        assert not [thing for thing in set(walls.things.values()) - {NAME} if thing in answer.text]
        assert answer.status_code == 400 or answer.json()["items"] == []
