"""Two believable lines of each kind of file, for its template."""

LINES: dict[str, dict[str, tuple[str, str]]] = {
    "sales": {
        "code": ("TEA-100", "MUG-200"), "quantity": ("2", "1"), "moment": ("2026-11-02", "2026-11-03"),
        "document": ("R-1001", "R-1002"), "description": ("Green tea 100 g", "Mug, white"),
        "unit_price": ("4.90", "9.50"), "customer": ("C-17", ""),
    },
    "stock": {
        "product": ("TEA-100", "MUG-200"), "quantity": ("48", "12"), "unit_cost": ("2.10", "3.80"),
        "name": ("Green tea 100 g", "Mug, white"), "category": ("Tea", "Kitchen"),
    },
    "products": {
        "sku": ("TEA-100", "MUG-200"), "name": ("Green tea 100 g", "Mug, white"),
        "description": ("Loose leaves, first flush", ""), "category": ("Tea", "Kitchen"),
        "unit_of_measure": ("each", "each"), "unit_cost": ("2.10", "3.80"), "unit_price": ("4.90", "9.50"),
        "reorder_threshold": ("20", "10"), "lead_time_days": ("7", "14"),
        "barcode": ("4006381333931", ""), "is_active": ("yes", "yes"),
    },
    "prices": {
        "sku": ("TEA-100", "TEA-100"), "vendor_sku": ("N-4711", "N-4711"), "barcode": ("", ""),
        "unit_price": ("2.10", "1.90"), "price_unit": ("1", "1"), "minimum_quantity": ("1", "50"),
        "minimum_order_quantity": ("10", ""), "order_multiple": ("10", ""), "lead_time_days": ("7", ""),
        "valid_from": ("2026-12-01", "2026-12-01"), "valid_until": ("", ""), "currency": ("EUR", "EUR"),
        "vendor": ("", ""),
    },
}  # fmt: skip
