"""Epochs: how often a job's past was cut off by a backup that was restored.

An older replica may run beside this schema: the new column has a default, and it never writes the new kind
of event.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = (
    "result", "too_late", "attempt", "pin", "freeze", "release", "rollback", "retire", "readmit", "shadow",
    "domain", "reset",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("jobs", sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _allow((*_BEFORE, "restored"))


def downgrade() -> None:
    op.execute("DELETE FROM job_events WHERE kind = 'restored'")
    _allow(_BEFORE)
    op.drop_column("jobs", "epoch")


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_job_events_eventkind")
    op.drop_constraint(name, "job_events")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(name, "job_events", f"kind IN ({listed})")
