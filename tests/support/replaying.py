"""A job's log, computed again and compared with what was published."""

from collections.abc import Sequence
from dataclasses import dataclass

from mixlaws.arrays import JsonObject
from mixlaws.steering.publishing import PublishedStage
from service.jobs import log, log_repository, repository, states
from service.jobs import service as jobs
from service.jobs.definition import JobDefinition
from service.jobs.replaying import replay
from service.jobs.schemas import VersionOut
from service.keys import repository as projects
from service.listing import Wanted
from tests.support.servers import Service


@dataclass(frozen=True)
class Replay:
    """What is stored of a job, and what its log gives.

    Args:
        versions: as they were published.
        again: their stages, as the log gives them.
        state: of the job now.
        state_again: as the log gives it.
    """

    versions: Sequence[VersionOut]
    again: Sequence[PublishedStage]
    state: JsonObject
    state_again: JsonObject


def replayed(service: Service, name: str) -> Replay:
    """A job's versions and its state, each beside what its log gives."""
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
    steering = definitions[max(definitions)].steering
    return Replay(versions, again, steering.dump(last), steering.dump(steps[-1].state))


def same_again(service: Service, name: str) -> Sequence[VersionOut]:
    """The versions of a job, each of which its log gives again, to the last bit."""
    found = replayed(service, name)
    assert len(found.again) == len(found.versions)
    for version, stage in zip(found.versions, found.again, strict=True):
        assert (version.effective_step, version.reason) == (stage.effective_step, stage.reason)
        assert list(version.weights.values())[: len(stage.weights)] == stage.weights.tolist(), version.version
    assert found.state_again == found.state
    return found.versions
