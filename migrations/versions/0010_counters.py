"""Counters of jobs, so that a list of them reads neither reports nor versions.

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEW = {
    "jobs": ("reports", "reports_late", "versions_published"),
    "attempts": ("versions_applied", "versions_too_late"),
}
_COUNT = """
UPDATE jobs SET
  reports = (SELECT count(*) FROM reports AS r WHERE r.job_id = jobs.id),
  reports_late = (SELECT count(*) FROM reports AS r WHERE r.job_id = jobs.id AND r.late),
  versions_published = (SELECT count(*) FROM schedule_stages AS s WHERE s.job_id = jobs.id AND s.version > 1)
"""
_COUNT_STAGES = """
UPDATE attempts SET versions_applied = counted.applied, versions_too_late = counted.too_late
FROM (
  SELECT job_id, attempt, count(applied_at_step) AS applied, count(*) FILTER (WHERE too_late) AS too_late
  FROM schedule_stages WHERE version > 1 GROUP BY job_id, attempt
) AS counted
WHERE counted.job_id = attempts.job_id AND counted.attempt = attempts.number
"""


def upgrade() -> None:
    for table, names in _NEW.items():
        for name in names:
            zero = sa.text("0")
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default=zero, nullable=False))
    op.alter_column("jobs", "duplicates", server_default=sa.text("0"))
    op.execute(_COUNT)
    op.execute(_COUNT_STAGES)


def downgrade() -> None:
    for table, names in _NEW.items():
        for name in names:
            op.drop_column(table, name)
    op.alter_column("jobs", "duplicates", server_default=None)
