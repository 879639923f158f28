"""What the conventions of the API need: a secret that signs cursors, and answers that are kept for repeats.

Revision: 0004
Follows: 0003
"""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "installation_secrets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_secrets")),
    )
    op.bulk_insert(made, [{"name": "cursors", "value": secrets.token_bytes(32)}])
    op.create_table(
        "kept_answers",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("without_secret", sa.Boolean(), nullable=False),
        _created(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_kept_answers_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "idempotency_key", name=op.f("pk_kept_answers")),
    )  # fmt: skip
    op.create_index(op.f("ix_kept_answers_expires_at"), "kept_answers", ["expires_at"])
    op.create_index(op.f("ix_kept_answers_project_id"), "kept_answers", ["project_id"])


def downgrade() -> None:
    op.drop_table("kept_answers")
    op.drop_table("installation_secrets")


def _created() -> sa.Column[object]:
    moment = sa.DateTime(timezone=True)
    return sa.Column("created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False)
