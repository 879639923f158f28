"""What a study is: checked, completed with defaults, turned into a problem."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.domains import DomainSet, canonical_name
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.swarm import target_coefficients
from service.domain_sets import service as domain_sets
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.limits import quotas
from service.models import Study
from service.schemas import epochs
from service.studies import repository
from service.studies.schemas import StudyIn, StudyOut


def create(session: Session, project_id: UUID, body: StudyIn) -> tuple[Study, bool]:
    """Create a study; the same body again gives the same study, and False.

    Raises:
        ConflictError: a study of that name exists with another definition.
        MixlawsError: the definition contradicts itself; the message names the field.
        QuotaError: the project has as many as it may, or the definition is too large.
        InvalidRequestError: it names no domains, or a domain set that is not there.
    """
    known = repository.by_name(session, project_id, body.name)
    stored = None if known is None else known.definition
    complete = _complete(domain_sets.resolved(session, project_id, body, stored=stored))
    definition = domain_sets.dumped(complete)
    quotas.check_definition(session, definition)
    study, created = repository.insert_or_get(session, project_id, complete.name, definition)
    if study.definition != definition:
        changed = sorted(key for key in definition if definition[key] != study.definition.get(key))
        raise ConflictError(
            f"study {complete.name!r} exists with another {', '.join(changed)}: choose another name"
        )
    if created:
        quotas.check_count(session, project_id, "studies")
    return study, created


def create_at(session: Session, project_id: UUID, body: StudyIn, created_at: datetime) -> tuple[Study, bool]:
    """Create a study as it was created elsewhere; if there is one of that name already, that, and False.

    Raises:
        InvalidRequestError: it names no domains.
        MixlawsError: the definition contradicts itself; the message names the field.
    """
    if not body.domains:
        raise InvalidRequestError("definition.domains: there are none")
    definition = domain_sets.dumped(_complete(body))
    return repository.insert_or_get(session, project_id, body.name, definition, created_at=created_at)


def get(session: Session, project_id: UUID, name: str) -> Study:
    """The study of a name.

    Raises:
        NotFoundError: the project has none.
    """
    study = repository.by_name(session, project_id, name)
    if study is None:
        raise NotFoundError(f"no study {name!r} in this project: list the studies to see their names")
    return study


def shown(session: Session, studies: Sequence[Study], *, counts: bool = True) -> list[StudyOut]:
    """Studies as answers, with the number of their runs if that is wanted."""
    counted = repository.run_counts(session, [study.id for study in studies]) if counts else {}
    return [
        StudyOut(
            id=study.id,
            name=study.name,
            definition=definition(study),
            runs=counted.get(study.id),
            created_at=study.created_at,
        )
        for study in studies
    ]


def definition(study: Study) -> StudyIn:
    """The stored definition, with its named values in the order of the domains: the database keeps none."""
    body = StudyIn.model_validate(study.definition)
    domains, targets = [domain.name for domain in body.domains], body.targets or []
    return body.model_copy(
        update={
            "prior": _ordered(body.prior or {}, domains),
            "lower": _ordered(body.lower, domains),
            "upper": _ordered(body.upper, domains),
            "objective": _ordered(body.objective or {}, targets),
        }
    )


def domain_set(body: StudyIn) -> DomainSet:
    """The domains of a definition."""
    return DomainSet(tuple(d.name for d in body.domains), tuple(d.tokens for d in body.domains))


def problem(body: StudyIn) -> MixtureProblem:
    """The problem that a definition poses."""
    return MixtureProblem.create(
        domain_set(body),
        prior=body.prior,
        lower=body.lower,
        upper=body.upper,
        final_tokens=body.final_tokens,
        max_epochs=epochs(body.domains),
        coefficients=target_coefficients(body.targets or [], body.objective or {}),
    )


def _ordered(values: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    return {name: values[name] for name in names if name in values}


def _complete(body: StudyIn) -> StudyIn:
    """The definition with its defaults, once it is known to be consistent."""
    domains = domain_set(body)
    named = [d.model_copy(update={"name": n}) for d, n in zip(body.domains, domains.names, strict=True)]
    targets = [canonical_name(target) for target in body.targets] if body.targets else list(domains.names)
    twice = [name for name, times in Counter(targets).items() if times > 1]
    if twice:
        raise InvalidInputError(f"targets: {twice[0]!r} occurs twice: name each target once")
    prior = body.prior or domains.to_mapping(domains.natural)
    shares = {name: share for name, share in prior.items() if name in targets}
    objective = body.objective or (shares if sum(shares.values()) > 0 else dict.fromkeys(targets, 1.0))
    complete = body.model_copy(
        update={"domains": named, "targets": targets, "prior": prior, "objective": objective}
    )
    problem(complete)  # raises what is inconsistent
    return complete
