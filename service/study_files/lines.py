"""Lines of a study file: one JSON object each, in this order.

    study         its definition, and the schema of the file
    sweep         each sweep; numbered from 0 in the order of the file, as all that follows is
    run           each run, followed by its observations in parts
    fit           each fit, with what it found; it names its sweeps and runs by number
    proposal      each request for proposals, with its answer
    end           how many lines came before, and their digest: a file that was cut has none

Identifiers of one installation mean nothing to another and are left out. So the same study gives the same
file wherever it is.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat, TypeAdapter

from service.models import RunState
from service.schemas import LARGEST_INTEGER, LARGEST_NUMBER, Body, Document, Slug, Text
from service.studies.schemas import MOST_NOTES

SCHEMA = "mixwright-study/v1"
UNFINISHED = "it was not finished when the study was exported: ask for it again"

Number = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Ending = Literal["done", "failed"]


class StudyLine(Body):
    """The first line."""

    kind: Literal["study"]
    schema_: Literal["mixwright-study/v1"] = Field(alias="schema")
    name: Slug
    definition: dict[str, Any]
    notes: Annotated[Text, Field(max_length=MOST_NOTES)] | None = None  # those of the definition, if none
    created_at: AwareDatetime


class SweepLine(Body):
    """A sweep."""

    kind: Literal["sweep"]
    purpose: Literal["proxy", "confirmation"]
    definition: Document
    created_at: AwareDatetime


class RunLine(Body):
    """A run. One that a worker had in its hands waits again; its client's own goes on."""

    kind: Literal["run"]
    sweep: Number
    client_id: Text | None
    label: Text
    weights: list[FiniteFloat]
    seed: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
    train: Document
    job: Slug | None
    state: RunState
    worker: Text | None
    claims: Number
    progress: Annotated[FiniteFloat, Field(ge=0, le=1)]
    result: Document | None
    error: Text | None
    notes: Text
    tags: list[Slug]
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None


class ObservationsLine(Body):
    """Some observations of the run before, by step and target."""

    kind: Literal["observations"]
    steps: list[Number]
    targets: list[str]
    values: list[FiniteFloat]


class FitLine(Body):
    """A fit."""

    kind: Literal["fit"]
    method: Text
    configuration: Document
    sweeps: list[Number] | None
    runs: list[Number]
    data_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    state: Ending
    result: Document | None
    error: Text | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class ProposalLine(Body):
    """A request for proposals."""

    kind: Literal["proposal"]
    fit: Number
    configuration: Document
    state: Ending
    result: Document | None
    error: Text | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class EndLine(Body):
    """The last line."""

    kind: Literal["end"]
    lines: Number
    sha256: str


Line = StudyLine | SweepLine | RunLine | ObservationsLine | FitLine | ProposalLine | EndLine
READER: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])
