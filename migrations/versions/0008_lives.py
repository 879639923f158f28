"""Whole lives: ends and notes of runs, names that clients chose, ends of jobs, deletion, domain sets.

Runs that were imported keep their names: these become the ids that their client chose.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATES = ("pending", "running", "completed", "failed")
_ENDS = ("cancelled", "invalid")
_OWNED = ("studies", "jobs")


def upgrade() -> None:
    _change_runs()
    op.create_index(
        "ix_proxy_runs_held", "proxy_runs", ["worker"], postgresql_where=sa.text("state = 'running'")
    )
    op.create_unique_constraint(
        op.f("uq_proxy_runs_study_id_client_id"), "proxy_runs", ["study_id", "client_id"]
    )
    for table in _OWNED:
        op.alter_column(table, "project_id", nullable=True)
    op.add_column("jobs", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("ended_by", "end_reason"):
        op.add_column("jobs", sa.Column(name, sa.String(), nullable=True))
    forgotten = sa.Column("reports_forgotten", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("jobs", forgotten)
    _create_domain_sets()


def downgrade() -> None:
    op.execute("DELETE FROM studies WHERE project_id IS NULL")
    op.execute("DELETE FROM jobs WHERE project_id IS NULL")
    runs = "SELECT count(*) FROM proxy_runs WHERE state IN ('cancelled', 'invalid')"
    jobs = "SELECT count(*) FROM jobs WHERE ended_at IS NOT NULL"
    lost = sum(op.get_bind().scalar(sa.text(query)) or 0 for query in (runs, jobs))
    if lost:
        raise RuntimeError(f"{lost} runs and jobs were ended in ways that no older schema knows: delete them")
    op.drop_table("domain_sets")
    for name in ("ended_at", "ended_by", "end_reason", "reports_forgotten"):
        op.drop_column("jobs", name)
    for table in _OWNED:
        op.alter_column(table, "project_id", nullable=False)
    op.drop_constraint(op.f("uq_proxy_runs_study_id_client_id"), "proxy_runs")
    op.drop_index("ix_proxy_runs_held", "proxy_runs")
    for name in ("client_id", "notes", "tags", "revision"):
        op.drop_column("proxy_runs", name)
    _allow_states(_STATES)


def _change_runs() -> None:
    _allow_states((*_STATES, *_ENDS))
    op.add_column("proxy_runs", sa.Column("client_id", sa.String(), nullable=True))
    op.add_column("proxy_runs", sa.Column("notes", sa.String(), server_default="", nullable=False))
    tags = postgresql.ARRAY(sa.Text())
    op.add_column("proxy_runs", sa.Column("tags", tags, server_default=sa.text("'{}'"), nullable=False))
    op.add_column(
        "proxy_runs", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.execute("UPDATE proxy_runs SET client_id = label WHERE jsonb_exists(train, 'imported')")


def _allow_states(states: tuple[str, ...]) -> None:
    name = op.f("ck_proxy_runs_runstate")
    op.drop_constraint(name, "proxy_runs")
    op.create_check_constraint(name, "proxy_runs", f"state IN {states}")


def _create_domain_sets() -> None:
    op.create_table(
        "domain_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("domains", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_domain_sets_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_sets")),
        sa.UniqueConstraint(
            "project_id", "name", "version", name=op.f("uq_domain_sets_project_id_name_version")
        ),
    )
