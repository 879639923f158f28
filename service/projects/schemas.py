"""Bodies of the project endpoints."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.keys.schemas import NewKeyOut, Reason
from service.schemas import Answer, Body, Slug

ProjectId = Annotated[UUID, Path(description="Identifier of a project.")]


class ProjectIn(Body):
    """A project to make."""

    name: Slug = Field(description="Name of the project, unique in the installation.")


class ProjectChange(Body):
    """What to change of a project."""

    name: Slug = Field(description="Its new name.")
    reason: Reason = Field(default="", description="Why, for the audit trail.")


class ProjectOut(Answer):
    """A project."""

    id: UUID = Field(description="Identifier of the project.")
    name: str = Field(description="Its name.")
    created_at: datetime = Field(description="When it was made.")


class NewProjectOut(ProjectOut):
    """A project with its first key."""

    told_once: ClassVar[frozenset[str]] = frozenset({"first_key"})

    first_key: NewKeyOut = Field(description="A key that may do everything in the project, told this once.")
