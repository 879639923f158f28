"""A job's log computed again: for a state of the past, and to see that every version follows from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.publishing import Publication
from mixlaws.steering.state import SteeringState
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry, WeightsOf, folded

BACK = frozenset({EventKind.ATTEMPT, EventKind.ROLLBACK})  # events that name a place whose state they need


@dataclass(frozen=True, eq=False)
class Replayed:
    """State after an entry, and what was published there."""

    entry: Entry
    state: SteeringState
    publication: Publication | None


def replay(
    definitions: Mapping[int, JobDefinition], log: Sequence[Entry], weights_of: WeightsOf
) -> Iterator[Replayed]:
    """Every state and publication of a log, from its beginning; what was taken back included.

    Args:
        definitions: the job in each of its attempts.
        log: all entries by their places. The first, at place 0, holds nothing but the first publication.
        weights_of: weights of every schedule version that a report names.
    """
    wanted = {entry.event.payload["seq"] for entry in log if entry.event and entry.event.kind in BACK}
    kept: dict[int, SteeringState] = {}
    attempts = iter(sorted(definitions))  # their numbers have gaps where a backup was restored
    definition = definitions[next(attempts)]
    state = definition.steering.init()
    for place, entry in enumerate(log):
        restored = None
        if entry.event is not None and entry.event.kind is EventKind.ATTEMPT:
            definition = definitions[next(attempts)]
        if entry.event is not None and entry.event.kind in BACK:
            back = entry.event.payload["seq"]
            restored = fitting(definition, kept[back], lineage(log[:place], back), weights_of)
            state = state.widened(len(definition.domains))
        if entry.seq > 0:
            state = folded(definition.steering, state, entry, weights_of, restored)
        publication = None
        if entry.published_from is not None:
            state, publication = definition.steering.publish(state, entry.published_from)
        if entry.seq in wanted:
            kept[entry.seq] = state
        yield Replayed(entry, state, publication)


def advanced(
    definition: JobDefinition, state: SteeringState, entries: Iterable[Entry], weights_of: WeightsOf
) -> SteeringState:
    """State after entries of one attempt, none of which goes back, with all publications on the way."""
    for entry in entries:
        state = folded(definition.steering, state, entry, weights_of)
        if entry.published_from is not None:
            state, _ = definition.steering.publish(state, entry.published_from)
    return state


def fitting(
    definition: JobDefinition, state: SteeringState, past: Sequence[Entry], weights_of: WeightsOf
) -> SteeringState:
    """A state for a job that may have got more domains since.

    The policy's is then that of a job which had these domains from its beginning, and never drew them: the
    past is told to it again. Results of expensive steps know nothing of them and are left out.

    Args:
        definition: the job as it is now.
        state: the state of the past.
        past: the entries that led to it.
        weights_of: weights of every schedule version that a report names.
    """
    d = len(definition.domains)
    if len(state.anchor) == d:
        return state
    steering = definition.steering
    again = steering.init().widened(d)
    again = replace(again, retired=tuple(range(len(state.anchor), d)))
    kept = {0: again}
    for entry in past:
        event = entry.event
        if event is None:
            again = folded(steering, again, entry, weights_of) if entry.reports else again
        elif event.kind is EventKind.RESULT:
            again = steering.obey(again, Event(EventKind.RESULT, {"result": {}}))
        elif event.kind is EventKind.ROLLBACK:
            again = replace(again, policy=kept[event.payload["seq"]].policy)
        kept[entry.seq] = again
    return replace(state.widened(d), policy=again.policy)


def lineage(log: Sequence[Entry], seq: int) -> list[Entry]:
    """Entries that a state at a place goes back to: without the stretches that restarts took back."""
    kept: list[Entry] = []
    for entry in log:
        if entry.seq > seq:
            break
        if entry.event is not None and entry.event.kind is EventKind.ATTEMPT:
            back = entry.event.payload["seq"]
            kept = [other for other in kept if other.seq <= back]
        else:
            kept.append(entry)
    return kept
