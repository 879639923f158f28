"""Who did what: the audit trail, last use and rotation of keys, sessions that end with their key.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SESSIONS_KEY = "fk_browser_sessions_key_id_api_keys"
_REPLACES = "fk_api_keys_replaces_id_api_keys"


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_audit_entries_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_trail", "audit_entries", ["project_id", "created_at"])
    op.create_index("ix_job_events_trail", "job_events", ["job_id", "created_at"])
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(_REPLACES), "api_keys", "api_keys", ["replaces_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("browser_sessions", sa.Column("key_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(_SESSIONS_KEY), "browser_sessions", "api_keys", ["key_id"], ["id"], ondelete="CASCADE"
    )
    op.add_column("browser_sessions", _moment("last_used_at"))
    # Nobody knows which key opened these sessions, so they would outlive it: their browsers log in again.
    op.execute("DELETE FROM browser_sessions WHERE NOT one_time")


def downgrade() -> None:
    op.drop_column("browser_sessions", "last_used_at")
    op.drop_constraint(op.f(_SESSIONS_KEY), "browser_sessions")
    op.drop_column("browser_sessions", "key_id")
    op.drop_constraint(op.f(_REPLACES), "api_keys")
    op.drop_column("api_keys", "replaces_id")
    op.drop_column("api_keys", "last_used_at")
    op.drop_index("ix_job_events_trail", "job_events")
    op.drop_table("audit_entries")


def _moment(name: str) -> sa.Column[object]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, server_default=sa.text("clock_timestamp()"), nullable=False)
