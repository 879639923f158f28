"""Notes of studies: edited by people, each edit counted. Null until the first: those of the definition hold.

Revision: 0013
Follows: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studies", sa.Column("notes", sa.String(), nullable=True))
    op.add_column("studies", sa.Column("notes_revision", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("studies", "notes_revision")
    op.drop_column("studies", "notes")
