"""Tables of the task queue.

Revision: 0001
Follows: nothing

The schema comes from the installed procrastinate, whose minor version the project pins: a newer minor
version comes with a revision of ours that applies its changes.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A text clause, since the script holds percent signs that a driver would take for parameters.
    op.execute(sa.text(SchemaManager.get_schema().replace(":", "\\:")))


def downgrade() -> None:
    connection = op.get_bind()
    for kind in ("TABLE", "FUNCTION", "TYPE"):
        for name in _names(connection, kind):
            op.execute(sa.text(f"DROP {kind} IF EXISTS {name} CASCADE"))


def _names(connection: sa.Connection, kind: str) -> list[str]:
    queries = {
        "TABLE": "SELECT tablename FROM pg_tables WHERE tablename LIKE 'procrastinate%'",
        "FUNCTION": "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'procrastinate%'",
        "TYPE": "SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%' AND typtype IN ('e', 'c')",
    }
    return [row[0] for row in connection.exec_driver_sql(queries[kind].replace("%", "%%"))]
