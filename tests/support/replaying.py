"""A job's log, computed again and compared with what was published."""

from service.jobs import log, log_repository, repository, states
from service.jobs import service as jobs
from service.jobs.definition import JobDefinition
from service.jobs.replaying import replay
from service.jobs.schemas import VersionOut
from service.keys import repository as projects
from service.listing import Wanted
from tests.support.servers import Service


def same_again(service: Service, name: str) -> list[VersionOut]:
    """The versions of a job, each of which its log gives again, to the last bit."""
    with service.database.session() as session:
        owner = projects.project_named(session, service.project)
        assert owner is not None
        job = jobs.get(session, owner.id, name)
        entries = log.entries(session, job.id, after_seq=-1, to_seq=job.applied_seq, taken_back=True)
        definitions = log.definitions(session, job.id)
        weights = log_repository.weights_of_all(session, job.id)
        versions = jobs.versions(job, repository.stages(session, job.id, Wanted(limit=10**6)).rows)
        last = states.head(session, job, JobDefinition.stored(job.definition), 0).state
    steps = list(replay(definitions, entries, weights))
    again = [stage for step in steps if step.publication is not None for stage in step.publication.stages]
    assert len(again) == len(versions)
    for version, stage in zip(versions, again, strict=True):
        assert (version.effective_step, version.reason) == (stage.effective_step, stage.reason)
        assert list(version.weights.values())[: len(stage.weights)] == stage.weights.tolist(), version.version
    steering = definitions[max(definitions)].steering
    assert steering.dump(steps[-1].state) == steering.dump(last)
    return versions
