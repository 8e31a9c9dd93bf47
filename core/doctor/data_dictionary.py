"""What every column of the feature export means: name, meaning, unit and type, for people and programs."""

from core.anomaly import features

COLUMNS = ("table", "name", "meaning", "unit", "type")
_KEYS = {
    "train": (
        ("row", "place of the row in the order that learning uses", "1", "int64"),
        ("transaction_id", "the movement's number in the ledger; below zero for a copy", "id", "int64"),
        ("at", "when it happened", "seconds since 1970 (UTC)", "float64"),
        ("label", "true where a mistake was made up in the line", "true or false", "bool"),
        ("kind", "the mistake that was made up; none where the line is as it was booked", "word", "string"),
        ("weight", "for how many lines the row stands: right ones are a sample", "lines", "float32"),
    ),
    "movements": (
        ("transaction_id", "the movement's number in the ledger", "id", "int64"),
        ("at", "when it happened", "seconds since 1970 (UTC)", "float64"),
    ),
    "aggregates": (
        ("week", "the Monday on which the week begins (business days of the warehouse)", "date", "date"),
        ("item_id", "the product", "id", "string"),
        ("item_sku", "its code", "word", "string"),
        ("warehouse_id", "the warehouse", "id", "string"),
        ("warehouse_code", "its code", "word", "string"),
        ("movements", "movements in the week", "movements", "int64"),
        ("documents", "different documents in the week", "documents", "int64"),
        ("customers", "different customers in the week", "customers", "int64"),
        ("quantity_out", "what left the shelf in the week (sales, consumption)", "pieces", "float64"),
        ("quantity_in", "what came in", "pieces", "float64"),
        ("quantity_adjusted", "corrections and counts, signed", "pieces", "float64"),
        ("quantity_transferred", "from and to other warehouses, signed", "pieces", "float64"),
        ("largest_quantity", "the largest single movement", "pieces", "float64"),
        ("value", "quantities times unit prices, without sign; movements without a price count as 0", "money",
         "float64"),
        ("stock_after", "on hand after the week's last movement", "pieces", "float64"),
        *(
            (f"{name}_{count}_weeks", f"{meaning} in the {count} weeks before, without this one", unit, kind)
            for count in (4, 13)
            for name, meaning, unit, kind in (
                ("movements", "movements", "movements", "int64"),
                ("quantity_out", "what left the shelf", "pieces", "float64"),
                ("quantity_in", "what came in", "pieces", "float64"),
                ("largest_quantity", "the largest single movement", "pieces", "float64"),
            )
        ),
    ),
}  # fmt: skip
WITH_FEATURES = ("train", "movements")
_UNIT_BY_BEGINNING = (
    ("log odds", "log odds"), ("log", "log"), ("doublings", "doublings"), ("mean doublings", "doublings"),
    ("how far they scatter", "doublings"), ("share", "0 to 1"), ("how far back", "0 to 1"),
    ("whether", "0 or 1"), ("how many", "count"), ("exact repeats", "count"), ("other", "count"),
    ("lines", "lines"), ("what kind", "place in the list of flows"), ("the same for", "log"),
    ("the same in", "standard deviations"), ("on hand after it over", "ratio"),
)  # fmt: skip
"""A feature's meaning begins with what it is counted in."""


def rows() -> list[dict[str, str]]:
    """One row a column of each table, in the order of the files."""
    told = []
    for table, keys in _KEYS.items():
        told += [dict(zip(COLUMNS, (table, *key), strict=True)) for key in keys]
        if table in WITH_FEATURES:
            told += [
                dict(zip(COLUMNS, (table, name, meaning, _unit(name, meaning), "float32"), strict=True))
                for name, meaning in features.MEANINGS.items()
            ]
    return told


def _unit(name: str, meaning: str) -> str:
    if name.startswith(("odds_", "likely_")):
        return "log odds"
    said = meaning.lower().rpartition(" booked: ")[2].removeprefix("its ")
    return next((unit for words, unit in _UNIT_BY_BEGINNING if said.startswith(words)), "number")
