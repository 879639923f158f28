"""An index for claims: one from a study looks at that study's open runs alone.

Revision: 0012
Follows: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_proxy_runs_study_id_open",
        "proxy_runs",
        ["study_id", "id"],
        postgresql_where="state IN ('pending', 'running')",
    )


def downgrade() -> None:
    op.drop_index("ix_proxy_runs_study_id_open", "proxy_runs")
