"""Arithmetic: understood lines -> the rows of one posting, invented receipts and corrections among them.

Two modes, decided for each product and warehouse: *history* where nothing has moved yet (opening stock and
receipts are reconstructed), *going on* where stock is kept already (the lines are booked against it). What
was sold before the first day of a shelf that is kept already is history too: what the reconstruction leaves
is taken away when that day begins, so that the stock of now stays what it is.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.imports import sales_history
from core.imports.table_dialect import SCALE

EMERGENCY = "Receipt for a sale that was undone: see its document"
TAKEN_BACK = "The receipt for an undone sale taken back"
ENDED = "What is left of the reconstructed past: from here on stock was kept"
CORRECTED = "Counted correction: the file sold more than was on hand"

DAY = np.timedelta64(1, "D")
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Bookable:
    """What can be booked.

    `rows`: the posting in booking order, with `pair`, `line` (place in the lines, -1 for invented rows),
    `what` (sale, return, opening and receipts, emergency, taken back, correction, ended), and the columns of
    `posting_line` that do not need the database. `missing`: for each line how much was not on hand.
    """

    rows: pd.DataFrame
    missing: np.ndarray


def keys(source: str, lines: pd.DataFrame) -> list[str]:
    """The lines' keys as 32 hex digits: a hash of source, document, code and occurrence."""
    found = []
    columns = (lines["document"], lines["code"], lines["occurrence"])
    for document, code, occurrence in zip(*columns, strict=True):
        # Cleaned texts hold no control characters, so that this separator keeps them apart.
        text = f"{source}\x1f{document}\x1f{code.casefold()}\x1f{occurrence}"
        found.append(hashlib.sha256(text.encode()).hexdigest()[:32])
    return found


