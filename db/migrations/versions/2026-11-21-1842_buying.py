"""buying

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db import functions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FREE = (
    "advice", "advice_choice", "advice_run", "buying_settings", "decision", "order_receipt", "order_year",
    "price_step", "purchase_order", "purchase_order_line", "service_rule", "vendor_offer", "vendor_shutdown",
)  # fmt: skip
VENDOR_RULES = {
    "order_minimum": "order_minimum >= 0",
    "free_freight_from": "free_freight_from >= 0",
    "freight_cost": "freight_cost >= 0",
    "order_cost": "order_cost >= 0",
    "exchange_rate": "exchange_rate > 0",
    "lead_time_days": "lead_time_days BETWEEN 0 AND 365",
    "order_weekdays": "order_weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(order_weekdays) > 0",
}
# What people entered or did since; a way back would lose it.
PRECIOUS = {
    "purchase orders": "SELECT FROM purchase_order",
    "the decision journal": "SELECT FROM decision",
    "service goals of products and categories": "SELECT FROM service_rule",
    "choices made of advice": "SELECT FROM advice_choice",
    "shutdowns of vendors": "SELECT FROM vendor_shutdown",
    "buying settings": "SELECT FROM buying_settings WHERE changed_by IS NOT NULL",
    "terms of vendors": "SELECT FROM vendor WHERE coalesce(contact_name, address, note) IS NOT NULL"
    " OR exchange_rate <> 1 OR lead_time_days IS NOT NULL OR order_weekdays IS NOT NULL"
    " OR coalesce(order_minimum, free_freight_from, freight_cost, order_cost) IS NOT NULL",
    "terms of offers": "SELECT FROM vendor_offer WHERE vendor_sku IS NOT NULL OR valid_until IS NOT NULL"
    " OR coalesce(minimum_order_quantity, order_multiple) IS NOT NULL OR withdrawn_at IS NOT NULL"
    " OR import_id IS NOT NULL",
    "corrected offers": "SELECT FROM vendor_offer GROUP BY vendor_id, product_id, valid_from"
    " HAVING count(*) > 1",
    "preferred vendors": "SELECT FROM product WHERE preferred_vendor_id IS NOT NULL",
    "which warehouse supplies which": "SELECT FROM warehouse WHERE supplied_by_id IS NOT NULL",
    "imports of price lists": "SELECT FROM import WHERE kind = 'prices'",
}


def upgrade() -> None:
    op.create_table(
        "order_year",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_order_year")),
    )
    op.create_table(
        "advice_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("goal", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "curve", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column(
            "totals", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("calibration", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_advice_run_made_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advice_run")),
        sa.UniqueConstraint("uid", name=op.f("uq_advice_run_uid")),
    )
    op.create_index(
        "uq_advice_run_current",
        "advice_run",
        ["is_current"],
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "buying_settings",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("goal", sa.String(), server_default=sa.text("'service'"), nullable=False),
        sa.Column(
            "service_percent", sa.Numeric(precision=5, scale=2), server_default=sa.text("95"), nullable=False
        ),
        sa.Column("budget", sa.Numeric(precision=28, scale=4), nullable=True),
        sa.Column("review_days", sa.SmallInteger(), server_default=sa.text("7"), nullable=False),
        sa.Column(
            "holding_percent", sa.Numeric(precision=6, scale=2), server_default=sa.text("20"), nullable=False
        ),
        sa.Column("shortage_percent", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column(
            "transfer_cost", sa.Numeric(precision=14, scale=4), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("transfer_days", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("most_cover_days", sa.SmallInteger(), server_default=sa.text("120"), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "goal <> 'budget' OR budget IS NOT NULL", name=op.f("ck_buying_settings_budget_named")
        ),
        sa.CheckConstraint("goal IN ('service', 'budget', 'cost')", name=op.f("ck_buying_settings_goal")),
        sa.CheckConstraint("budget > 0", name=op.f("ck_buying_settings_budget")),
        sa.CheckConstraint(
            "holding_percent BETWEEN 0 AND 200", name=op.f("ck_buying_settings_holding_percent")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_buying_settings_one_row")),
        sa.CheckConstraint(
            "most_cover_days BETWEEN 1 AND 730", name=op.f("ck_buying_settings_most_cover_days")
        ),
        sa.CheckConstraint("review_days BETWEEN 1 AND 60", name=op.f("ck_buying_settings_review_days")),
        sa.CheckConstraint(
            "service_percent BETWEEN 50 AND 99.9", name=op.f("ck_buying_settings_service_percent")
        ),
        sa.CheckConstraint(
            "shortage_percent BETWEEN 0 AND 1000", name=op.f("ck_buying_settings_shortage_percent")
        ),
        sa.CheckConstraint("transfer_cost >= 0", name=op.f("ck_buying_settings_transfer_cost")),
        sa.CheckConstraint("transfer_days BETWEEN 0 AND 60", name=op.f("ck_buying_settings_transfer_days")),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["person.id"], name=op.f("fk_buying_settings_changed_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buying_settings")),
    )
    op.create_table(
        "purchase_order",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "exchange_rate", sa.Numeric(precision=18, scale=8), server_default=sa.text("1"), nullable=False
        ),
        sa.Column("freight", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("vendor_reference", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("mailed_to", sa.String(), nullable=True),
        sa.Column("mailing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("cancelled_by", sa.Integer(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_purchase_order_cancelled")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'sent', 'partly_received', 'received', 'cancelled')",
            name=op.f("ck_purchase_order_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'partly_received', 'received') OR sent_on IS NOT NULL",
            name=op.f("ck_purchase_order_sent"),
        ),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("ck_purchase_order_exchange_rate")),
        sa.CheckConstraint("freight >= 0", name=op.f("ck_purchase_order_freight")),
        sa.ForeignKeyConstraint(
            ["cancelled_by"], ["person.id"], name=op.f("fk_purchase_order_cancelled_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_purchase_order_created_by_person")
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["person.id"], name=op.f("fk_purchase_order_sent_by_person")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendor.id"], name=op.f("fk_purchase_order_vendor_id_vendor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_order_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_purchase_order_uid")),
    )
    op.create_index("ix_purchase_order_state", "purchase_order", ["state", "id"], unique=False)
    op.create_index("ix_purchase_order_vendor_id", "purchase_order", ["vendor_id", "id"], unique=False)
    op.create_table(
        "vendor_shutdown",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_vendor_shutdown_days")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_shutdown_vendor_id_vendor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_shutdown")),
        sa.UniqueConstraint("uid", name=op.f("uq_vendor_shutdown_uid")),
    )
    op.create_index(op.f("ix_vendor_shutdown_vendor_id"), "vendor_shutdown", ["vendor_id"], unique=False)
    op.create_table(
        "advice_choice",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("computed", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("snoozed_chance", sa.Double(), nullable=True),
        sa.Column("chosen_by", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_advice_choice_quantity")),
        sa.ForeignKeyConstraint(["chosen_by"], ["person.id"], name=op.f("fk_advice_choice_chosen_by_person")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_advice_choice_product_id_product")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_advice_choice_vendor_id_vendor")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_advice_choice_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("product_id", "warehouse_id", name=op.f("pk_advice_choice")),
    )
    op.create_index(op.f("ix_advice_choice_vendor_id"), "advice_choice", ["vendor_id"], unique=False)
    op.create_index(op.f("ix_advice_choice_warehouse_id"), "advice_choice", ["warehouse_id"], unique=False)
    op.create_table(
        "service_rule",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("service_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(product_id IS NULL) <> (category IS NULL)", name=op.f("ck_service_rule_about")),
        sa.CheckConstraint(
            "service_percent BETWEEN 50 AND 99.9", name=op.f("ck_service_rule_service_percent")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_service_rule_product_id_product")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_service_rule_set_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_rule")),
        sa.UniqueConstraint("category", name=op.f("uq_service_rule_category")),
        sa.UniqueConstraint("product_id", name=op.f("uq_service_rule_product_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_service_rule_uid")),
    )
    op.create_table(
        "vendor_offer",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("vendor_sku", sa.String(), nullable=True),
        sa.Column("lead_time_days", sa.SmallInteger(), nullable=False),
        sa.Column("minimum_order_quantity", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("order_multiple", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("lead_time_days BETWEEN 0 AND 365", name=op.f("ck_vendor_offer_lead_time_days")),
        sa.CheckConstraint("minimum_order_quantity > 0", name=op.f("ck_vendor_offer_minimum_order_quantity")),
        sa.CheckConstraint("order_multiple > 0", name=op.f("ck_vendor_offer_order_multiple")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_vendor_offer_valid_until")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_vendor_offer_created_by_person")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_vendor_offer_import_id_import")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_vendor_offer_product_id_product")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_offer_vendor_id_vendor")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["person.id"], name=op.f("fk_vendor_offer_withdrawn_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_offer")),
        sa.UniqueConstraint("uid", name=op.f("uq_vendor_offer_uid")),
    )
    op.create_index(op.f("ix_vendor_offer_import_id"), "vendor_offer", ["import_id"], unique=False)
    op.create_index(
        "ix_vendor_offer_product",
        "vendor_offer",
        ["product_id", "vendor_id", sa.literal_column("valid_from DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index("ix_vendor_offer_vendor_id", "vendor_offer", ["vendor_id", "product_id"], unique=False)
    op.create_table(
        "advice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("from_warehouse_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_cost", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("value", sa.Numeric(precision=28, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("level", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("due", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("needed_on", sa.Date(), nullable=True),
        sa.Column("next_quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("order_by_on", sa.Date(), nullable=True),
        sa.Column("arrives_on", sa.Date(), nullable=True),
        sa.Column("chance", sa.Double(), nullable=True),
        sa.Column(
            "lost_money", sa.Numeric(precision=28, scale=4), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("daily_rate", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("service_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "vendors", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("one_off", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(action = 'none') = (quantity = 0)", name=op.f("ck_advice_nothing")),
        sa.CheckConstraint(
            "(action = 'transfer') = (from_warehouse_id IS NOT NULL)",
            name=op.f("ck_advice_from_warehouse_id"),
        ),
        sa.CheckConstraint("action IN ('order', 'transfer', 'none')", name=op.f("ck_advice_action")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_advice_quantity")),
        sa.ForeignKeyConstraint(
            ["from_warehouse_id"], ["warehouse.id"], name=op.f("fk_advice_from_warehouse_id_warehouse")
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["vendor_offer.id"], name=op.f("fk_advice_offer_id_vendor_offer")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_advice_product_id_product")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["advice_run.id"], name=op.f("fk_advice_run_id_advice_run"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_advice_vendor_id_vendor")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_advice_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advice")),
        sa.UniqueConstraint("uid", name=op.f("uq_advice_uid")),
    )
    op.create_index("ix_advice_needed", "advice", ["run_id", "needed_on"], unique=False)
    op.create_index("ix_advice_offer_id", "advice", ["offer_id"], unique=False)
    op.create_index("ix_advice_product_id", "advice", ["product_id"], unique=False)
    op.create_index("ix_advice_vendor_id", "advice", ["vendor_id"], unique=False)
    op.create_index("uq_advice_line", "advice", ["run_id", "product_id", "warehouse_id"], unique=True)
    op.create_table(
        "price_step",
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("minimum_quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.CheckConstraint("minimum_quantity > 0", name=op.f("ck_price_step_minimum_quantity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_price_step_unit_price")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["vendor_offer.id"], name=op.f("fk_price_step_offer_id_vendor_offer")
        ),
        sa.PrimaryKeyConstraint("offer_id", "minimum_quantity", name=op.f("pk_price_step")),
    )
    op.create_table(
        "purchase_order_line",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("vendor_sku", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("received", sa.Numeric(precision=18, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("given_up", sa.Numeric(precision=18, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("given_up >= 0", name=op.f("ck_purchase_order_line_given_up")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_order_line_quantity")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_purchase_order_line_received")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_purchase_order_line_unit_price")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["vendor_offer.id"], name=op.f("fk_purchase_order_line_offer_id_vendor_offer")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_purchase_order_line_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_purchase_order_line_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_purchase_order_line_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        sa.UniqueConstraint("uid", name=op.f("uq_purchase_order_line_uid")),
    )
    op.create_index(
        op.f("ix_purchase_order_line_offer_id"), "purchase_order_line", ["offer_id"], unique=False
    )
    op.create_index("ix_purchase_order_line_product_id", "purchase_order_line", ["product_id"], unique=False)
    op.create_index(
        op.f("ix_purchase_order_line_warehouse_id"), "purchase_order_line", ["warehouse_id"], unique=False
    )
    op.create_index(
        "uq_purchase_order_line_place",
        "purchase_order_line",
        ["order_id", "product_id", "warehouse_id"],
        unique=True,
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=True),
        sa.Column("advised", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("chosen", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("advised_vendor_id", sa.Integer(), nullable=True),
        sa.Column("chosen_vendor_id", sa.Integer(), nullable=True),
        sa.Column("unit_cost", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("covers_from", sa.Date(), nullable=False),
        sa.Column("covers_until", sa.Date(), nullable=False),
        sa.Column("forecast", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outcome", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('taken', 'edited', 'ignored', 'own')", name=op.f("ck_decision_kind")),
        sa.CheckConstraint("(closed_on IS NULL) = (outcome IS NULL)", name=op.f("ck_decision_outcome")),
        sa.ForeignKeyConstraint(
            ["advised_vendor_id"], ["vendor.id"], name=op.f("fk_decision_advised_vendor_id_vendor")
        ),
        sa.ForeignKeyConstraint(
            ["chosen_vendor_id"], ["vendor.id"], name=op.f("fk_decision_chosen_vendor_id_vendor")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_decision_decided_by_person")),
        sa.ForeignKeyConstraint(
            ["order_line_id"],
            ["purchase_order_line.id"],
            name=op.f("fk_decision_order_line_id_purchase_order_line"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_decision_product_id_product")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_decision_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("uid", name=op.f("uq_decision_uid")),
    )
    op.create_index(op.f("ix_decision_advised_vendor_id"), "decision", ["advised_vendor_id"], unique=False)
    op.create_index(op.f("ix_decision_chosen_vendor_id"), "decision", ["chosen_vendor_id"], unique=False)
    op.create_index("ix_decision_decided_on", "decision", ["decided_on"], unique=False)
    op.create_index(
        "ix_decision_open",
        "decision",
        ["covers_until"],
        unique=False,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index(op.f("ix_decision_order_line_id"), "decision", ["order_line_id"], unique=False)
    op.create_index("ix_decision_product_id", "decision", ["product_id", "id"], unique=False)
    op.create_index(op.f("ix_decision_warehouse_id"), "decision", ["warehouse_id"], unique=False)
    op.create_index(
        "uq_decision_ignored",
        "decision",
        ["product_id", "warehouse_id", "decided_on"],
        unique=True,
        postgresql_where=sa.text("kind = 'ignored'"),
    )
    op.create_table(
        "order_receipt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("movement_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("received_by", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_receipt_quantity")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["purchase_order_line.id"], name=op.f("fk_order_receipt_line_id_purchase_order_line")
        ),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_order_receipt_movement_id_movement")
        ),
        sa.ForeignKeyConstraint(
            ["received_by"], ["person.id"], name=op.f("fk_order_receipt_received_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_receipt")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_order_receipt_movement_id")),
    )
    op.create_index("ix_order_receipt_line_id", "order_receipt", ["line_id"], unique=False)
    op.create_index("ix_order_receipt_received_on", "order_receipt", ["received_on"], unique=False)
    _offers_from_prices()
    op.drop_table("vendor_price")
    op.add_column("expected_receipt", sa.Column("order_line_id", sa.Integer(), nullable=True))
    op.create_index(
        op.f("ix_expected_receipt_order_line_id"), "expected_receipt", ["order_line_id"], unique=False
    )
    op.create_index(
        "uq_expected_receipt_order_line_id",
        "expected_receipt",
        ["order_line_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND order_line_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_expected_receipt_order_line_id_purchase_order_line"),
        "expected_receipt",
        "purchase_order_line",
        ["order_line_id"],
        ["id"],
    )
    op.add_column("product", sa.Column("preferred_vendor_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_product_preferred_vendor_id"), "product", ["preferred_vendor_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_product_preferred_vendor_id_vendor"), "product", "vendor", ["preferred_vendor_id"], ["id"]
    )
    op.add_column("vendor", sa.Column("contact_name", sa.String(), nullable=True))
    op.add_column("vendor", sa.Column("address", sa.String(), nullable=True))
    op.add_column("vendor", sa.Column("note", sa.String(), nullable=True))
    op.add_column(
        "vendor",
        sa.Column(
            "exchange_rate", sa.Numeric(precision=18, scale=8), server_default=sa.text("1"), nullable=False
        ),
    )
    op.add_column("vendor", sa.Column("lead_time_days", sa.SmallInteger(), nullable=True))
    op.add_column("vendor", sa.Column("order_minimum", sa.Numeric(precision=14, scale=4), nullable=True))
    op.add_column("vendor", sa.Column("free_freight_from", sa.Numeric(precision=14, scale=4), nullable=True))
    op.add_column("vendor", sa.Column("freight_cost", sa.Numeric(precision=14, scale=4), nullable=True))
    op.add_column("vendor", sa.Column("order_cost", sa.Numeric(precision=14, scale=4), nullable=True))
    op.add_column("vendor", sa.Column("order_weekdays", sa.ARRAY(sa.SmallInteger()), nullable=True))
    op.add_column(
        "vendor",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    for name, rule in VENDOR_RULES.items():
        op.create_check_constraint(op.f(f"ck_vendor_{name}"), "vendor", rule)
    op.add_column("warehouse", sa.Column("supplied_by_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_warehouse_supplied_by_id"), "warehouse", ["supplied_by_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_warehouse_supplied_by_id_warehouse"), "warehouse", "warehouse", ["supplied_by_id"], ["id"]
    )
    op.drop_constraint(op.f("ck_import_kind"), "import")
    op.create_check_constraint(
        op.f("ck_import_kind"), "import", "kind IN ('sales', 'stock', 'products', 'prices')"
    )
    op.create_check_constraint(op.f("ck_warehouse_supplied_by"), "warehouse", "supplied_by_id <> id")
    op.execute(functions.source("offers_on"))
    op.execute("INSERT INTO buying_settings (id) VALUES (1)")
    for table in FREE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO runout_app")


def _offers_from_prices() -> None:
    """Each set of steps with one day and lead time becomes an offer."""
    op.execute(
        "INSERT INTO vendor_offer (vendor_id, product_id, lead_time_days, valid_from, created_at)"
        " SELECT vendor_id, product_id, max(lead_time_days), valid_from, min(created_at) FROM vendor_price"
        " GROUP BY vendor_id, product_id, valid_from ORDER BY min(id)"
    )
    op.execute(
        "INSERT INTO price_step (offer_id, minimum_quantity, unit_price)"
        " SELECT o.id, p.minimum_quantity, p.unit_price FROM vendor_price AS p"
        " JOIN vendor_offer AS o USING (vendor_id, product_id, valid_from)"
    )


def _prices_from_offers() -> None:
    op.execute(
        "INSERT INTO vendor_price (vendor_id, product_id, minimum_quantity, unit_price, lead_time_days,"
        " valid_from, created_at)"
        " SELECT o.vendor_id, o.product_id, s.minimum_quantity, s.unit_price, o.lead_time_days, o.valid_from,"
        " o.created_at FROM vendor_offer AS o JOIN price_step AS s ON s.offer_id = o.id ORDER BY o.id"
    )


def downgrade() -> None:
    """Refused while it would lose what people entered or did."""
    connection = op.get_bind()
    held = [what for what, rows in PRECIOUS.items() if connection.scalar(sa.text(f"SELECT EXISTS ({rows})"))]
    if held:
        raise RuntimeError(f"Refused: going back would lose {', '.join(held)}.")
    op.drop_constraint(op.f("ck_import_kind"), "import")
    op.create_check_constraint(op.f("ck_import_kind"), "import", "kind IN ('sales', 'stock', 'products')")
    op.execute("DROP FUNCTION offers_on")
    op.drop_constraint(op.f("fk_warehouse_supplied_by_id_warehouse"), "warehouse", type_="foreignkey")
    op.drop_index(op.f("ix_warehouse_supplied_by_id"), table_name="warehouse")
    op.drop_constraint(op.f("ck_warehouse_supplied_by"), "warehouse")
    op.drop_column("warehouse", "supplied_by_id")
    for name in VENDOR_RULES:
        op.drop_constraint(op.f(f"ck_vendor_{name}"), "vendor")
    op.drop_column("vendor", "updated_at")
    op.drop_column("vendor", "order_weekdays")
    op.drop_column("vendor", "order_cost")
    op.drop_column("vendor", "freight_cost")
    op.drop_column("vendor", "free_freight_from")
    op.drop_column("vendor", "order_minimum")
    op.drop_column("vendor", "lead_time_days")
    op.drop_column("vendor", "exchange_rate")
    op.drop_column("vendor", "note")
    op.drop_column("vendor", "address")
    op.drop_column("vendor", "contact_name")
    op.drop_constraint(op.f("fk_product_preferred_vendor_id_vendor"), "product", type_="foreignkey")
    op.drop_index(op.f("ix_product_preferred_vendor_id"), table_name="product")
    op.drop_column("product", "preferred_vendor_id")
    op.drop_constraint(
        op.f("fk_expected_receipt_order_line_id_purchase_order_line"), "expected_receipt", type_="foreignkey"
    )
    op.drop_index(
        "uq_expected_receipt_order_line_id",
        table_name="expected_receipt",
        postgresql_where=sa.text("closed_at IS NULL AND order_line_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_expected_receipt_order_line_id"), table_name="expected_receipt")
    op.drop_column("expected_receipt", "order_line_id")
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
    op.create_index(
        op.f("uq_vendor_price_step"),
        "vendor_price",
        ["vendor_id", "product_id", "minimum_quantity", "valid_from"],
        unique=True,
    )
    op.create_index(op.f("ix_vendor_price_product_id"), "vendor_price", ["product_id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON vendor_price TO runout_app")
    _prices_from_offers()
    op.drop_index("ix_order_receipt_received_on", table_name="order_receipt")
    op.drop_index("ix_order_receipt_line_id", table_name="order_receipt")
    op.drop_table("order_receipt")
    op.drop_index("uq_decision_ignored", table_name="decision", postgresql_where=sa.text("kind = 'ignored'"))
    op.drop_index(op.f("ix_decision_warehouse_id"), table_name="decision")
    op.drop_index("ix_decision_product_id", table_name="decision")
    op.drop_index(op.f("ix_decision_order_line_id"), table_name="decision")
    op.drop_index("ix_decision_open", table_name="decision", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_index("ix_decision_decided_on", table_name="decision")
    op.drop_index(op.f("ix_decision_chosen_vendor_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_advised_vendor_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_index("uq_purchase_order_line_place", table_name="purchase_order_line")
    op.drop_index(op.f("ix_purchase_order_line_warehouse_id"), table_name="purchase_order_line")
    op.drop_index("ix_purchase_order_line_product_id", table_name="purchase_order_line")
    op.drop_index(op.f("ix_purchase_order_line_offer_id"), table_name="purchase_order_line")
    op.drop_table("purchase_order_line")
    op.drop_table("price_step")
    op.drop_index("uq_advice_line", table_name="advice")
    op.drop_index("ix_advice_vendor_id", table_name="advice")
    op.drop_index("ix_advice_product_id", table_name="advice")
    op.drop_index("ix_advice_offer_id", table_name="advice")
    op.drop_index("ix_advice_needed", table_name="advice")
    op.drop_table("advice")
    op.drop_index("ix_vendor_offer_vendor_id", table_name="vendor_offer")
    op.drop_index(
        "ix_vendor_offer_product", table_name="vendor_offer", postgresql_where=sa.text("withdrawn_at IS NULL")
    )
    op.drop_index(op.f("ix_vendor_offer_import_id"), table_name="vendor_offer")
    op.drop_table("vendor_offer")
    op.drop_table("service_rule")
    op.drop_index(op.f("ix_advice_choice_warehouse_id"), table_name="advice_choice")
    op.drop_index(op.f("ix_advice_choice_vendor_id"), table_name="advice_choice")
    op.drop_table("advice_choice")
    op.drop_index(op.f("ix_vendor_shutdown_vendor_id"), table_name="vendor_shutdown")
    op.drop_table("vendor_shutdown")
    op.drop_index("ix_purchase_order_vendor_id", table_name="purchase_order")
    op.drop_index("ix_purchase_order_state", table_name="purchase_order")
    op.drop_table("purchase_order")
    op.drop_table("buying_settings")
    op.drop_index("uq_advice_run_current", table_name="advice_run", postgresql_where=sa.text("is_current"))
    op.drop_table("advice_run")
    op.drop_table("order_year")
