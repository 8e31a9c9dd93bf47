"""job runs

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'abandoned')",
            name=op.f("ck_job_run_state"),
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["person.id"], name=op.f("fk_job_run_requested_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "slot", name=op.f("uq_job_run_job_slot")),
    )
    op.create_index("ix_job_run_job_id", "job_run", ["job", "id"])
    op.create_index(
        "ix_job_run_open",
        "job_run",
        ["state", "id"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_job_run_asked",
        "job_run",
        ["job"],
        unique=True,
        postgresql_where=sa.text("requested_by IS NOT NULL AND state IN ('queued', 'running')"),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    for table in ("job_run", "worker"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO runout_app")


def downgrade() -> None:
    """The history of runs goes; refused while a run is open, because its effect would lose its guard."""
    open_runs = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM job_run WHERE state IN ('queued', 'running')")
    )
    if open_runs:
        raise RuntimeError(f"Refused: {open_runs} job runs are open; stop the scheduler and let them end.")
    op.drop_table("worker")
    op.drop_table("job_run")
