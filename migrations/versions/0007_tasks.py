"""Background work that can be watched, cancelled and tried again; results that know when data has changed.

Results of runs have never changed so far, so that the version of a sweep's data is the number of its
completed runs, and that of a fit the number of runs that it saw.

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("fits", "proposals", "expensive_steps")
_STATES = ("queued", "running", "done", "failed")
_OPEN = "state IN ('queued', 'running')"


def upgrade() -> None:
    for table in _TABLES:
        for column in _columns():
            op.add_column(table, column)
        # From before the column: when it was asked for, since nothing was asked for twice and kept the time.
        op.execute(f"UPDATE {table} SET asked_at = created_at, tries = 1 WHERE state <> 'queued'")  # noqa: S608
        op.execute(f"UPDATE {table} SET asked_at = created_at WHERE state = 'queued'")  # noqa: S608
        op.execute(f"UPDATE {table} SET progress = 1 WHERE state = 'done'")  # noqa: S608
        op.create_index(f"ix_{table}_open", table, ["id"], postgresql_where=sa.text(_OPEN))
        _allow(table, (*_STATES, "cancelled"))
    for table in ("sweeps", "fits"):
        op.add_column(table, sa.Column("data_version", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE sweeps SET data_version = counted.runs FROM ("
        "SELECT sweep_id, count(*) AS runs FROM proxy_runs WHERE state = 'completed' GROUP BY sweep_id"
        ") AS counted WHERE counted.sweep_id = sweeps.id"
    )
    op.execute("UPDATE fits SET data_version = jsonb_array_length(run_ids)")


def downgrade() -> None:
    for table in ("sweeps", "fits"):
        op.drop_column(table, "data_version")
    for table in _TABLES:
        # What was cancelled has no place in the older schema: it failed, with the reason in words.
        op.execute(
            f"UPDATE {table} SET state = 'failed', error = 'cancelled' WHERE state = 'cancelled'"  # noqa: S608
        )
        _allow(table, _STATES)
        op.drop_index(f"ix_{table}_open", table)
        for column in reversed(_columns()):
            op.drop_column(table, column.name)


def _columns() -> tuple[sa.Column[object], ...]:
    moment = sa.DateTime(timezone=True)
    return (
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stage", sa.String(), server_default="", nullable=False),
        sa.Column("progress", sa.Float(), server_default="0", nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("asked_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("started_at", moment, nullable=True),
    )


def _allow(table: str, states: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_taskstate")
    op.drop_constraint(name, table, type_="check")
    listed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(name, table, f"state IN ({listed})")
