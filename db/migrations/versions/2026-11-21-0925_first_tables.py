"""first tables

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db import functions

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


REASONS = [
    ("sale", "Sale", True),
    ("issue", "Issued or used", True),
    ("receipt", "Receipt", False),
    ("opening", "Opening stock", False),
    ("return", "Customer return", False),
    ("vendor_return", "Returned to vendor", False),
    ("count", "Stock count", False),
    ("damage", "Damaged or expired", False),
    ("loss", "Lost or stolen", False),
    ("correction", "Correction", False),
    ("transfer", "Transfer", False),
    ("reconstructed", "Reconstructed from sales", False),
]
# Written by the posting functions only.
LEDGER = ("posting", "movement", "stock_level", "stock_day")
GROWING = ("posting", "movement", "audit_line")
FREE = (
    "shop", "person", "sign_in", "sign_in_attempt", "warehouse", "product", "barcode", "vendor",
    "vendor_price", "model_run", "forecast", "run_out", "import", "import_line", "import_issue",
)  # fmt: skip


def upgrade() -> None:
    op.execute("CREATE SEQUENCE movement_id_seq AS bigint")
    op.execute("CREATE SEQUENCE posting_id_seq AS bigint")
    _make_tables()
    for name in functions.NAMES:
        op.execute(sa.text(functions.source(name).replace(":", "\\:")))
    for table in GROWING:
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_ledger()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_empties BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION keep_ledger()"
        )
    reason = sa.table("reason", sa.column("code"), sa.column("label"), sa.column("is_demand"))
    op.bulk_insert(reason, [{"code": c, "label": t, "is_demand": d} for c, t, d in REASONS])
    op.execute(
        "INSERT INTO shop (id, name, currency, locale, time_zone) VALUES (1, 'Runout', 'EUR', 'en_GB', 'UTC')"
    )
    _grant()


def _grant() -> None:
    """What `runout_app` may do. The ledger it may read; it writes it through the posting functions only."""
    for table in FREE:
        op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO runout_app')
    for table in (*LEDGER, "reason", "alembic_version"):
        op.execute(f"GRANT SELECT ON {table} TO runout_app")
    op.execute("GRANT SELECT, INSERT ON audit_line TO runout_app")
    op.execute("GRANT INSERT ON posting_line TO runout_app")
    op.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION post_stock(integer, text, text, bytea, jsonb) TO runout_app")
    op.execute(
        "GRANT EXECUTE ON FUNCTION post_stock_lines(integer, text, text, bytea, uuid, boolean) TO runout_app"
    )


def downgrade() -> None:
    """Would lose everything: the first revision only goes down on an empty shop."""
    kept = [
        table
        for table in ("movement", "person", "product", "warehouse", "vendor")
        if op.get_bind().scalar(sa.text(f"SELECT EXISTS (SELECT 1 FROM {table})"))
    ]
    if kept:
        raise RuntimeError(f"Refused: going below the first revision would lose every {', '.join(kept)}.")
    _drop_tables()
    op.execute("DROP SEQUENCE movement_id_seq")
    op.execute("DROP SEQUENCE posting_id_seq")
    for name in reversed(functions.NAMES):
        op.execute(f"DROP FUNCTION IF EXISTS {name}")


def _make_tables() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "password_changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("role IN ('viewer', 'user', 'manager', 'admin')", name=op.f("ck_person_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("uid", name=op.f("uq_person_uid")),
    )
    op.create_index("uq_person_email", "person", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "posting_line",
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("change", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference_type", sa.Text(), nullable=True),
        sa.Column("reference_id", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("returns_id", sa.BigInteger(), nullable=True),
        sa.Column("reverses_line", sa.Integer(), nullable=True),
        sa.Column("returns_line", sa.Integer(), nullable=True),
        sa.Column("counterpart_line", sa.Integer(), nullable=True),
        sa.Column("movement_id", sa.BigInteger(), nullable=True),
        sa.Column("stock_after", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("demand_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("batch", "line_no", name=op.f("pk_posting_line")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("unit_of_measure", sa.String(), server_default=sa.text("'each'"), nullable=False),
        sa.Column("unit_cost", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("reorder_threshold", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("lead_time_days", sa.SmallInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("lead_time_days BETWEEN 0 AND 365", name=op.f("ck_product_lead_time_days")),
        sa.CheckConstraint("reorder_threshold >= 0", name=op.f("ck_product_reorder_threshold")),
        sa.CheckConstraint("unit_cost >= 0", name=op.f("ck_product_unit_cost")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_product_unit_price")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("sku", name=op.f("uq_product_sku")),
        sa.UniqueConstraint("uid", name=op.f("uq_product_uid")),
    )
    op.create_index("ix_product_category", "product", ["category"], unique=False)
    op.create_index("ix_product_sku_lower", "product", [sa.literal_column("lower(sku)")], unique=False)
    op.create_table(
        "reason",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("is_demand", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_reason")),
    )
    op.create_table(
        "shop",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("default_lead_time_days", sa.SmallInteger(), server_default=sa.text("14"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_shop_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_address_at", "sign_in_attempt", ["address", "at"], unique=False)
    op.create_index("ix_sign_in_attempt_email_at", "sign_in_attempt", ["email", "at"], unique=False)
    op.create_table(
        "vendor",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("name", name=op.f("uq_vendor_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_vendor_uid")),
    )
    op.create_table(
        "warehouse",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouse_code")),
        sa.UniqueConstraint("uid", name=op.f("uq_warehouse_uid")),
    )
    op.create_index(
        "uq_warehouse_is_default",
        "warehouse",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "audit_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_audit_line_actor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_line")),
    )
    op.create_index("ix_audit_line_subject", "audit_line", ["subject_type", "subject_id"], unique=False)
    op.create_table(
        "barcode",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "pack_factor", sa.Numeric(precision=18, scale=4), server_default=sa.text("1"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("pack_factor > 0", name=op.f("ck_barcode_pack_factor")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_barcode_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barcode")),
        sa.UniqueConstraint("code", name=op.f("uq_barcode_code")),
    )
    op.create_index(op.f("ix_barcode_product_id"), "barcode", ["product_id"], unique=False)
    op.create_table(
        "import",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("column_map", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shift_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('applied', 'refused')", name=op.f("ck_import_state")),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_import_actor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.UniqueConstraint("uid", name=op.f("uq_import_uid")),
    )
    op.create_table(
        "model_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("engine", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("library", sa.LargeBinary(), nullable=True),
        sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started_by", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trained", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("too_short", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'published', 'failed', 'abandoned')", name=op.f("ck_model_run_state")
        ),
        sa.ForeignKeyConstraint(["started_by"], ["person.id"], name=op.f("fk_model_run_started_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_run")),
        sa.UniqueConstraint("uid", name=op.f("uq_model_run_uid")),
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_posting_actor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint("actor_id", "key", name=op.f("uq_posting_actor_id_key")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"], unique=False)
    op.create_table(
        "stock_day",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("demand", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("receipts", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("other", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("closing", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_stock_day_product_id_product")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_day_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("product_id", "warehouse_id", "day", name=op.f("pk_stock_day")),
    )
    op.create_index("ix_stock_day_day", "stock_day", ["day"], unique=False)
    op.create_table(
        "stock_level",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("last_movement_id", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_stock_level_quantity")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_stock_level_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_level_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("product_id", "warehouse_id", name=op.f("pk_stock_level")),
    )
    op.create_index("ix_stock_level_warehouse_id", "stock_level", ["warehouse_id"], unique=False)
    op.create_table(
        "vendor_price",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("minimum_quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("lead_time_days", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("lead_time_days BETWEEN 0 AND 365", name=op.f("ck_vendor_price_lead_time_days")),
        sa.CheckConstraint("minimum_quantity > 0", name=op.f("ck_vendor_price_minimum_quantity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_vendor_price_unit_price")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_vendor_price_product_id_product")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_price_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_price")),
    )
    op.create_index("ix_vendor_price_product_id", "vendor_price", ["product_id"], unique=False)
    op.create_index(
        "uq_vendor_price_step",
        "vendor_price",
        ["vendor_id", "product_id", "minimum_quantity", "valid_from"],
        unique=True,
    )
    op.create_table(
        "forecast",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("model_run_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=True),
        sa.Column("is_current", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("demand_class", sa.String(), nullable=True),
        sa.Column("history_days", sa.Integer(), nullable=False),
        sa.Column("demand_days", sa.Integer(), nullable=False),
        sa.Column("daily_rate", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("paths", sa.LargeBinary(), nullable=True),
        sa.Column("fan", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'ok') = (paths IS NOT NULL)", name=op.f("ck_forecast_paths")),
        sa.CheckConstraint("state IN ('ok', 'too_short', 'failed')", name=op.f("ck_forecast_state")),
        sa.ForeignKeyConstraint(
            ["model_run_id"], ["model_run.id"], name=op.f("fk_forecast_model_run_id_model_run")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_forecast_product_id_product")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_forecast_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
    )
    op.create_index("ix_forecast_model_run_id", "forecast", ["model_run_id"], unique=False)
    op.create_index("ix_forecast_product_id", "forecast", ["product_id"], unique=False)
    op.create_index(
        "uq_forecast_current",
        "forecast",
        ["product_id", "warehouse_id"],
        unique=True,
        postgresql_where=sa.text("is_current"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "import_issue",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('skipped', 'error', 'note')", name=op.f("ck_import_issue_kind")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_issue_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", "line_number", "rule", name=op.f("pk_import_issue")),
    )
    op.create_table(
        "import_line",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_line_import_id_import")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_import_line")),
    )
    op.create_index(op.f("ix_import_line_import_id"), "import_line", ["import_id"], unique=False)
    op.create_table(
        "movement",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("posting_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("change", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("stock_before", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("stock_after", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("demand_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reference_type", sa.String(), nullable=True),
        sa.Column("reference_id", sa.String(), nullable=True),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("returns_id", sa.BigInteger(), nullable=True),
        sa.Column("counterpart_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("type IN ('in', 'out', 'adjust', 'transfer')", name=op.f("ck_movement_type")),
        sa.CheckConstraint("change <> 0", name=op.f("ck_movement_change")),
        sa.CheckConstraint(
            "stock_after = stock_before + change AND stock_after >= 0", name=op.f("ck_movement_stock")
        ),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_movement_unit_price")),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"], name=op.f("fk_movement_posting_id_posting")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_movement_product_id_product")),
        sa.ForeignKeyConstraint(
            ["reason_code"], ["reason.code"], name=op.f("fk_movement_reason_code_reason")
        ),
        sa.ForeignKeyConstraint(
            ["returns_id"], ["movement.id"], name=op.f("fk_movement_returns_id_movement")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["movement.id"], name=op.f("fk_movement_reverses_id_movement")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_movement_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
    )
    op.create_index("ix_movement_posting_id", "movement", ["posting_id"], unique=False)
    op.create_index("ix_movement_product_id_id", "movement", ["product_id", "id"], unique=False)
    op.create_index(
        "ix_movement_returns_id",
        "movement",
        ["returns_id"],
        unique=False,
        postgresql_where=sa.text("returns_id IS NOT NULL"),
    )
    op.create_index("ix_movement_warehouse_id_id", "movement", ["warehouse_id", "id"], unique=False)
    op.create_index(
        "uq_movement_reverses_id",
        "movement",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "run_out",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=True),
        sa.Column("forecast_id", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("p10_on", sa.Date(), nullable=True),
        sa.Column("p50_on", sa.Date(), nullable=True),
        sa.Column("p90_on", sa.Date(), nullable=True),
        sa.Column("chance_7", sa.Double(), nullable=True),
        sa.Column("chance_14", sa.Double(), nullable=True),
        sa.Column("chance_30", sa.Double(), nullable=True),
        sa.Column("chance_before_replenishment", sa.Double(), nullable=True),
        sa.Column("lead_time_days", sa.SmallInteger(), nullable=False),
        sa.Column("order_by_on", sa.Date(), nullable=True),
        sa.Column("daily_rate", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("days_of_cover", sa.Numeric(precision=9, scale=1), nullable=True),
        sa.Column("expected_lost", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column(
            "stock_value", sa.Numeric(precision=28, scale=4), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "money_at_risk", sa.Numeric(precision=28, scale=4), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('out', 'late', 'order_now', 'fine', 'excess', 'unknown')",
            name=op.f("ck_run_out_status"),
        ),
        sa.ForeignKeyConstraint(
            ["forecast_id"],
            ["forecast.id"],
            name=op.f("fk_run_out_forecast_id_forecast"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_run_out_product_id_product")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_run_out_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_out")),
    )
    op.create_index("ix_run_out_warehouse_id_status", "run_out", ["warehouse_id", "status"], unique=False)
    op.create_index("ix_run_out_forecast_id", "run_out", ["forecast_id"], unique=False)
    op.create_index(
        "uq_run_out_product",
        "run_out",
        ["product_id", "warehouse_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def _drop_tables() -> None:
    op.drop_index("uq_run_out_product", table_name="run_out", postgresql_nulls_not_distinct=True)
    op.drop_index("ix_run_out_forecast_id", table_name="run_out")
    op.drop_index("ix_run_out_warehouse_id_status", table_name="run_out")
    op.drop_table("run_out")
    op.drop_index(
        "uq_movement_reverses_id", table_name="movement", postgresql_where=sa.text("reverses_id IS NOT NULL")
    )
    op.drop_index("ix_movement_warehouse_id_id", table_name="movement")
    op.drop_index(
        "ix_movement_returns_id", table_name="movement", postgresql_where=sa.text("returns_id IS NOT NULL")
    )
    op.drop_index("ix_movement_product_id_id", table_name="movement")
    op.drop_index("ix_movement_posting_id", table_name="movement")
    op.drop_table("movement")
    op.drop_index(op.f("ix_import_line_import_id"), table_name="import_line")
    op.drop_table("import_line")
    op.drop_table("import_issue")
    op.drop_index(
        "uq_forecast_current",
        table_name="forecast",
        postgresql_where=sa.text("is_current"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_index("ix_forecast_product_id", table_name="forecast")
    op.drop_index("ix_forecast_model_run_id", table_name="forecast")
    op.drop_table("forecast")
    op.drop_index("uq_vendor_price_step", table_name="vendor_price")
    op.drop_index("ix_vendor_price_product_id", table_name="vendor_price")
    op.drop_table("vendor_price")
    op.drop_index("ix_stock_level_warehouse_id", table_name="stock_level")
    op.drop_table("stock_level")
    op.drop_index("ix_stock_day_day", table_name="stock_day")
    op.drop_table("stock_day")
    op.drop_index(op.f("ix_sign_in_person_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_table("posting")
    op.drop_table("model_run")
    op.drop_table("import")
    op.drop_index(op.f("ix_barcode_product_id"), table_name="barcode")
    op.drop_table("barcode")
    op.drop_index("ix_audit_line_subject", table_name="audit_line")
    op.drop_table("audit_line")
    op.drop_index("uq_warehouse_is_default", table_name="warehouse", postgresql_where=sa.text("is_default"))
    op.drop_table("warehouse")
    op.drop_table("vendor")
    op.drop_index("ix_sign_in_attempt_email_at", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_address_at", table_name="sign_in_attempt")
    op.drop_table("sign_in_attempt")
    op.drop_table("shop")
    op.drop_table("reason")
    op.drop_index("ix_product_sku_lower", table_name="product")
    op.drop_index("ix_product_category", table_name="product")
    op.drop_table("product")
    op.drop_table("posting_line")
    op.drop_index("uq_person_email", table_name="person")
    op.drop_table("person")