def shift_days(last: np.datetime64, today: np.datetime64) -> int:
    """The largest multiple of 364 days (weekdays stay) that leaves the last day before today."""
    return max(0, int((today - DAY - last.astype("datetime64[D]")) // DAY) // 364 * 364)


def book(
    lines: pd.DataFrame, has_history: np.ndarray, level: np.ndarray, ends: np.ndarray, *, correct: bool
) -> Bookable:
    """Lines and everything that must happen around them, in booking order.

    Args:
        lines: pair (0..n-1), change, at (UTC), day (number of the local day), zone, partner (place of the
            sale that a return takes back, or -1), returns_id (the same for a sale in the ledger, or None);
            sorted by `at`.
        has_history: for each pair, whether stock is kept already.
        level: for each pair what is on hand.
        ends: for each pair the day on which its past ends, NEVER where it goes on to be now.
        correct: book what is missing as a counted correction instead of leaving the line out.
    """
    pair, change = lines["pair"].to_numpy(), lines["change"].to_numpy()
    going_on = has_history[pair] if len(lines) else np.zeros(0, bool)
    missing = np.zeros(len(lines), np.int64)
    missing[going_on] = sales_history.cover(pair[going_on], change[going_on], level, correct=correct)
    dropped = (missing > 0) & (not correct)
    parts = [_lines(lines, ~dropped, dropped)]
    if correct and missing.any():
        parts.append(_corrections(lines, missing))
    partner = lines["partner"].to_numpy()
    undone = (partner >= 0) & ~going_on
    parts += _emergencies(lines, np.flatnonzero(undone), partner)
    rest = ~going_on & ~undone
    rest[partner[undone]] = False
    parts.append(_receipts(lines, lines[rest], ends))
    rows = pd.concat(parts, ignore_index=True)
    rows = pd.concat([rows, _leftovers(lines, rows, ends)], ignore_index=True)
    rows = rows.sort_values(["at", "rank", "order"], kind="stable", ignore_index=True)
    return Bookable(_name_lines(rows), missing)


def _lines(lines: pd.DataFrame, kept: np.ndarray, dropped: np.ndarray) -> pd.DataFrame:
    place = np.flatnonzero(kept)
    partner = lines["partner"].to_numpy()[place]
    # The sale that would have been taken back is not there: the return changes stock only.
    partner = np.where((partner >= 0) & dropped[partner], -1, partner)
    sale = lines["change"].to_numpy()[place] < 0
    return pd.DataFrame(
        {
            "pair": lines["pair"].to_numpy()[place],
            "line": place,
            "what": np.where(sale, "sale", "return"),
            "type": np.where(sale, "out", "in"),
            "reason_code": np.where(sale, "sale", "return"),
            "change": lines["change"].to_numpy()[place],
            "at": lines["at"].to_numpy()[place],
            "rank": 1,
            "order": place * 3,
            "about": place,
            "takes_back": partner,
            "returns_id": lines["returns_id"].to_numpy()[place],
        }
    )


def _invented(about: np.ndarray, lines: pd.DataFrame, change: np.ndarray, step: int, **said) -> pd.DataFrame:
    """Rows right before (-1) or after (1) the lines they are about."""
    return pd.DataFrame(
        {
            "pair": lines["pair"].to_numpy()[about],
            "line": -1,
            "change": change,
            "at": lines["at"].to_numpy()[about],
            "rank": 1,
            "order": about * 3 + step,
            "about": about,
        }
        | said
    )


def _corrections(lines: pd.DataFrame, missing: np.ndarray) -> pd.DataFrame:
    about = np.flatnonzero(missing > 0)
    said = {"what": "correction", "type": "adjust", "reason_code": "count", "reason": CORRECTED}
    return _invented(about, lines, missing[about], -1, **said)


def _emergencies(lines: pd.DataFrame, returns: np.ndarray, partner: np.ndarray) -> list[pd.DataFrame]:
    """For each undone sale a receipt just before it, taken back just after its return.

    On the same day the receipt is reversed. Later it cannot be: a reversal corrects the day it names, and
    the shelf would have been below zero in between; so it is taken back on the day of the return.
    """
    if not len(returns):
        return []
    sales = partner[returns]
    quantity = lines["change"].to_numpy()[returns]
    said = {"type": "in", "reason_code": "reconstructed"}
    came = _invented(sales, lines, quantity, -1, what="emergency", reason=EMERGENCY, **said)
    day = lines["day"].to_numpy()
    same_day = day[returns] == day[sales]
    said = {"what": "taken back", "reason_code": "reconstructed", "reason": TAKEN_BACK}
    went = _invented(returns, lines, -quantity, 1, type=np.where(same_day, "in", "adjust"), **said)
    went["reverses_about"] = np.where(same_day, sales, -1)
    return [came, went]


def _leftovers(lines: pd.DataFrame, rows: pd.DataFrame, ends: np.ndarray) -> pd.DataFrame:
    """What is left of a past that has ended goes at the start of the day on which it ends."""
    left = rows.groupby("pair")["change"].sum()
    left = left[(ends[left.index.to_numpy(np.int64)] != NEVER) & (left > 0)]
    pairs = left.index.to_numpy(np.int64)
    return pd.DataFrame(
        {
            "pair": pairs,
            "line": -1,
            "what": "ended",
            "type": "adjust",
            "reason_code": "reconstructed",
            "change": -left.to_numpy(np.int64),
            "at": _day_starts(lines, pairs, ends[pairs]),
            "rank": 0,
            "order": 0,
            "about": -1,
            "reason": ENDED,
        }
    )


def _receipts(lines: pd.DataFrame, rest: pd.DataFrame, ends: np.ndarray) -> pd.DataFrame:
    """Opening stock and receipts at the start of their days; the warehouse's zone comes with the lines."""
    pairs, local = np.unique(rest["pair"].to_numpy(), return_inverse=True)
    came = sales_history.reconstruct(
        pd.DataFrame({"pair": local, "day": rest["day"], "change": rest["change"]})
    )
    came_to = pairs[came["pair"].to_numpy(np.int64)] if len(came) else np.zeros(0, np.int64)
    in_time = came["day"].to_numpy(np.int64) < ends[came_to]
    came, came_to = came[in_time], came_to[in_time]
    return pd.DataFrame(
        {
            "pair": came_to,
            "line": -1,
            "what": np.where(came["why"] == sales_history.OPENING, "opening", "receipt"),
            "type": "in",
            "reason_code": "reconstructed",
            "change": came["quantity"].to_numpy(np.int64),
            "at": _day_starts(lines, came_to, came["day"].to_numpy(np.int64)),
            "rank": 0,
            "order": 0,
            "about": -1,
            "reason": came["why"].to_numpy(),
        }
    )


def _day_starts(lines: pd.DataFrame, pairs: np.ndarray, days: np.ndarray) -> np.ndarray:
    """When each of the days begins, in UTC, in the zone of its pair's warehouse."""
    zone_of_pair = lines.drop_duplicates("pair").set_index("pair")["zone"]
    zones = zone_of_pair.reindex(pairs).to_numpy()
    at = np.zeros(len(days), "datetime64[us]")
    for zone in set(zones):
        which = np.flatnonzero(zones == zone)
        at[which] = to_utc((days[which] * DAY + np.datetime64(0, "D")).astype("datetime64[us]"), zone)
    return at


def to_utc(local: np.ndarray, zone: str) -> np.ndarray:
    """Local moments of a zone in UTC; an hour that comes twice is the first, one that is left out ends."""
    there = pd.DatetimeIndex(local).tz_localize(
        zone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
    )
    return there.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")


def to_local(at: np.ndarray, zone: str) -> np.ndarray:
    """UTC moments as local time of a zone."""
    return (
        pd.DatetimeIndex(at).tz_localize("UTC").tz_convert(zone).tz_localize(None).to_numpy("datetime64[us]")
    )


def _name_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn "which sale" into the number of its row in the posting."""
    number = np.arange(len(rows))
    sale_row = pd.Series(number[rows["line"] >= 0], index=rows["line"][rows["line"] >= 0])
    receipt_row = pd.Series(
        number[rows["what"] == "emergency"], index=rows["about"][rows["what"] == "emergency"]
    )
    for column, named, row_of in (
        ("returns_line", "takes_back", sale_row),
        ("reverses_line", "reverses_about", receipt_row),
    ):
        wanted = rows[named].fillna(-1).astype("int64") if named in rows else pd.Series(-1, index=rows.index)
        found = wanted.where(wanted >= 0).map(row_of)
        rows[column] = found.astype("Int64")
    return rows


def exact_text(scaled: np.ndarray) -> np.ndarray:
    """Ten-thousandths as decimal text: -60000 -> "-6.0000"."""
    places, distinct = pd.factorize(scaled)
    texts = [f"{'-' if v < 0 else ''}{abs(v) // SCALE}.{abs(v) % SCALE:04d}" for v in distinct.tolist()]
    return np.asarray(texts, object)[places] if len(texts) else np.zeros(0, object)


def plain_text(scaled: np.ndarray) -> list[str]:
    """Ten-thousandths as people write them: 60000 -> "6", 25000 -> "2.5"."""
    return [text.rstrip("0").rstrip(".") for text in exact_text(scaled)]


def moment_text(at: np.ndarray) -> np.ndarray:
    """UTC moments as PostgreSQL reads them."""
    places, distinct = pd.factorize(at)
    texts = [f"{text}+00" for text in np.datetime_as_string(np.asarray(distinct, "datetime64[us]"))]
    return np.asarray(texts, object)[places] if len(texts) else np.zeros(0, object)
