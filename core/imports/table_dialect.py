"""Arithmetic: how a file writes its numbers and dates.

Numbers and dates are decided by all values of a file together, never by one alone; what stays open is
refused with the option that settles it (the command's stands in brackets). Numbers become integers of
ten-thousandths: no float comes near them.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.inputs import shown

SCALE = 10_000
QUANTITY_MOST = 10**9
PRICE_MOST = 10**10 - 1

# --- Numbers -------------------------------------------------------------------------------------------

_SIGNED = re.compile(r"^(?:([+-])(.*)|(.*)(-)|\((.*)\))$", re.DOTALL)
_GROUPED = {",": re.compile(r"^[0-9]{1,3}(?:,[0-9]{3})+$"), ".": re.compile(r"^[0-9]{1,3}(?:\.[0-9]{3})+$")}
# Spaces of all kinds and the Swiss apostrophe stand between thousands and mean nothing else.
_SILENT = re.compile("[ '\u2019\u00a0\u2007\u2009\u202f]")
_SILENT_GROUPS = re.compile(r"^[0-9]{1,3}(?:_[0-9]{3})+$")
_CURRENCY = "€$£¥ \u00a0"


def decimal_mark(texts: Sequence[str], given: str | None = None) -> str:
    """Whether the numbers of a file have a decimal point or a decimal comma.

    Raises:
        BadInput: both occur, or every number could be either ("1.234") and `given` does not settle it.
    """
    if given is not None:
        if given not in (".", ","):
            raise BadInput("The decimal mark is '.' or ','.")
        return given
    proof: dict[str, str] = {}
    doubtful = None
    for text in texts:
        bare = _unsigned(text)[1]
        dots, commas = bare.count("."), bare.count(",")
        if not dots + commas:
            continue
        if dots and commas:
            mark = "." if bare.rfind(".") > bare.rfind(",") else ","
        elif dots + commas > 1:
            mark = "," if dots else "."  # one mark several times stands between thousands
        else:
            mark = "." if dots else ","
            whole, _, fraction = bare.partition(mark)
            if len(fraction) == 3 and 1 <= len(whole) <= 3 and whole.strip("0"):
                doubtful = doubtful or text
                continue
        proof.setdefault(mark, text)
    if len(proof) == 2:
        raise BadInput(
            f"The numbers mix decimal point ('{proof['.']}') and decimal comma ('{proof[',']}'): "
            "choose one of them (--decimal . or --decimal ,) and the others are reported line by line."
        )
    if proof:
        return next(iter(proof))
    if doubtful:
        raise BadInput(
            f"'{doubtful}' can be read in two ways: choose the decimal mark (--decimal . or --decimal ,)."
        )
    return "."


def number(text: str, mark: str, *, round_off: bool = False) -> int | None:
    """The number in ten-thousandths; None when it is none, or has more than four decimals.

    With `round_off` further decimals are rounded half up (prices). Signs may stand before, behind or be
    brackets around it; a currency sign is ignored.
    """
    sign, bare = _unsigned(text)
    whole, _, fraction = bare.partition(mark)
    group = "," if mark == "." else "."
    if _SILENT.search(whole):
        whole = _SILENT.sub("_", whole)
        if not _SILENT_GROUPS.match(whole):
            return None
        whole = whole.replace("_", "")
    elif group in whole:
        if not _GROUPED[group].match(whole):
            return None
        whole = whole.replace(group, "")
    fraction = fraction.rstrip("0")
    if not (whole or bare.partition(mark)[2]) or len(whole) > 15 or (len(fraction) > 4 and not round_off):
        return None
    if (whole and not (whole.isascii() and whole.isdigit())) or (
        fraction and not (fraction.isascii() and fraction.isdigit())
    ):
        return None
    up = fraction[4:5] >= "5"
    return sign * (int(whole or 0) * SCALE + int(fraction[:4].ljust(4, "0")) + up)


def _unsigned(text: str) -> tuple[int, str]:
    bare = text.strip().replace("\u2212", "-").strip(_CURRENCY)
    signed = _SIGNED.match(bare)
    if not signed:
        return 1, bare
    inside = next(part for part in (signed[2], signed[3], signed[5]) if part is not None)
    return (1 if signed[1] == "+" else -1), inside.strip(_CURRENCY)


# --- Dates ---------------------------------------------------------------------------------------------

_YEAR_FIRST = re.compile(r"^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ]+(.*))?$", re.ASCII)
_YEAR_LAST = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,]+(.*))?$", re.ASCII)
_TOGETHER = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?$", re.ASCII)
_CLOCK = re.compile(
    r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp])?\.?(?:[Mm]\.?)?\s*(Z|[+-]\d{2}:?\d{2})?$",
    re.ASCII,
)
ORDERS = ("ymd", "dmy", "mdy")


def date_order(texts: Sequence[str], given: str | None = None) -> str:
    """How a file orders day, month and year: `dmy`, `mdy`, `ymd` (also when no date ends with its year).

    Raises:
        BadInput: dates of both orders, or every date could be either and `given` does not settle it.
    """
    if given is not None:
        if given not in ORDERS and "%" not in given:
            raise BadInput("The order of dates is ymd, dmy, mdy or a pattern such as '%d-%b-%Y %H:%M'.")
        return given
    proof: dict[str, str] = {}
    doubtful, dotted = None, False
    for text in texts:
        parts = _YEAR_LAST.match(text.strip())
        if not parts:
            continue
        first, second = int(parts[1]), int(parts[3])
        if first > 12:
            proof.setdefault("dmy", text)
        elif second > 12:
            proof.setdefault("mdy", text)
        elif parts[2] == ".":
            dotted = True  # nobody writes 12.31.2025
        else:
            doubtful = doubtful or text
    if len(proof) == 2:
        raise BadInput(
            f"The dates mix day first ('{proof['dmy']}') and month first ('{proof['mdy']}'): "
            "choose one of them (--date-format dmy or --date-format mdy) and the others are reported line by "
            "line."
        )
    if proof:
        return next(iter(proof))
    if doubtful and not dotted:
        raise BadInput(
            f"'{doubtful}' can be day first or month first, and no date of the file settles it: "
            "choose the order of dates (--date-format dmy or --date-format mdy)."
        )
    return "dmy" if dotted else "ymd"


def moments(texts: Sequence[str], order: str) -> tuple[np.ndarray, np.ndarray]:
    """Each text as a moment (datetime64[us], NaT when it is none) and whether it is in UTC already.

    A text without an offset is local time of the warehouse; one without a time is the start of its day.
    """
    at = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    is_utc = np.zeros(len(texts), bool)
    if "%" in order:
        has_offset = "%z" in order
        try:
            read = pd.to_datetime(
                pd.Series(texts, dtype=object), format=order, errors="coerce", utc=has_offset
            )
        except ValueError as wrong:
            raise BadInput(f"The order of dates '{shown(order)}' is not a pattern: {wrong}.") from wrong
        return read.dt.tz_localize(None).to_numpy("datetime64[us]"), ~is_utc if has_offset else is_utc
    for place, text in enumerate(texts):
        read = _moment(text.strip(), order)
        if read is not None:
            at[place], is_utc[place] = read
    return at, is_utc


def _moment(text: str, order: str) -> tuple[np.datetime64, bool] | None:
    clock: str | None
    if parts := _YEAR_FIRST.match(text):
        year, month, day, clock = parts[1], parts[3], parts[4], parts[5]
    elif order != "ymd" and (parts := _YEAR_LAST.match(text)):
        day, month = (parts[1], parts[3]) if order == "dmy" else (parts[3], parts[1])
        year, clock = parts[4], parts[5]
        if len(year) == 2:
            year = f"20{year}"
    elif parts := _TOGETHER.match(text):
        year, month, day = parts[1], parts[2], parts[3]
        clock = f"{parts[4]}:{parts[5]}:{parts[6] or '00'}" if parts[4] else None
    else:
        return None
    seconds, offset, is_utc = 0, 0, False
    if clock and clock.strip():
        told = _CLOCK.match(clock.strip())
        if not told:
            return None
        hour, minute, second = int(told[1]), int(told[2]), int(told[3] or 0)
        if told[5]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if told[5] in "Pp" else 0)
        if hour > 23 or minute > 59 or second > 59:
            return None
        seconds = hour * 3600 + minute * 60 + second
        if told[6]:
            is_utc = True
            if told[6] != "Z":
                digits = told[6][1:].replace(":", "")
                if int(digits[:2]) > 14 or int(digits[2:]) > 59:
                    return None
                offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60 * (1 if told[6][0] == "+" else -1)
    try:
        start = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "us")
    except ValueError:
        return None
    return start + np.timedelta64(seconds - offset, "s"), is_utc
