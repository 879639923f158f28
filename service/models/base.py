"""What all tables share: naming of constraints, JSON columns, times."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Enum, MetaData, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from service.ids import new_id

# Names that are derived, not invented, so that migrations can refer to every constraint.
_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of all tables."""

    metadata = MetaData(naming_convention=_NAMES)


PrimaryId = Annotated[uuid.UUID, mapped_column(Uuid, primary_key=True, default=new_id)]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())]
Counter = Annotated[int, mapped_column(BigInteger, default=0, server_default=text("0"))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


def one_of(kind: type[StrEnum]) -> Enum:
    """A text column that holds the values of an enumeration, checked by the database."""
    return Enum(
        kind,
        name=kind.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
