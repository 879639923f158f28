"""Secrets of an installation, which every process on its database shares."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt


class InstallationSecret(Base):
    """A random secret; it is made with its table, and the same for all replicas and after every restart."""

    __tablename__ = "installation_secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]
