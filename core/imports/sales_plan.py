"""What a file of sales would do to the shop: read-only, the same for a dry run and for the real thing."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs, shop, warehouses
from core.errors import BadInput, NotFound
from core.imports import sales_booking, sales_lines, sales_rows
from core.imports.sales_lines import Choices, Lines
from core.imports.table_files import TableFile
from core.imports.table_text import RULES, issue_frame
from db.models import Import, Warehouse

FIRST_WAREHOUSE = "MAIN"
SOURCE_CHARACTERS = 100
NOT_YET = -1  # the id of the warehouse that the import of a shop without any will make


@dataclass(frozen=True)
class Options:
    """How a file is meant. `without_errors`: import without exactly this many lines that have errors."""

    source: str = "sales"
    warehouse: str | None = None
    shift_to_today: bool = False
    without_errors: int | None = None
    counted_corrections: bool = False
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True)
class Outcome:
    """What a file did, or would do.

    `counts` holds numbers of lines and things; `skipped` and `errors` count lines by rule; `issues` lists
    them (line_number, kind, rule, field, value, message). Days are business days after the shift.
    """

    applied: bool
    mode: str
    counts: dict[str, int]
    skipped: dict[str, int]
    errors: dict[str, int]
    issues: pd.DataFrame
    new_products: list[str]
    shift_days: int
    first_on: date | None
    last_on: date | None
    columns: dict[str, str]
    facts: dict[str, str]
    import_uid: uuid.UUID | None = None

    @property
    def error_lines(self) -> int:
        return sum(self.errors.values())


@dataclass(frozen=True)
class Plan:
    """Everything there is to book and to say; `codes` and `known` say which product numbers exist.

    `lines` are sorted by time; `bookable.rows` point to them by place.
    """

    lines: pd.DataFrame
    bookable: sales_booking.Bookable
    codes: list[str]  # product number -> code
    known: np.ndarray  # product number -> product id, -1 where it is to be created
    understood: Lines
    outcome: Outcome


def make(
    session: Session, file: TableFile, options: Options, now: datetime, progress: Callable[[str], None]
) -> Plan:
    """Understand the file and lay it beside what the shop has; writes nothing."""
    if not inputs.text(options.source, "The name of the source", SOURCE_CHARACTERS):
        raise BadInput("The source needs a name: it is part of each line's key.")
    progress("understanding")
    places = _warehouses(session, options)
    latest = max(now.astimezone(ZoneInfo(place.time_zone)) for place in places.values())
    understood = sales_lines.understand(file, options.choices, latest.replace(tzinfo=None))
    progress("comparing")
    lines, issues = understood.frame, [understood.issues]

    keys = np.asarray(sales_booking.keys(options.source, lines), object)
    before = sales_rows.known_keys(session, keys, options.source)
    issues.append(
        _issues(lines[before], "skipped", "already_imported", None, None, RULES["already_imported"])
    )
    lines, last = lines.assign(key=keys)[~before], _last_moment(lines)
    lines, wrong = _placed(lines, places)
    issues.append(wrong)
    shift = _shift(session, options, last, latest)
    lines = _timed(lines, shift)

    codes, known = sales_rows.products(session, lines["code"])
    lines = lines.assign(product=pd.Categorical(lines["code"], categories=codes).codes)
    lines, pairs = _paired(session, lines, known)
    has_history, level = sales_rows.levels(session, pairs)
    lines = sales_rows.with_partners(session, lines, pairs[has_history])
    progress("reconstructing")
    bookable = sales_booking.book(
        lines, has_history, level, pairs["ends"].to_numpy(), correct=options.counted_corrections
    )
    issues.append(_shortages(lines, bookable.missing, correct=options.counted_corrections))
    if not options.counted_corrections:
        kept = bookable.missing == 0
    else:
        kept = np.ones(len(lines), bool)
    outcome = _outcome(file, understood, lines[kept], bookable, issues, shift, has_history)
    used = np.unique(lines["product"][kept])
    outcome.new_products.extend(codes[number] for number in used if known[number] < 0)
    outcome.counts["products to create"] = len(outcome.new_products)
    return Plan(lines, bookable, codes, known, understood, outcome)


def _warehouses(session: Session, options: Options) -> dict[str, Warehouse]:
    """Warehouses by lower-case code; "" is the one for lines that name none."""
    found = {place.code.lower(): place for place in warehouses.listing(session)}
    if options.warehouse is not None:
        default = warehouses.by_code(session, options.warehouse)
    else:
        try:
            default = warehouses.default(session)
        except NotFound:
            if found:
                raise
            default = Warehouse(id=NOT_YET, code=FIRST_WAREHOUSE, time_zone=shop.get(session).time_zone)
    return found | {"": default}


def _placed(lines: pd.DataFrame, places: dict[str, Warehouse]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines with their warehouse's id and zone, and the errors of those whose warehouse is unknown."""
    named = lines["warehouse"].str.lower()
    known = named.isin(places.keys())
    wrong = _issues(
        lines[~known], "error", "unknown_warehouse", "warehouse", lines["warehouse"][~known].to_numpy(),
        "there is no warehouse with this code",
    )  # fmt: skip
    ids = {code: place.id for code, place in places.items()}
    zones = {code: place.time_zone for code, place in places.items()}
    lines = lines.assign(warehouse_id=named.map(ids), zone=named.map(zones))[known]
    return lines.astype({"warehouse_id": "int64"}), wrong


def _last_moment(lines: pd.DataFrame) -> np.datetime64 | None:
    return lines["moment"].to_numpy().max() if len(lines) else None


