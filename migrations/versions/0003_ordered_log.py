"""The ordered log of jobs: events, snapshots, expensive steps.

Jobs that are live keep their versions and reports; their state is computed again from these when they are
steered next, since what was stored so far is that of a policy alone.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EVENTS = (
    "result", "too_late", "attempt", "pin", "freeze", "release", "rollback", "retire", "readmit", "shadow",
    "domain", "reset",
)  # fmt: skip
_STATES = ("queued", "running", "done", "failed")


def upgrade() -> None:
    op.create_table(
        "job_events",
        _job(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", _one_of("eventkind", _EVENTS), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reported_step", sa.BigInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("taken_back", sa.Boolean(), nullable=False),
        _created(),
        _of_a_job("job_events"),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_job_events")),
    )
    op.create_table(
        "job_snapshots",
        _job(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("build", sa.String(), nullable=False),
        _created(),
        _of_a_job("job_snapshots"),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_job_snapshots")),
    )
    op.create_table(
        "expensive_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        _job(),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step_from", sa.BigInteger(), nullable=False),
        sa.Column("step_to", sa.BigInteger(), nullable=False),
        sa.Column("state", _one_of("taskstate", _STATES), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        _created(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _of_a_job("expensive_steps"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expensive_steps")),
        sa.UniqueConstraint(
            "job_id", "attempt", "step_from", "step_to",
            name=op.f("uq_expensive_steps_job_id_attempt_step_from_step_to"),
        ),
    )  # fmt: skip
    op.create_index(
        "ix_reports_waiting",
        "reports",
        ["job_id", "attempt"],
        postgresql_where=sa.text("applied_seq IS NULL AND late IS FALSE AND taken_back IS FALSE"),
    )
    _change_jobs()
    _change_stages()


def downgrade() -> None:
    live = op.get_bind().scalar(sa.text("SELECT count(*) FROM jobs"))
    if live:
        raise RuntimeError(f"the log of {live} jobs fits no older schema: delete them, or restore a backup")
    op.drop_index("ix_reports_waiting", "reports")
    for name in ("build", "superseded", "published_from"):
        op.drop_column("schedule_stages", name)
    state = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("schedule_stages", sa.Column("policy_state", state, nullable=False))
    op.drop_column("attempts", "definition")
    op.drop_column("jobs", "build")
    op.alter_column("jobs", "state", new_column_name="policy_state")
    for table in ("expensive_steps", "job_snapshots", "job_events"):
        op.drop_table(table)


def _change_jobs() -> None:
    op.alter_column("jobs", "policy_state", new_column_name="state")
    op.add_column("jobs", sa.Column("build", sa.String(), nullable=False, server_default=""))
    op.alter_column("jobs", "build", server_default=None)
    op.add_column("attempts", sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute("UPDATE attempts SET definition = jobs.definition FROM jobs WHERE jobs.id = attempts.job_id")
    op.alter_column("attempts", "definition", nullable=False)


def _change_stages() -> None:
    op.drop_column("schedule_stages", "policy_state")
    op.add_column("schedule_stages", sa.Column("published_from", sa.BigInteger(), nullable=True))
    op.execute("UPDATE schedule_stages SET published_from = effective_step")
    op.alter_column("schedule_stages", "published_from", nullable=False)
    for name, kind, default in (("build", sa.String(), ""), ("superseded", sa.Boolean(), sa.false())):
        op.add_column("schedule_stages", sa.Column(name, kind, nullable=False, server_default=default))
        op.alter_column("schedule_stages", name, server_default=None)


def _job() -> sa.Column[object]:
    return sa.Column("job_id", sa.Uuid(), nullable=False)


def _created() -> sa.Column[object]:
    moment = sa.DateTime(timezone=True)
    return sa.Column("created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False)


def _of_a_job(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_job_id_jobs")
    return sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=name, ondelete="CASCADE")


def _one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)
