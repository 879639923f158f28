"""A project with one object of every kind, told by the names that addresses have for them."""

from uuid import UUID

from sqlalchemy import text

from service.models import ProposalRequest, TaskState
from tests.support.servers import Service

DOMAINS = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
NAME = "private"


def filled(service: Service) -> dict[str, str]:
    """Fill a project without running tasks; returns what to put for each parameter of an address."""
    client = service.client
    client.create_study({"name": NAME, "domains": DOMAINS})
    client.create_job({"name": NAME, "policy": "static", "domains": DOMAINS, "samples_per_step": 8})
    sweep = client.create_sweep(NAME, {"design": "sobol", "count": 2})
    lease = client.claim_run("tester", study=NAME)
    assert lease is not None
    result = {"step": 1, "tokens": 1, "model_parameters": 1, "seconds": 1.0, "lease": lease["lease"]}
    client.put_result(lease["run"]["id"], {**result, "losses": {"web": 3.0, "code": 2.0}})
    # A client may choose any name for a run of its own, so that one id names a run at every address.
    own = {"weights": {"web": 0.5, "code": 0.5}}
    client.call("PUT", f"/v1/studies/{NAME}/runs/{lease['run']['id']}", body=own)
    client.call("POST", "/v1/domain-sets", body={"name": NAME, "domains": DOMAINS})
    fit = client.create_fit(NAME, {"method": "linear"})
    key = client.call("POST", "/v1/keys", body={"name": NAME, "scopes": ["jobs:read"]})
    with service.database.session() as session:
        project_id = session.scalars(
            text("SELECT id FROM projects WHERE name = :name"), {"name": service.project}
        ).one()
        of_project = text("SELECT id FROM studies WHERE project_id = :id")
        proposal = ProposalRequest(
            study_id=session.scalars(of_project, {"id": project_id}).one(),
            fit_id=UUID(fit["id"]),
            configuration={"fit_id": fit["id"]},
            state=TaskState.QUEUED,
        )
        session.add(proposal)
    return {
        "study": NAME,
        "name": NAME,
        "job": NAME,
        "sweep_id": sweep["id"],
        "run_id": lease["run"]["id"],
        "fit_id": fit["id"],
        "proposal_id": str(proposal.id),
        "key_id": key["id"],
        "project_id": str(project_id),
    }
