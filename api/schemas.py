"""What bodies are made of: numbers that stay exact, texts that can be kept, fields that are known.

Input is checked by value and refused, never rounded or cut. Quantities and money leave as JSON numbers in
their shortest plain form (`12.99`, `100`).
"""

import unicodedata
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
)

SIGNIFICANT_DIGITS = 15  # what every reader of JSON keeps: a double holds that many decimal digits
DECIMALS = 4


class Body(BaseModel):
    """What a client sends: a field that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


def example(**values: Any) -> ConfigDict:
    """`model_config` of a body that the documents show like this."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class Answer(BaseModel):
    """What the API says; made from a row, a dataclass or a dict."""

    model_config = ConfigDict(from_attributes=True)


# -- Numbers -------------------------------------------------------------------------------------------------


def _exact(value: Any, info: ValidationInfo) -> Decimal:
    """A JSON number as it was written: the route parses fractions as Decimal, so a float never comes by.

    What leaves as an answer is not judged: the ledger may add up to more digits than one may send.
    """
    if (info.config or {}).get("extra_fields_behavior") != "forbid":
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    number = Decimal(value)
    if not number:
        return Decimal(0)
    _, digits, exponent = number.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    # The place of the last digit that says something. The number itself is never written out: 1E+999999 would
    # be a megabyte.
    last = exponent + len(digits) - len(significant)
    if last < -DECIMALS:
        raise ValueError(f"must have at most {DECIMALS} decimals")
    if number.adjusted() - min(last, 0) >= SIGNIFICANT_DIGITS:
        raise ValueError(f"must have at most {SIGNIFICANT_DIGITS} significant digits")
    return number


def plain(value: Decimal) -> int | float:
    """The JSON number with the shortest plain form: 12.99 for 12.9900, 100 for 100.0000.

    A double writes four decimals back exactly below 549 billion; above, as many as it can carry are kept.
    """
    if value == value.to_integral_value():
        return int(value)
    for decimals in range(DECIMALS, -1, -1):
        kept = round(value, decimals)
        number = float(kept)
        if Decimal(repr(number)) == kept:
            return int(kept) if kept == kept.to_integral_value() else number
    raise AssertionError("unreachable: a whole number can be said")


_NUMBER = (BeforeValidator(_exact), PlainSerializer(plain, return_type=int | float))

Number = Annotated[Decimal, *_NUMBER, WithJsonSchema({"type": "number"})]
"""An exact number; in a body of at most 15 significant digits and 4 decimals."""

Amount = Annotated[Decimal, *_NUMBER, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
"""A quantity or money that cannot be below zero."""


def _plain_float(value: float) -> int | float:
    rounded = round(value, DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded


Share = Annotated[
    float, PlainSerializer(_plain_float, return_type=int | float), WithJsonSchema({"type": "number"})
]
"""A computed figure (a chance, a score), rounded to 4 decimals."""


def whole(least: int, most: int) -> Any:
    """Type of a whole number within bounds; 5.0, "5" and true are not whole numbers."""
    return Annotated[StrictInt, Field(ge=least, le=most)]


Flag = StrictBool

# -- Texts ---------------------------------------------------------------------------------------------------


def _one_line(value: str) -> str:
    if any(unicodedata.category(sign) == "Cc" for sign in value):
        raise ValueError("must not hold control characters")
    return value


def _lines(value: str) -> str:
    _one_line(value.translate({ord(sign): " " for sign in "\n\r\t"}))
    return value


def line(most: int, least: int = 0) -> Any:
    """Type of a text of one line, without control characters."""
    return Annotated[StrictStr, Field(min_length=least, max_length=most), AfterValidator(_one_line)]


def text(most: int, least: int = 0) -> Any:
    """Type of a text that may have several lines; spaces around it do not count."""

    def says_something(value: str) -> str:
        if len(value.strip()) < least:
            raise ValueError("must not be empty")
        return value

    return Annotated[
        StrictStr,
        Field(min_length=least, max_length=most),
        AfterValidator(_lines),
        AfterValidator(says_something),
    ]


# -- Times and pages -----------------------------------------------------------------------------------------


def _as_utc(value: datetime) -> str:
    said = value.astimezone(UTC).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return said.replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_as_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC: 2024-01-15T10:30:00Z."""

Day = date
Id = uuid.UUID
OwnId = Annotated[uuid.UUID, Field(validation_alias="uid")]
"""The `id` of an answer, which rows call `uid`."""

Skip = Annotated[int, Query(ge=0, le=2**31, description="How many to leave out at the start.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to answer at most.")]


class Problem(BaseModel):
    """Every refusal looks like this."""

    error: str = Field(examples=["Bad Request"])
    detail: str = Field(examples=["WDG-001: 9 asked for, 5 on hand."])
    type: str = Field(examples=["InsufficientStock"])


class WrongField(BaseModel):
    """Where a malformed request is wrong."""

    field: str = Field(examples=["body.unit_cost"])
    message: str = Field(examples=["must have at most 4 decimals"])


class InputProblem(Problem):
    """A malformed request (422): `fields` says where."""

    fields: list[WrongField] = []
