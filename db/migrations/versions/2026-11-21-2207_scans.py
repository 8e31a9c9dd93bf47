"""scans

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What people did since; a way back would lose it.
PRECIOUS = {"scans": "SELECT FROM scan", "internal codes": "SELECT FROM internal_code WHERE is_called"}


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("internal_code")))
    op.execute("GRANT USAGE ON SEQUENCE internal_code TO runout_app")
    op.create_table(
        "scan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("symbology", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("warehouse_id", sa.Integer(), nullable=True),
        sa.Column("to_warehouse_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("pack_factor", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("posting_id", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(outcome = 'booked') = (posting_id IS NOT NULL)", name=op.f("ck_scan_booked")),
        sa.CheckConstraint(
            "mode IN ('look_up', 'in', 'out', 'transfer', 'count', 'link')", name=op.f("ck_scan_mode")
        ),
        sa.CheckConstraint(
            "outcome IN ('found', 'booked', 'linked', 'unknown', 'ambiguous', 'refused', 'ignored')",
            name=op.f("ck_scan_outcome"),
        ),
        sa.CheckConstraint(
            "source IN ('camera', 'photo', 'wedge', 'typed', 'list', 'http')", name=op.f("ck_scan_source")
        ),
        sa.CheckConstraint("pack_factor > 0", name=op.f("ck_scan_pack_factor")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_scan_quantity")),
        sa.CheckConstraint("undone_at IS NULL OR posting_id IS NOT NULL", name=op.f("ck_scan_undone")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_scan_person_id_person")),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"], name=op.f("fk_scan_posting_id_posting")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_scan_product_id_product")),
        sa.ForeignKeyConstraint(
            ["to_warehouse_id"], ["warehouse.id"], name=op.f("fk_scan_to_warehouse_id_warehouse")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_scan_warehouse_id_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_scan_person_id_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_scan_uid")),
    )
    op.create_index("ix_scan_person_id_id", "scan", ["person_id", "id"], unique=False)
    op.create_index(
        "ix_scan_posting_id",
        "scan",
        ["posting_id"],
        unique=False,
        postgresql_where=sa.text("posting_id IS NOT NULL"),
    )
    op.create_index(
        "ix_scan_product_id",
        "scan",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("product_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_scan_to_warehouse_id"), "scan", ["to_warehouse_id"], unique=False)
    op.create_index("ix_scan_warehouse_id_id", "scan", ["warehouse_id", "id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON scan TO runout_app")
    op.create_index(
        "ix_vendor_offer_vendor_sku",
        "vendor_offer",
        [sa.text("lower(vendor_sku)")],
        unique=False,
        postgresql_where=sa.text("vendor_sku IS NOT NULL"),
    )
    # An EAN-8 with zeros in front is the EAN-8: one spelling for each code, where it is not taken yet.
    op.execute(
        "UPDATE barcode SET code = right(code, 8) WHERE code ~ '^00000[0-9]{8}$'"
        " AND NOT EXISTS (SELECT FROM barcode AS other WHERE other.code = right(barcode.code, 8))"
    )


def downgrade() -> None:
    """Refused while it would lose what people entered or did."""
    connection = op.get_bind()
    held = [what for what, rows in PRECIOUS.items() if connection.scalar(sa.text(f"SELECT EXISTS ({rows})"))]
    if held:
        raise RuntimeError(f"Refused: going back would lose {', '.join(held)}.")
    op.drop_index(
        "ix_vendor_offer_vendor_sku",
        table_name="vendor_offer",
        postgresql_where=sa.text("vendor_sku IS NOT NULL"),
    )
    op.drop_index("ix_scan_warehouse_id_id", table_name="scan")
    op.drop_index(op.f("ix_scan_to_warehouse_id"), table_name="scan")
    op.drop_index("ix_scan_product_id", table_name="scan", postgresql_where=sa.text("product_id IS NOT NULL"))
    op.drop_index("ix_scan_posting_id", table_name="scan", postgresql_where=sa.text("posting_id IS NOT NULL"))
    op.drop_index("ix_scan_person_id_id", table_name="scan")
    op.drop_table("scan")
    op.execute(sa.schema.DropSequence(sa.Sequence("internal_code")))
