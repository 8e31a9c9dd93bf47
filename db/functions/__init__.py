"""The SQL functions that write the ledger, one file each, in the order in which they are created."""

from pathlib import Path

NAMES = (
    "refusal", "roll_up", "returned_of", "announce_ids", "post_stock_lines", "post_stock", "keep_ledger",
    "thresholds_of", "post_stock_each",
)  # fmt: skip


def source(name: str) -> str:
    """The SQL text that creates (or replaces) the function `name`."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
