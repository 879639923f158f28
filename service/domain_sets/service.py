"""Domain sets: made in versions, and taken over by what names them."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.domains import DomainSet
from service.domain_sets import repository
from service.domain_sets.schemas import DomainSetIn
from service.errors import InvalidRequestError, NotFoundError
from service.models import DomainSetVersion
from service.schemas import DomainsBody, DomainSetRef

B = TypeVar("B", bound=DomainsBody)


def create(session: Session, project_id: UUID, body: DomainSetIn) -> tuple[DomainSetVersion, bool]:
    """Create a set or its next version; the same as the newest gives that one, and False.

    Raises:
        InvalidInputError: a name is unusable or occurs twice.
    """
    names = DomainSet(tuple(d.name for d in body.domains), tuple(d.tokens for d in body.domains)).names
    domains = [
        {**domain.model_dump(mode="json"), "name": name}
        for domain, name in zip(body.domains, names, strict=True)
    ]
    repository.lock_name(session, project_id, body.name)
    newest = repository.find(session, project_id, body.name, None)
    if newest is not None and newest.domains == domains:
        return newest, False
    version = 1 if newest is None else newest.version + 1
    made = DomainSetVersion(project_id=project_id, name=body.name, version=version, domains=domains)
    session.add(made)
    session.flush()
    return made, True


def get(session: Session, project_id: UUID, name: str, version: int | None) -> DomainSetVersion:
    """A version of a set, or its newest.

    Raises:
        NotFoundError: the project has none.
    """
    found = repository.find(session, project_id, name, version)
    if found is None:
        which = "" if version is None else f"version {version} of "
        raise NotFoundError(
            f"no {which}domain set {name!r} in this project: list the sets to see their names"
        )
    return found


def resolved(session: Session, project_id: UUID, body: B, *, stored: dict[str, Any] | None) -> B:
    """A body with the domains of the set that it names, and the version that they are of.

    Args:
        session: where sets are.
        project_id: whose they are.
        body: names a set, or lists its domains.
        stored: the definition that there is of that name already, if any: asked for again, the newest version
            is the one that was the newest then.

    Raises:
        InvalidRequestError: it does both, or neither, or names a set that is not there.
    """
    if (body.domain_set is None) == (not body.domains):
        raise InvalidRequestError("domains: list them, or name a domain_set; one of the two")
    if body.domain_set is None:
        return body
    name, version = body.domain_set.name, body.domain_set.version
    known = (stored or {}).get("domain_set") or {}
    if version is None and known.get("name") == name:
        version = known["version"]
    try:
        found = get(session, project_id, name, version)
    except NotFoundError as error:
        raise InvalidRequestError(f"domain_set: {error.detail}") from None
    reference = DomainSetRef(name=name, version=found.version)
    return type(body).model_validate(
        {**body.model_dump(exclude_unset=True), "domains": found.domains, "domain_set": reference}
    )


def dumped(body: DomainsBody) -> dict[str, Any]:
    """A definition as it is stored; one that names no set looks as it did before there were any."""
    return body.model_dump(mode="json", exclude=None if body.domain_set else {"domain_set"})
