"""How alembic reaches the database: over the connection that `service.migrate` holds."""

from typing import Any

from alembic import context

from service.models import Base


def include_object(_object: Any, name: str | None, _kind: str, _reflected: bool, _compared: Any) -> bool:
    """Leave out the tables of the task queue: they are its own business, made by one of our revisions."""
    return not (name or "").startswith("procrastinate_")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=include_object,
    compare_type=True,
    on_version_apply=context.config.attributes.get("on_version_apply"),
)
with context.begin_transaction():
    context.run_migrations()
