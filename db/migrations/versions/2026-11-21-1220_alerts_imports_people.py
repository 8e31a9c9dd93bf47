"""alerts, imports, people

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db import functions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FREE = (
    "alert", "alert_settings", "expected_receipt", "password_link", "warehouse_threshold", "import_file",
    "job_line", "refresh_token",
)  # fmt: skip
GROWING = ("movement_note", "replacement")
# What people entered; a way back would lose it.
PRECIOUS = ("alert", "expected_receipt", "warehouse_threshold", "movement_note", "replacement", "import_file")
OLD_STATES = "state IN ('applied', 'refused')"
NEW_STATES = (
    "state IN ('uploaded', 'reading', 'read', 'checking', 'checked', 'applying', 'applied', 'refused',"
    " 'failed', 'discarded')"
)


def upgrade() -> None:
    op.create_table(
        "alert_settings",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("alert_threshold_days", sa.SmallInteger(), server_default=sa.text("14"), nullable=False),
        sa.Column("low_stock_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "predicted_depletion_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.CheckConstraint(
            "alert_threshold_days BETWEEN 1 AND 120", name=op.f("ck_alert_settings_alert_threshold_days")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_alert_settings_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_settings")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("chance", sa.Double(), nullable=True),
        sa.Column(
            "money_at_risk", sa.Numeric(precision=28, scale=4), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("raised_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("acknowledged_by", sa.Integer(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("snoozed_chance", sa.Double(), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_because", sa.String(), nullable=True),
        sa.Column("is_quiet", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_alert_resolved_at")
        ),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alert_severity")),
        sa.CheckConstraint(
            "state <> 'snoozed' OR snoozed_until IS NOT NULL OR snoozed_chance IS NOT NULL",
            name=op.f("ck_alert_snoozed"),
        ),
        sa.CheckConstraint(
            "state IN ('active', 'acknowledged', 'snoozed', 'resolved')", name=op.f("ck_alert_state")
        ),
        sa.CheckConstraint("type IN ('low_stock', 'predicted_depletion')", name=op.f("ck_alert_type")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["person.id"], name=op.f("fk_alert_acknowledged_by_person")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_alert_product_id_product")),
        sa.ForeignKeyConstraint(["resolved_by"], ["person.id"], name=op.f("fk_alert_resolved_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("uid", name=op.f("uq_alert_uid")),
    )
    op.create_index(
        "ix_alert_open_money",
        "alert",
        ["money_at_risk"],
        unique=False,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index("ix_alert_product_id", "alert", ["product_id", "id"], unique=False)
    op.create_index("ix_alert_resolved_at", "alert", ["resolved_at"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["product_id", "type"],
        unique=True,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_table(
        "expected_receipt",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "closed_because IN ('received', 'cancelled')", name=op.f("ck_expected_receipt_closed_because")
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_because IS NULL)", name=op.f("ck_expected_receipt_closed")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_expected_receipt_quantity")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_expected_receipt_created_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_expected_receipt_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_expected_receipt_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_receipt")),
        sa.UniqueConstraint("uid", name=op.f("uq_expected_receipt_uid")),
    )
    op.create_index(
        "ix_expected_receipt_open",
        "expected_receipt",
        ["product_id", "warehouse_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(op.f("ix_expected_receipt_product_id"), "expected_receipt", ["product_id"], unique=False)
    op.create_table(
        "password_link",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('invite', 'reset')", name=op.f("ck_password_link_kind")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_password_link_created_by_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_password_link_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_link_token_hash")),
    )
    op.create_index(op.f("ix_password_link_person_id"), "password_link", ["person_id"], unique=False)
    op.create_table(
        "warehouse_threshold",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("reorder_threshold", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.CheckConstraint("reorder_threshold >= 0", name=op.f("ck_warehouse_threshold_reorder_threshold")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_warehouse_threshold_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_warehouse_threshold_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("product_id", "warehouse_id", name=op.f("pk_warehouse_threshold")),
    )
    op.create_index(
        op.f("ix_warehouse_threshold_warehouse_id"), "warehouse_threshold", ["warehouse_id"], unique=False
    )
    op.create_table(
        "import_file",
        sa.Column("import_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_file_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_file")),
    )
    op.create_table(
        "job_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_run_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_run_id"], ["job_run.id"], name=op.f("fk_job_line_job_run_id_job_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_line")),
    )
    op.create_index(op.f("ix_job_line_job_run_id"), "job_line", ["job_run_id"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sign_in_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_in.id"], name=op.f("fk_refresh_token_sign_in_id_sign_in")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_token_token_hash")),
    )
    op.create_index(op.f("ix_refresh_token_sign_in_id"), "refresh_token", ["sign_in_id"], unique=False)
    op.create_table(
        "movement_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("movement_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("reference_type", sa.String(), nullable=True),
        sa.Column("reference_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_movement_note_actor_id_person")),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_movement_note_movement_id_movement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement_note")),
    )
    op.create_index(op.f("ix_movement_note_movement_id"), "movement_note", ["movement_id"], unique=False)
    op.create_table(
        "replacement",
        sa.Column("movement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replaces_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_replacement_movement_id_movement")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["movement.id"], name=op.f("fk_replacement_replaces_id_movement")
        ),
        sa.PrimaryKeyConstraint("movement_id", name=op.f("pk_replacement")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_replacement_replaces_id")),
    )
    op.add_column("audit_line", sa.Column("request_id", sa.String(), nullable=True))
    op.create_index("ix_audit_line_actor_id", "audit_line", ["actor_id", "id"], unique=False)
    op.create_index("ix_audit_line_action", "audit_line", ["action", "id"], unique=False)
    op.add_column("import", sa.Column("file_size", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("headers", postgresql.JSONB(), nullable=True))
    op.add_column("import", sa.Column("problem", sa.String(), nullable=True))
    op.add_column("import", sa.Column("preview", postgresql.JSONB(), nullable=True))
    op.alter_column(
        "import",
        "finished_at",
        existing_type=postgresql.TIMESTAMP(timezone=True),
        nullable=True,
        existing_server_default=sa.text("now()"),
    )
    op.add_column("job_run", sa.Column("subject", sa.String(), nullable=True))
    op.drop_index("uq_job_run_asked", table_name="job_run")
    op.create_index(
        "uq_job_run_asked",
        "job_run",
        ["job", sa.literal_column("coalesce(subject, '')")],
        unique=True,
        postgresql_where=sa.text("requested_by IS NOT NULL AND state IN ('queued', 'running')"),
    )
    op.add_column("run_out", sa.Column("due", postgresql.JSONB(), nullable=True))
    op.add_column(
        "sign_in", sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.add_column(
        "sign_in", sa.Column("kind", sa.String(), server_default=sa.text("'browser'"), nullable=False)
    )
    op.add_column("sign_in", sa.Column("device", sa.String(), nullable=True))
    op.add_column("sign_in", sa.Column("address", sa.String(), nullable=True))
    op.alter_column("sign_in", "token_hash", existing_type=postgresql.BYTEA(), nullable=True)
    op.create_unique_constraint(op.f("uq_sign_in_uid"), "sign_in", ["uid"])
    op.create_check_constraint(op.f("ck_sign_in_kind"), "sign_in", "kind IN ('browser', 'api')")
    op.create_check_constraint(
        op.f("ck_sign_in_token_hash"), "sign_in", "(kind = 'browser') = (token_hash IS NOT NULL)"
    )
    op.alter_column("import", "finished_at", server_default=None)
    op.alter_column("import", "mode", server_default=sa.text("''"))
    for name in ("column_map", "options", "counts"):
        op.alter_column("import", name, server_default=sa.text("'{}'"))
    op.drop_constraint(op.f("ck_import_state"), "import")
    op.create_check_constraint(op.f("ck_import_state"), "import", NEW_STATES)
    op.create_check_constraint(op.f("ck_import_kind"), "import", "kind IN ('sales', 'stock', 'products')")
    op.drop_constraint(op.f("ck_import_issue_kind"), "import_issue")
    op.create_check_constraint(
        op.f("ck_import_issue_kind"), "import_issue", "kind IN ('skipped', 'error', 'note', 'change')"
    )
    op.execute("INSERT INTO alert_settings (id) VALUES (1)")
    for table in FREE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO runout_app")
    for table in GROWING:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO runout_app")
    # Its rows live for one transaction: statistics of any moment say that the next batch is not there, and a
    # plan made from them compared 50,000 lines with 50,000 lines one by one.
    op.execute("ALTER TABLE posting_line SET (autovacuum_analyze_threshold = 2147483647)")
    # The posting functions say which ids they are about to draw. A way back may leave them as they are.
    for name in ("announce_ids", "post_stock_lines", "post_stock", "thresholds_of"):
        op.execute(sa.text(functions.source(name).replace(":", "\\:")))
    op.execute("REVOKE EXECUTE ON FUNCTION announce_ids(), thresholds_of(jsonb) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION thresholds_of(jsonb) TO runout_app")


def downgrade() -> None:
    """Refused while the new tables hold what people entered, or somebody would lose it without a word."""
    connection = op.get_bind()
    held = [t for t in PRECIOUS if connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {t})"))]
    if connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM import WHERE NOT {OLD_STATES})")):
        held.append("import (files that were not applied)")
    if held:
        raise RuntimeError(f"Refused: going back would lose what is in {', '.join(held)}.")
    op.execute("ALTER TABLE posting_line RESET (autovacuum_analyze_threshold)")
    # Programs sign in again.
    op.execute("DELETE FROM refresh_token")
    op.execute("DELETE FROM sign_in WHERE kind = 'api'")
    op.drop_constraint(op.f("ck_sign_in_token_hash"), "sign_in")
    op.drop_constraint(op.f("ck_sign_in_kind"), "sign_in")
    op.execute("DELETE FROM import_issue WHERE kind = 'change'")
    op.drop_constraint(op.f("ck_import_issue_kind"), "import_issue")
    op.create_check_constraint(
        op.f("ck_import_issue_kind"), "import_issue", "kind IN ('skipped', 'error', 'note')"
    )
    op.drop_constraint(op.f("ck_import_kind"), "import")
    op.drop_constraint(op.f("ck_import_state"), "import")
    op.create_check_constraint(op.f("ck_import_state"), "import", OLD_STATES)
    op.execute("UPDATE import SET finished_at = started_at WHERE finished_at IS NULL")
    op.alter_column("import", "finished_at", server_default=sa.text("now()"))
    for name in ("mode", "column_map", "options", "counts"):
        op.alter_column("import", name, server_default=None)
    op.drop_constraint(op.f("uq_sign_in_uid"), "sign_in", type_="unique")
    op.alter_column("sign_in", "token_hash", existing_type=postgresql.BYTEA(), nullable=False)
    op.drop_column("sign_in", "address")
    op.drop_column("sign_in", "device")
    op.drop_column("sign_in", "kind")
    op.drop_column("sign_in", "uid")
    op.drop_column("run_out", "due")
    op.drop_index(
        "uq_job_run_asked",
        table_name="job_run",
        postgresql_where=sa.text("requested_by IS NOT NULL AND state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_job_run_asked",
        "job_run",
        ["job"],
        unique=True,
        postgresql_where=sa.text("requested_by IS NOT NULL AND state IN ('queued', 'running')"),
    )
    op.drop_column("job_run", "subject")
    op.alter_column(
        "import",
        "finished_at",
        existing_type=postgresql.TIMESTAMP(timezone=True),
        nullable=False,
        existing_server_default=sa.text("now()"),
    )
    op.drop_column("import", "preview")
    op.drop_column("import", "problem")
    op.drop_column("import", "headers")
    op.drop_column("import", "file_size")
    op.drop_index("ix_audit_line_action", table_name="audit_line")
    op.drop_index("ix_audit_line_actor_id", table_name="audit_line")
    op.drop_column("audit_line", "request_id")
    op.drop_table("replacement")
    op.drop_index(op.f("ix_movement_note_movement_id"), table_name="movement_note")
    op.drop_table("movement_note")
    op.drop_index(op.f("ix_refresh_token_sign_in_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_job_line_job_run_id"), table_name="job_line")
    op.drop_table("job_line")
    op.drop_table("import_file")
    op.drop_index(op.f("ix_warehouse_threshold_warehouse_id"), table_name="warehouse_threshold")
    op.drop_table("warehouse_threshold")
    op.drop_index(op.f("ix_password_link_person_id"), table_name="password_link")
    op.drop_table("password_link")
    op.drop_index(op.f("ix_expected_receipt_product_id"), table_name="expected_receipt")
    op.drop_index(
        "ix_expected_receipt_open",
        table_name="expected_receipt",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_table("expected_receipt")
    op.drop_index("uq_alert_open", table_name="alert", postgresql_where=sa.text("state <> 'resolved'"))
    op.drop_index("ix_alert_resolved_at", table_name="alert")
    op.drop_index("ix_alert_product_id", table_name="alert")
    op.drop_index("ix_alert_open_money", table_name="alert", postgresql_where=sa.text("state <> 'resolved'"))
    op.drop_table("alert")
    op.drop_table("alert_settings")
