"""An index for the first page: what needs attention is looked for among live jobs alone.

Revision: 0014
Follows: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_jobs_project_id_live", "jobs", ["project_id", "id"], postgresql_where="ended_at IS NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_project_id_live", "jobs")