def _shift(session: Session, options: Options, last: np.datetime64 | None, latest: datetime) -> int:
    """By how many days the file is moved: as the source was before, else so that it ends yesterday.

    Refuses to import a source unmoved that was moved before: its days would lie years apart.
    """
    earlier = session.scalar(
        select(Import.shift_days)
        .where(Import.source == options.source, Import.state == "applied")
        .order_by(Import.id.desc())
        .limit(1)
    )
    if not options.shift_to_today:
        if earlier:
            raise BadInput(
                f"'{options.source}' was imported with its days moved by {earlier:,}: move old days again "
                "(--shift-to-today), or name another source (--source)."
            )
        return 0
    if last is None:
        return earlier or 0
    possible = sales_booking.shift_days(last, np.datetime64(latest.date(), "D"))
    if earlier is None:
        return possible
    if earlier > possible:
        raise BadInput(
            f"'{options.source}' was imported with its days moved by {earlier:,}, which would put the end of "
            "this file after yesterday. Name another source (--source)."
        )
    return earlier


def _timed(lines: pd.DataFrame, shift: int) -> pd.DataFrame:
    """Lines with their moment in UTC and their local day, after the shift, in the order of time."""
    moved = lines["moment"].to_numpy("datetime64[us]") + np.timedelta64(shift, "D")
    at, day = moved.copy(), np.zeros(len(lines), np.int64)
    is_utc = lines["is_utc"].to_numpy(bool)
    for zone in lines["zone"].unique():
        here = (lines["zone"] == zone).to_numpy()
        at[here & ~is_utc] = sales_booking.to_utc(moved[here & ~is_utc], zone)
        day[here] = sales_booking.to_local(at[here], zone).astype("datetime64[D]").astype(np.int64)
    return lines.assign(at=at, day=day).sort_values("at", kind="stable", ignore_index=True)


def _paired(session: Session, lines: pd.DataFrame, known: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines with their `pair`, and the pairs: a product in a warehouse, once more for its past.

    The past of a shelf is what was sold before the first day on which anything moved there. Opening stock is
    what was left after that: those sales may not be taken off it again. `ends` is that first day.
    """
    shelf = ["product", "warehouse_id"]
    shelves = lines.drop_duplicates(shelf)[shelf]
    shelves = shelves.assign(product_id=known[shelves["product"]])
    shelves = shelves.assign(begun=sales_rows.first_days(session, shelves))
    lines = lines.merge(shelves, how="left", on=shelf)
    lines = lines.assign(is_past=lines["day"] < lines["begun"])
    pairs = lines.drop_duplicates([*shelf, "is_past"])[[*shelf, "product_id", "is_past", "begun"]]
    pairs = pairs.assign(
        pair=np.arange(len(pairs)),
        ends=np.where(pairs["is_past"], pairs["begun"], sales_booking.NEVER),
    )
    lines = lines.merge(pairs[[*shelf, "is_past", "pair"]], how="left", on=[*shelf, "is_past"])
    return lines.drop(columns=["product_id", "begun", "is_past"]), pairs.drop(columns="begun")


def _issues(lines: pd.DataFrame, kind: str, rule: str, field_name, values, message) -> pd.DataFrame:
    return issue_frame(lines["line_number"].to_numpy(), kind, rule, field_name, values, message)


def _shortages(lines: pd.DataFrame, missing: np.ndarray, *, correct: bool) -> pd.DataFrame:
    """Lines that stock did not suffice for: notes where it was corrected, errors where not."""
    short = lines[missing > 0]
    asked = sales_booking.plain_text(-short["change"].to_numpy())
    lacking = sales_booking.plain_text(missing[missing > 0])
    how = "added by a counted correction" if correct else "missing (--counted-corrections adds it)"
    messages = [
        f"{code}: {wanted} sold, {less} {how}"
        for code, wanted, less in zip(short["code"], asked, lacking, strict=True)
    ]
    kind, rule = ("note", "counted_correction") if correct else ("error", "not_on_hand")
    return _issues(short, kind, rule, "quantity", asked, messages)


def _outcome(
    file: TableFile,
    understood: Lines,
    lines: pd.DataFrame,
    bookable: sales_booking.Bookable,
    issues: list[pd.DataFrame],
    shift: int,
    has_history: np.ndarray,
) -> Outcome:
    said = pd.concat([part for part in issues if len(part)] or issues[:1], ignore_index=True)
    said = said.sort_values("line_number", kind="stable", ignore_index=True)
    by_rule = said.groupby(["kind", "rule"]).size()
    made = bookable.rows["what"].value_counts()
    modes = {"going on" if kept else "history" for kept in has_history}
    mode = "mixed" if len(modes) == 2 else next(iter(modes), "nothing new")
    days = lines["day"].to_numpy("int64").astype("datetime64[D]")
    counts = {
        "lines read": len(file.frame),
        "sales": int(made.get("sale", 0)),
        "returns": int(made.get("return", 0)),
        "returns of a sale within 14 days": int((bookable.rows["returns_line"].notna()).sum())
        + int(bookable.rows["returns_id"].notna().sum()),
        "receipts reconstructed": int(made.get("receipt", 0) + made.get("opening", 0)),
        "emergency receipts taken back": int(made.get("taken back", 0)),
        "counted corrections": int(made.get("correction", 0)),
        "lines skipped": int((said["kind"] == "skipped").sum()),
        "lines with errors": int((said["kind"] == "error").sum()),
        "notes": int((said["kind"] == "note").sum()),
    }
    return Outcome(
        applied=False,
        mode=mode,
        counts=counts,
        skipped=by_rule["skipped"].to_dict() if "skipped" in by_rule else {},
        errors=by_rule["error"].to_dict() if "error" in by_rule else {},
        issues=said,
        new_products=[],
        shift_days=shift,
        first_on=days.min().item() if len(days) else None,
        last_on=days.max().item() if len(days) else None,
        columns=understood.columns,
        facts=understood.facts,
    )
