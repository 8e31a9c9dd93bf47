"""forecasts people can trust

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FREE = ("demand_event", "demand_exclusion", "demand_pattern", "forecast_edit", "issued_range")
# What people entered and what was promised; a way back would lose it.
PRECIOUS = ("demand_event", "demand_exclusion", "forecast_edit", "issued_range")


def upgrade() -> None:
    op.create_table(
        "demand_event",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("warehouse_id", sa.Integer(), nullable=True),
        sa.Column("effect_percent", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('promotion', 'closed', 'other')", name=op.f("ck_demand_event_kind")),
        sa.CheckConstraint(
            "effect_percent BETWEEN -100 AND 10000", name=op.f("ck_demand_event_effect_percent")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_demand_event_days")),
        sa.CheckConstraint("product_id IS NULL OR category IS NULL", name=op.f("ck_demand_event_about")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_demand_event_created_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_demand_event_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_demand_event_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_event")),
        sa.UniqueConstraint("uid", name=op.f("uq_demand_event_uid")),
    )
    op.create_index(
        "ix_demand_event_open",
        "demand_event",
        ["starts_on"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("ix_demand_event_product_id", "demand_event", ["product_id"], unique=False)
    op.create_index("ix_demand_event_warehouse_id", "demand_event", ["warehouse_id"], unique=False)
    op.create_table(
        "demand_pattern",
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("parts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_demand_pattern_product_id_product")
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_demand_pattern")),
    )
    op.create_table(
        "forecast_edit",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("adds", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("replaces", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("edited_by", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "adds IS NOT NULL OR replaces IS NOT NULL", name=op.f("ck_forecast_edit_something")
        ),
        sa.CheckConstraint("extract(isodow FROM week_on) = 1", name=op.f("ck_forecast_edit_week_on")),
        sa.CheckConstraint("replaces >= 0", name=op.f("ck_forecast_edit_replaces")),
        sa.ForeignKeyConstraint(["edited_by"], ["person.id"], name=op.f("fk_forecast_edit_edited_by_person")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_forecast_edit_product_id_product")
        ),
        sa.PrimaryKeyConstraint("product_id", "week_on", name=op.f("pk_forecast_edit")),
    )
    op.create_table(
        "issued_range",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("demand_class", sa.String(), nullable=True),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("due", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("p10_on", sa.Date(), nullable=False),
        sa.Column("p50_on", sa.Date(), nullable=True),
        sa.Column("p90_on", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("chance_14", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("ran_out_on", sa.Date(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (closed_on IS NULL)", name=op.f("ck_issued_range_closed_on")),
        sa.CheckConstraint(
            "state IN ('open', 'inside', 'early', 'late', 'void')", name=op.f("ck_issued_range_state")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_issued_range_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_range")),
    )
    op.create_index("ix_issued_range_issued_on", "issued_range", ["issued_on"], unique=False)
    op.create_index(
        "ix_issued_range_over",
        "issued_range",
        [sa.literal_column("coalesce(p90_on, until)")],
        unique=False,
        postgresql_where=sa.text("state <> 'open'"),
    )
    op.create_index(
        "ix_issued_range_class_over",
        "issued_range",
        ["demand_class", sa.literal_column("coalesce(p90_on, until)")],
        unique=False,
        postgresql_where=sa.text("state IN ('inside', 'early', 'late')"),
    )
    op.create_index(
        "ix_issued_range_open",
        "issued_range",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("uq_issued_range_day", "issued_range", ["product_id", "issued_on"], unique=True)
    op.create_table(
        "demand_exclusion",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("movement_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(movement_id IS NULL) = (starts_on IS NOT NULL)", name=op.f("ck_demand_exclusion_days_or_sale")
        ),
        sa.CheckConstraint(
            "(starts_on IS NULL) = (ends_on IS NULL)", name=op.f("ck_demand_exclusion_both_days")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_demand_exclusion_days")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_demand_exclusion_created_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_demand_exclusion_movement_id_movement")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_demand_exclusion_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["person.id"], name=op.f("fk_demand_exclusion_undone_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_exclusion")),
        sa.UniqueConstraint("uid", name=op.f("uq_demand_exclusion_uid")),
    )
    op.create_index(
        "ix_demand_exclusion_open",
        "demand_exclusion",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index(op.f("ix_demand_exclusion_product_id"), "demand_exclusion", ["product_id"], unique=False)
    op.create_index(
        "uq_demand_exclusion_movement",
        "demand_exclusion",
        ["movement_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.add_column(
        "forecast",
        sa.Column("limited", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("forecast", sa.Column("would_help", sa.String(), nullable=True))
    op.create_index(
        "ix_forecast_tested",
        "forecast",
        ["demand_class"],
        unique=False,
        postgresql_where=sa.text("is_current AND warehouse_id IS NULL AND scores -> 'tasks' IS NOT NULL"),
    )
    op.create_index(
        "ix_forecast_whole",
        "forecast",
        ["state", "demand_class", "product_id"],
        unique=False,
        postgresql_where=sa.text("is_current AND warehouse_id IS NULL"),
    )
    op.create_index(
        "ix_forecast_failed",
        "forecast",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.add_column(
        "model_run",
        sa.Column("report", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("product", sa.Column("predecessor_id", sa.Integer(), nullable=True))
    op.add_column("product", sa.Column("predecessor_set_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_product_predecessor_id", "product", ["predecessor_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_product_predecessor_id_product"), "product", "product", ["predecessor_id"], ["id"]
    )
    op.create_check_constraint(op.f("ck_product_predecessor"), "product", "predecessor_id <> id")
    op.add_column(
        "run_out",
        sa.Column("edits", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    for table in FREE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO runout_app")


def downgrade() -> None:
    """Refused while it would lose what people entered or what was promised."""
    connection = op.get_bind()
    held = [t for t in PRECIOUS if connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {t})"))]
    if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM product WHERE predecessor_id IS NOT NULL)")):
        held.append("product (which product replaces which)")
    if held:
        raise RuntimeError(f"Refused: going back would lose what is in {', '.join(held)}.")
    op.drop_constraint(op.f("ck_product_predecessor"), "product")
    op.drop_column("run_out", "edits")
    op.drop_constraint(op.f("fk_product_predecessor_id_product"), "product", type_="foreignkey")
    op.drop_index("ix_product_predecessor_id", table_name="product")
    op.drop_column("product", "predecessor_set_at")
    op.drop_column("product", "predecessor_id")
    op.drop_column("model_run", "report")
    op.drop_index("ix_forecast_failed", table_name="forecast")
    op.drop_index("ix_forecast_whole", table_name="forecast")
    op.drop_index("ix_forecast_tested", table_name="forecast")
    op.drop_column("forecast", "would_help")
    op.drop_column("forecast", "limited")
    op.drop_index(
        "uq_demand_exclusion_movement",
        table_name="demand_exclusion",
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_index(op.f("ix_demand_exclusion_product_id"), table_name="demand_exclusion")
    op.drop_index(
        "ix_demand_exclusion_open",
        table_name="demand_exclusion",
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_table("demand_exclusion")
    op.drop_index("uq_issued_range_day", table_name="issued_range")
    op.drop_index(
        "ix_issued_range_open", table_name="issued_range", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_table("issued_range")
    op.drop_table("forecast_edit")
    op.drop_table("demand_pattern")
    op.drop_index("ix_demand_event_warehouse_id", table_name="demand_event")
    op.drop_index("ix_demand_event_product_id", table_name="demand_event")
    op.drop_index(
        "ix_demand_event_open", table_name="demand_event", postgresql_where=sa.text("removed_at IS NULL")
    )
    op.drop_table("demand_event")
