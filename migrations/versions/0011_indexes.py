"""Indexes for lists: pages of one study or project cost the same however many others there are.

Revision: 0011
Follows: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NEW = {
    "ix_studies_project_id_id": ("studies", ["project_id", "id"]),
    "ix_jobs_project_id_id": ("jobs", ["project_id", "id"]),
    "ix_proxy_runs_study_id_id": ("proxy_runs", ["study_id", "id"]),
    "ix_proxy_runs_study_id_state_id": ("proxy_runs", ["study_id", "state", "id"]),
}


def upgrade() -> None:
    for name, (table, columns) in _NEW.items():
        op.create_index(name, table, columns)
    op.drop_index("ix_proxy_runs_study_id", "proxy_runs")


def downgrade() -> None:
    op.create_index("ix_proxy_runs_study_id", "proxy_runs", ["study_id"])
    for name, (table, _) in _NEW.items():
        op.drop_index(name, table)
