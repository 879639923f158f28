"""Projects: tenants, to which keys, studies and jobs belong."""

from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, PrimaryId


class Project(Base):
    """A tenant."""

    __tablename__ = "projects"

    id: Mapped[PrimaryId]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
