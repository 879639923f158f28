"""A file back to a study: all of it, in one transaction, or nothing."""

import hashlib
from collections.abc import Iterable, Iterator
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.errors import ConflictError, InvalidRequestError
from service.models import Study
from service.studies import service as studies
from service.studies.schemas import StudyIn
from service.study_files import exporting
from service.study_files.lines import READER, SCHEMA, EndLine, Line, StudyLine
from service.study_files.storing import Storing


def store(
    session: Session, project_id: UUID, file: Iterable[bytes], *, name: str | None
) -> tuple[Study, bool]:
    """Store the study of a file, under its own name or another; False if the very same is there already.

    Raises:
        InvalidRequestError: the file is cut, was changed, or contradicts itself; the detail names the line.
        ConflictError: there is another study of that name.
    """
    lines = _checked(file)
    head = next(lines, None)
    if not isinstance(head, StudyLine):
        raise InvalidRequestError(f"line 1 is not the head of a study file of the schema {SCHEMA}")
    body = _definition(head, name)
    try:
        study, created = studies.create_at(session, project_id, body, head.created_at)
    except MixlawsError as error:
        raise InvalidRequestError(f"line 1: definition: {error}") from None
    if not created:
        _check_same(session, study, head, lines)
        return study, False
    study.notes = head.notes
    storing = Storing(session, study)
    for number, line in enumerate(lines, start=2):
        try:
            storing.take(line)
        except (InvalidRequestError, MixlawsError) as error:
            raise InvalidRequestError(f"line {number}: {error}") from None
    storing.finish()
    return study, True


def _checked(file: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a file but the last, which says whether these are all and as they were."""
    digest, count = hashlib.sha256(), 0
    for raw in file:
        line = _read(raw, count + 1)
        if isinstance(line, EndLine):
            if (line.lines, line.sha256) != (count, digest.hexdigest()):
                raise InvalidRequestError("the file was changed since it was written: export the study again")
            return
        digest.update(raw)
        count += 1
        yield line
    if not count:
        raise InvalidRequestError("the file is empty: send the lines that `export` gave")
    raise InvalidRequestError(f"the file was cut after line {count}: its last line is no end")


def _read(raw: bytes, number: int) -> Line:
    try:
        return READER.validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"line {number}: {where}: {first['msg']}".replace(": :", ":")) from None


def _definition(head: StudyLine, name: str | None) -> StudyIn:
    try:
        return StudyIn.model_validate({**head.definition, "name": name or head.name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"line 1: definition.{where}: {first['msg']}") from None


def _check_same(session: Session, study: Study, head: StudyLine, lines: Iterator[Line]) -> None:
    """Check that a file holds the very study that is there."""
    name = study.name
    stored = (READER.validate_json(line) for line in exporting.lines(session, study))
    ours: Line = next(stored)
    theirs: Line | None = head.model_copy(update={"name": name})
    number = 1
    while ours == theirs:
        number += 1
        ours, theirs = next(stored), next(lines, None)
        if theirs is None and isinstance(ours, EndLine):
            return
    raise ConflictError(
        f"there is another study {name!r}, from line {number} of the file on: give ?name= to import it "
        "under another name",
        code="other_study",
        extra={"line": number},
    )
