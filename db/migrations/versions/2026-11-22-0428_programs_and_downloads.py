"""programs and downloads

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db import functions

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What people did since; a way back would lose it.
PRECIOUS = {
    "API keys": "SELECT FROM api_key",
    "who is told of alerts": "SELECT FROM alert_settings"
    " WHERE cardinality(notify_emails) > 0 OR notify_webhook IS NOT NULL",
}
# What the app does with each table; who did what stays, and so do the marks of a ledger that only grows.
GRANTS = {
    "alert_message": "SELECT, INSERT, UPDATE, DELETE",
    "api_key": "SELECT, INSERT, UPDATE",
    "download_file": "SELECT, INSERT, DELETE",
    "download_ticket": "SELECT, INSERT, UPDATE, DELETE",
    "key_posting": "SELECT, INSERT",
    "ledger_mark": "SELECT, INSERT",
}


def upgrade() -> None:
    op.create_table(
        "ledger_mark",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("movement_id", sa.BigInteger(), nullable=False),
        sa.Column("last_recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_ledger_mark")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_ledger_mark_movement_id")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_address", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("cardinality(rights) > 0", name=op.f("ck_api_key_rights")),
        sa.CheckConstraint("per_minute > 0", name=op.f("ck_api_key_per_minute")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_api_key_created_by_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_key_person_id_person")),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"], name=op.f("fk_api_key_revoked_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_key_token_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_api_key_uid")),
    )
    op.create_index("ix_api_key_person_id", "api_key", ["person_id"], unique=False)
    op.create_table(
        "download_ticket",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sign_in_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "asked", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_in.id"], name=op.f("fk_download_ticket_sign_in_id_sign_in")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download_ticket")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_download_ticket_token_hash")),
    )
    op.create_index("ix_download_ticket_expires_at", "download_ticket", ["expires_at"], unique=False)
    op.create_index(op.f("ix_download_ticket_sign_in_id"), "download_ticket", ["sign_in_id"], unique=False)
    op.create_table(
        "download_file",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["download_ticket.id"],
            name=op.f("fk_download_file_ticket_id_download_ticket"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_download_file")),
    )
    op.create_table(
        "key_posting",
        sa.Column("posting_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name=op.f("fk_key_posting_api_key_id_api_key")
        ),
        sa.ForeignKeyConstraint(
            ["posting_id"], ["posting.id"], name=op.f("fk_key_posting_posting_id_posting")
        ),
        sa.PrimaryKeyConstraint("posting_id", name=op.f("pk_key_posting")),
    )
    op.create_index("ix_key_posting_api_key_id", "key_posting", ["api_key_id", "posting_id"], unique=False)
    op.add_column("audit_line", sa.Column("api_key_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_audit_line_api_key_id_api_key"), "audit_line", "api_key", ["api_key_id"], ["id"]
    )
    op.create_index(
        "ix_audit_line_api_key_id",
        "audit_line",
        ["api_key_id", "id"],
        unique=False,
        postgresql_where=sa.text("api_key_id IS NOT NULL"),
    )
    _alerts_are_told()
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO runout_app")
    op.execute(sa.text(functions.source("post_stock_each").replace(":", "\\:")))
    op.execute("REVOKE EXECUTE ON FUNCTION post_stock_each(jsonb) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION post_stock_each(jsonb) TO runout_app")


def _alerts_are_told() -> None:
    severities = "IN ('info', 'warning', 'critical')"
    for column in (
        sa.Column(
            "notify_emails", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("notify_webhook", sa.String(), nullable=True),
        sa.Column("notify_severity", sa.String(), server_default=sa.text("'critical'"), nullable=False),
        sa.Column("notify_since", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("alert_settings", column)
    op.create_check_constraint("notify_severity", "alert_settings", f"notify_severity {severities}")
    op.create_check_constraint("notify_emails", "alert_settings", "cardinality(notify_emails) <= 20")
    op.create_table(
        "alert_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("target IN ('email', 'webhook')", name=op.f("ck_alert_message_target")),
        sa.CheckConstraint(f"severity {severities}", name=op.f("ck_alert_message_severity")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name=op.f("ck_alert_message_state")),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_alert_message_sent_at")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_message_alert_id_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_message")),
        sa.UniqueConstraint("uid", name=op.f("uq_alert_message_uid")),
        sa.UniqueConstraint(
            "alert_id", "target", "severity", name=op.f("uq_alert_message_alert_id_target_severity")
        ),
    )
    op.create_index(
        "ix_alert_message_unsent",
        "alert_message",
        ["target", "next_try_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'sent'"),
    )
    op.create_index("ix_alert_message_target", "alert_message", ["target", "sent_at"], unique=False)
    op.create_index("ix_alert_message_created_at", "alert_message", ["created_at"], unique=False)


def downgrade() -> None:
    """Refused while it would lose what people entered or did."""
    connection = op.get_bind()
    held = [what for what, rows in PRECIOUS.items() if connection.scalar(sa.text(f"SELECT EXISTS ({rows})"))]
    if held:
        raise RuntimeError(f"Refused: going back would lose {', '.join(held)}.")
    op.drop_index("ix_alert_message_created_at", table_name="alert_message")
    op.drop_index("ix_alert_message_target", table_name="alert_message")
    op.drop_index("ix_alert_message_unsent", table_name="alert_message")
    op.drop_table("alert_message")
    op.drop_constraint("ck_alert_settings_notify_emails", "alert_settings")
    op.drop_constraint("ck_alert_settings_notify_severity", "alert_settings")
    for column in ("notify_since", "notify_severity", "notify_webhook", "notify_emails"):
        op.drop_column("alert_settings", column)
    op.execute("DROP FUNCTION post_stock_each(jsonb)")
    op.drop_table("download_file")
    op.drop_index(op.f("ix_download_ticket_sign_in_id"), table_name="download_ticket")
    op.drop_index("ix_download_ticket_expires_at", table_name="download_ticket")
    op.drop_table("download_ticket")
    op.drop_index("ix_audit_line_api_key_id", table_name="audit_line")
    op.drop_constraint(op.f("fk_audit_line_api_key_id_api_key"), "audit_line", type_="foreignkey")
    op.drop_column("audit_line", "api_key_id")
    op.drop_index("ix_key_posting_api_key_id", table_name="key_posting")
    op.drop_table("key_posting")
    op.drop_index("ix_api_key_person_id", table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("ledger_mark")
