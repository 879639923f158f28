"""Building blocks of request and response bodies."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from service import storable

LARGEST_INTEGER = storable.LARGEST_INTEGER
LARGEST_NUMBER = 2**31 - 1  # what a column for numbers of versions or steps of a proxy run holds
MOST_DOMAINS = 2000
MOST_RUNS = 10_000
MOST_NAMED = 1000  # things that one request may name: a query takes 65,535 values

Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
    Field(description="Letters, digits, dot, dash and underscore; it appears in addresses."),
]
Text = Annotated[str, AfterValidator(storable.text)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Weights = Annotated[dict[Text, Share], Field(max_length=MOST_DOMAINS)]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
PositiveCount = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
Document = Annotated[dict[str, Any], AfterValidator(storable.document)]
Parameters = Annotated[
    Document, Field(default_factory=dict, description="Hyperparameters; unknown names are refused.")
]

T = TypeVar("T")


class Body(BaseModel):
    """A request body: an unknown field is an error, not a silent no-op."""

    model_config = ConfigDict(extra="forbid")


class EndIn(Body):
    """Why something is ended or taken out."""

    reason: Text = Field(min_length=1, max_length=500, description="Why, for people.")


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)

    told_once: ClassVar[frozenset[str]] = frozenset()  # fields that are stored nowhere


class Page(Answer, Generic[T]):
    """One page of a list."""

    # A docstring of a generic class does not reach the document.
    model_config = ConfigDict(json_schema_extra={"description": "One page of a list."})

    items: list[T] = Field(description="The items, in the order of the list.")
    next: str | None = Field(description="Cursor of the next page; null on the last one.")
    total: int | None = Field(description="Items of all pages, if they were asked for with `total=true`.")


class DomainBody(Body):
    """A domain with what may be read of it."""

    name: str = Field(min_length=1, max_length=200, description="Name of the domain.")
    tokens: PositiveCount = Field(description="Training tokens that the domain holds.")
    max_epochs: FiniteFloat | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="How often it may be read in the final run; null for any number.",
    )


class DomainSetRef(Body):
    """A domain set that is taken over."""

    name: Slug = Field(description="Name of the set.")
    version: int | None = Field(
        default=None, ge=1, le=LARGEST_NUMBER, description="Which version; by default the newest."
    )


class DomainsBody(Body):
    """A body with domains of its own, or those of a domain set."""

    domains: list[DomainBody] = Field(
        default=[],
        min_length=1,
        max_length=MOST_DOMAINS,
        description="Domains, in their order; left out if a domain_set is named, and then filled in.",
    )
    domain_set: DomainSetRef | None = Field(
        default=None, description="Domain set to take the domains of, as they are now."
    )


def epochs(domains: list[DomainBody]) -> Mapping[str, float] | None:
    """Limits by domain; None if no domain has one."""
    limits = {domain.name: domain.max_epochs for domain in domains if domain.max_epochs is not None}
    return limits or None
