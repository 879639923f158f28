"""What is stored at the end of a history, read where tests may read it: the database and its own API."""

from tests.support.histories.stored import Stored, StoredJob, StoredReport
from tests.support.histories.working import STUDY
from tests.support.replaying import replayed
from tests.support.servers import Service
from tests.support.stored import steering_of


def read(service: Service) -> Stored:
    """All that the project of a service holds."""
    sweeps = service.client.sweeps(STUDY)
    studies = service.client.studies()
    created: dict[str, list[str]] = {}
    for name, found in [
        *((f"sweep-{sweep['definition']['seed']}", sweep) for sweep in sweeps),
        *((study["name"], study) for study in studies),
    ]:
        created.setdefault(name, []).append(found["id"])
    runs = service.client.runs(STUDY)
    return Stored(
        jobs={job["name"]: _job(service, job["name"]) for job in service.client.jobs()},
        results={run["id"]: next(iter(run["result"]["live"])) for run in runs if run["result"]},
        created=created,
    )


def _job(service: Service, name: str) -> StoredJob:
    kept, replay = steering_of(service, name), replayed(service, name)
    audit = service.client.job_audit(name)
    given = {"pin", "freeze", "release", "rollback"}
    return StoredJob(
        reports=[
            StoredReport(
                row["attempt"],
                row["source"],
                row["step_to"],
                tuple(row["token_counts"]),
                applied=row["applied_seq"] is not None and not row["taken_back"],
            )
            for row in kept["reports"]
        ],
        accepted=kept["job"]["reports"],
        consumed=tuple(int(tokens) for tokens in kept["job"]["state"]["consumed"]),
        versions=[
            (version.version, (version.effective_step, *version.weights.values()))
            for version in replay.versions
        ],
        replayed=[(stage.effective_step, *stage.weights.tolist()) for stage in replay.again],
        orders=[entry["reason"] for entry in audit if entry["kind"] in given],
    )
