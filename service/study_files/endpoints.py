"""Endpoints of study files.

A file lies in temporary storage while it comes in or goes out: no connection of the database waits for a
slow caller, and a study that cannot be read is an error and not half a file.
"""

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from service.db import SessionDep
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.exporters import runs_csv
from service.problem_details import errors
from service.routes import Route
from service.schemas import Slug
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName, StudyOut
from service.study_files import exporting, importing, repository

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=Route)

IMPORT_PATH = "/v1/studies/import"
_MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_IN_MEMORY = 4 * 1024 * 1024  # bytes; what is larger lies on disk meanwhile
_AT_ONCE = 256 * 1024
_BODY = {"requestBody": {"required": True, "content": {_MEDIA["jsonl"]: {"schema": {"type": "string"}}}}}


async def _received(request: Request) -> AsyncIterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for chunk in request.stream():
            file.write(chunk)
        file.seek(0)
        yield file


@router.post(
    "/import",
    status_code=status.HTTP_201_CREATED,
    responses=errors(ConflictError, InvalidRequestError),
    openapi_extra=_BODY,
)
def import_study(
    response: Response,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
    session: SessionDep,
    file: Annotated[IO[bytes], Depends(_received)],
    name: Annotated[Slug | None, Query(description="Another name than that in the file.")] = None,
) -> StudyOut:
    """Store the study of a file that `export` wrote: all of it, or nothing. The very same again answers 200.

    Its fits and proposals are kept to be read; a prediction or a new proposal needs a fit that was made here.
    """
    study, created = importing.store(session, caller.project_id, file, name=name)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return studies.shown(session, [study])[0]


@router.get("/{study}/export", response_class=StreamingResponse, responses=errors(NotFoundError))
def export_study(
    study: StudyName,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    session: SessionDep,
    format: Annotated[  # noqa: A002 - it is what the address says
        Literal["jsonl", "csv"],
        Query(description="jsonl: everything, for `import`; csv: a table of the runs."),
    ] = "jsonl",
) -> StreamingResponse:
    """A study as a file: everything of it as lines of JSON, or its runs as a table for a spreadsheet."""
    repository.freeze(session)
    found = studies.get(session, caller.project_id, study)
    if format == "csv":
        definition = studies.definition(found)
        names = [domain.name for domain in definition.domains]
        runs = (run for some in repository.runs(session, found.id) for run in some)
        lines = runs_csv.lines(runs, names, definition.targets or [])
    else:
        lines = exporting.lines(session, found)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    for line in lines:
        file.write(line.encode())
    headers = {
        "Content-Length": str(file.tell()),
        "Content-Disposition": f'attachment; filename="{found.name}.{format}"',
    }
    file.seek(0)
    return StreamingResponse(_sent(file), media_type=_MEDIA[format], headers=headers)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_AT_ONCE):
            yield chunk
