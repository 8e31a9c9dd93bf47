"""What the export is asked and what it answers."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field

from api.schemas import Amount, Answer, Id, Moment, Number
from api.schemas_stock import FromDay, ToDay, TransactionType
from core import ml_export
from core.ledger_export import streams

Format = Annotated[
    Literal["json", "ndjson", "csv", "parquet", "arrow"],
    Query(alias="format", description="`json` is a page; the others stream the whole selection."),
]
Offset = Annotated[
    int | None,
    Query(ge=0, le=ml_export.MOST_OFFSET, description="Rows to leave out, 0 unless told; only with `json`."),
]
Rows = Annotated[
    int | None,
    Query(
        ge=1,
        le=ml_export.MOST_ROWS,
        description="Rows of the page, 10000 unless told; only with `json`. More go as a file: few at once.",
    ),
]


@dataclass(frozen=True)
class Asked:
    """Which rows an export tells."""

    since: FromDay = None
    until: ToDay = None
    warehouse: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Id or code of a warehouse.")
    ] = None
    category: Annotated[
        str | None, Query(max_length=200, description="Of the product as it is now, word for word.")
    ] = None
    after: Annotated[
        int,
        Query(ge=0, le=2**63 - 1, description="Rows behind this transaction_id; `offset` counts from it."),
    ] = 0
    updated_since: Annotated[
        AwareDatetime | None,
        Query(description="Rows booked then or later: what `X-Next-Updated-Since` of the last pull said."),
    ] = None

    def words(self) -> dict[str, Any]:
        """The same as core asks for it."""
        words = asdict(self)
        return words | {"after_id": words.pop("after")}


class ExportRow(Answer):
    """One movement, flat; `quantity` and `total_amount` are signed: plus in, minus out."""

    transaction_id: int
    item_id: Id
    item_sku: str
    item_category: str | None
    warehouse_id: Id
    warehouse_code: str
    transaction_type: TransactionType
    quantity: Number
    unit_price: Amount | None
    total_amount: Number | None
    created_at: Moment = Field(description="When it happened.")
    recorded_at: Moment = Field(description="When it was booked.")
    created_at_ts: float = Field(description="`created_at` as seconds since 1970.")


class ExportPage(Answer):
    """A page of the ledger in booking order."""

    rows: list[ExportRow]
    total_count: int = Field(description="Of the whole selection, whatever `after` and `offset` say.")
    offset: int
    limit: int
    has_more: bool
    next_updated_since: Moment | None = Field(
        description="What to send as `updated_since` next time; null while pages follow."
    )


def _header(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "schema": {"type": "string"}}


_TAG = _header("Of this answer: send it as `If-None-Match` next time.")
_NEXT = _header("What to send as `updated_since` next time; missing while pages follow.")
_FILE = {"schema": {"type": "string", "format": "binary"}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The page, or the whole selection piece by piece: without its end it is not whole.",
        "headers": {"ETag": _TAG, "X-Next-Updated-Since": _NEXT},
        "content": {media.partition(";")[0]: _FILE for media in streams.FORMATS.values()},
    },
    304: {
        "description": "Nothing changed since the answer that `If-None-Match` names.",
        "headers": {"ETag": _TAG, "X-Next-Updated-Since": _NEXT},
    },
}
"""What the export answers beside refusals."""
