"""Bodies of the domain set endpoints."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from service.schemas import LARGEST_NUMBER, MOST_DOMAINS, Answer, Body, DomainBody, Slug

SetName = Annotated[str, Path(description="Name of a domain set.")]
Version = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]


class DomainSetIn(Body):
    """A domain set, or another version of one."""

    name: Slug = Field(description="Name of the set.")
    domains: list[DomainBody] = Field(
        min_length=1,
        max_length=MOST_DOMAINS,
        description="Domains, in their order. A name may be a path, such as web/news: a hierarchy is read "
        "from it.",
    )


class DomainSetOut(Answer):
    """One version of a domain set; it never changes."""

    name: str = Field(description="Name of the set.")
    version: int = Field(description="Number of the version, from 1 on.")
    domains: list[DomainBody] = Field(description="Domains, in their order.")
    created_at: datetime = Field(description="When it was created.")
