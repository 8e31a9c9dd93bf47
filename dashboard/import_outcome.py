"""What a file would do, or did: figures, the changes old -> new, what was said about its lines."""

import re
from typing import Any

import pandas as pd
import streamlit as st

from core.auth import Actor
from core.imports import import_fields, import_found, uploads
from core.imports.uploads import Shown
from dashboard import grid, importing, looks, pickers, saving, signin, ui
from db.session import reading

SAID = {"error": "Errors", "skipped": "Skipped", "change": "Changes", "note": "Notes"}
ONE = {"error": "Error", "skipped": "Skipped", "change": "Change", "note": "Note"}
# Counts that are about lines as such; the others say what happens in the shop.
LINES = ("lines read", "lines skipped", "lines with errors", "notes")
HEADLINES = {
    "sales": ("sales", "returns", "products to create"),
    "stock": ("shelves to open", "shelves counted", "products to create"),
    "products": ("products to create", "products to change", "barcodes to add"),
    "prices": ("prices to add", "prices to change", "prices up"),
}
WAS_DONE = {" to create": " created", " to change": " changed", " to add": " added", " to open": " opened"}
REPORT_SECONDS = 30
PREVIEW_ROWS = 10
HEADERS = {"sku": "SKU"}
NARROW = {"Line": 62, "Field": 96, "What": 198}
# Columns of the changes, and those of them that a phone shows.
PREVIEW = {
    "sales": ("line", "day", "document", "code", "quantity", "warehouse"),
    "stock": ("line", "sku", "name", "warehouse", "before", "after", "change", "why"),
    "products": ("line", "sku", "field", "before", "after"),
    "prices": ("line", "sku", "name", "field", "before", "after", "change"),
}
PREVIEW_NARROW = {
    "sales": ["day", "code", "quantity"],
    "stock": ["sku", "before", "after"],
    "products": ["sku", "field", "after"],
    "prices": ["sku", "field", "after"],
}


def figures(file: Shown) -> None:
    """What happens in the shop first, then what becomes of the lines, and the days they are about."""
    write, does = ui.formats(), _does(file)
    with st.container(key="facts"), st.grid(5, min_column_width=130, gap="small"):
        for words in HEADLINES[file.kind]:
            st.metric(_capital(_words(file, words)), write.number(does.pop(words, 0)))
        st.metric("Lines skipped", write.number(file.counts.get("lines skipped", 0)))
        left_out = "Lines left out" if file.state == "applied" else "Lines with errors"
        st.metric(left_out, write.number(file.error_lines))
    parts = []
    if file.first_on and file.last_on:
        parts.append(write.span(file.first_on, file.last_on, looks.today()))
    if read := file.counts.get("lines read", file.lines):
        parts.append(f"{write.number(read)} {_of(read, 'lines read')}")
    parts += [f"{write.number(count)} {_of(count, _words(file, words))}" for words, count in does.items()]
    st.caption(ui.safe_md(" · ".join(parts)))
    for what, rules in (("Skipped", file.skipped), ("Errors", file.errors)):
        if rules:
            said = ", ".join(f"{write.number(count)} {_rule(rule)}" for rule, count in rules.items())
            st.caption(ui.safe_md(f"{what}: {said}"))


def _does(file: Shown) -> dict[str, int]:
    return {words: count for words, count in file.counts.items() if words not in LINES and count}


def _words(file: Shown, words: str) -> str:
    """A count's words; those of what was to be done, once it is done."""
    for before, after in WAS_DONE.items() if file.state == "applied" else ():
        words = words.replace(before, after)
    return words


def _of(count: int, words: str) -> str:
    """The words behind a count, for one of a kind too: 1 receipt reconstructed, 1 shelf counted."""
    return re.sub(r"s( |$)", r"\1", words.replace("shelves", "shelfs"), count=1) if count == 1 else words


def _rule(rule: str) -> str:
    return rule.replace(".", " ").replace("_", " ")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def summary(file: Shown) -> str:
    """What a file did, in one line of a list."""
    write = ui.formats()
    does = _does(file)
    parts = [f"{write.number(count)} {_of(count, _words(file, words))}" for words, count in does.items()]
    return ", ".join(parts[:2])


def button(file: Shown) -> str:
    """What pressing the button does."""
    write, counts = ui.formats(), file.counts
    if file.error_lines:
        return f"Import without {_number(file.error_lines, 'this line', 'these {} lines')}"
    if file.kind == "sales" and (counts.get("sales") or counts.get("returns")):
        sold = _number(counts.get("sales", 0), "1 sale", "{} sales")
        back = _number(counts.get("returns", 0), " and 1 return", " and {} returns")
        return f"Book {sold}{back if counts.get('returns') else ''}"
    if file.kind == "prices":
        return _button_of_prices(counts)
    shelves = counts.get("shelves to open", 0) + counts.get("shelves counted", 0)
    if shelves:
        return f"Book stock on {_number(shelves, '1 shelf', '{} shelves')}"
    new, changed = counts.get("products to create", 0), counts.get("products to change", 0)
    if new and changed:
        return f"Add {write.number(new)} and change {_number(changed, '1 product', '{} products')}"
    if new or changed:
        return f"{'Add' if new else 'Change'} {_number(new or changed, '1 product', '{} products')}"
    return f"Import {summary(file)}"


def _button_of_prices(counts: dict[str, int]) -> str:
    number = sum(counts.get(words, 0) for words in ("prices to add", "prices to change", "terms to change"))
    return f"Take {_number(number, '1 new offer', '{} new offers')}"


def _number(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(ui.formats().number(count))


# -- Changes -------------------------------------------------------------------------------------------------


def preview(file: Shown) -> None:
    """Some of what changes, old beside new; three columns of it on a phone."""
    if not file.preview:
        return
    frame = pd.DataFrame(file.preview).reindex(columns=list(PREVIEW[file.kind]))
    if file.kind in ("products", "prices"):
        frame["field"] = [_field(file.kind, name) for name in frame["field"]]
    frame = frame.map(_cell)
    with ui.heading("What is booked" if file.kind == "sales" else "What changes"):
        st.caption(f"the first {len(frame)}" if len(frame) >= import_found.PREVIEW_ROWS else "")
    height = "content" if len(frame) <= PREVIEW_ROWS else 37 * (PREVIEW_ROWS + 1)
    for shape, columns in (("wide", list(frame)), ("narrow", PREVIEW_NARROW[file.kind])):
        shown = frame[columns].rename(columns={name: HEADERS.get(name, _capital(name)) for name in columns})
        with st.container(key=f"{shape}-preview"):
            st.dataframe(shown, hide_index=True, height=height, key=f"preview_{shape}")


def _cell(value: Any) -> str:
    return "" if value is None or value != value else str(value)


# -- Lines ---------------------------------------------------------------------------------------------------


def lines(file: Shown, person: Actor) -> None:
    """What was said about lines, by kind and page, and all of it as a file."""
    wanted = pickers.in_address("Lines", "said", SAID)
    with reading() as session:
        offset = (pickers.page() - 1) * pickers.ROWS_PER_PAGE
        found, total = uploads.issues(
            session, person, file.uid, wanted, limit=pickers.ROWS_PER_PAGE, offset=offset
        )
        everything = uploads.issues(session, person, file.uid, None, limit=1)[1] if wanted else total
    if not everything:
        return
    with ui.heading(f"Lines to look at :gray[{ui.formats().number(total)}]"):
        _report(file)
    with st.container(key="said"):
        pickers.choice("Lines", "said", SAID, "All kinds", width=200)
    if found.empty:
        ui.empty("No line is of this kind." if not total else "There are no more lines.")
        return
    frame = pd.DataFrame(
        {
            "Line": [str(number) for number in found.line_number],
            "Kind": [ONE[kind] for kind in found.kind],
            "Field": [_field(file.kind, name) for name in found.field],
            "Value": [_cell(value) for value in found.value],
            "What": list(found.message),
        }
    )
    turn = st.session_state.setdefault("lines_turn", 0)
    place, _ = grid.draw(frame, NARROW, _config(), key=f"lines_{turn}_{offset}_{wanted}")
    pickers.page_links(total)
    if place is not None:
        st.session_state["lines_turn"] = turn + 1
        _line(frame.iloc[place].to_dict())


def _field(kind: str, name: object) -> str:
    if not isinstance(name, str):
        return ""
    return import_fields.label(kind, name) if name in import_fields.names(kind) else name


def _config() -> dict[str, Any]:
    def text(name: str, width: int, alignment: str = "left") -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment)

    return {
        "Line": text("Line", 70, "right"),
        "Kind": text("Kind", 90),
        "Field": text("Field", 120),
        "Value": text("Value", 170),
        "What": text("What", 480),
    }


@st.dialog("Line", position="right", width="small", on_dismiss="rerun")
def _line(said: dict[str, str]) -> None:
    """One line in full, which a phone has no room for."""
    parts = [f"**Line {said['Line']}** · {said['Kind']}"]
    parts += [f"{name}: {ui.safe_md(said[name])}" for name in ("Field", "Value") if said[name]]
    st.markdown("  \n".join([*parts, ui.safe_md(_capital(said["What"]))]))


def _report(file: Shown) -> None:
    def content() -> bytes:
        asking = signin.require()
        with reading(REPORT_SECONDS) as session:
            return uploads.report(session, asking, file.uid).encode("utf-8-sig")

    saving.file(
        "Download the report", content, f"runout-import-{str(file.uid)[:8]}.csv", "text/csv", key="report",
        right="import",
    )  # fmt: skip


# -- The button ----------------------------------------------------------------------------------------------


def decide(file: Shown) -> None:
    """Apply what was checked, without the lines that have errors where there are some; or step back."""
    nothing, is_old = not _does(file), file.state == "refused"
    if is_old:
        st.markdown("The shop changed since the check. Check the file again to see what it would do now.")
    elif nothing:
        st.markdown(
            "Nothing to import: every line was skipped or has an error."
            if file.error_lines or file.counts.get("lines skipped")
            else "Nothing to import: the shop has all of this already."
        )
    elif file.error_lines:
        number = "1 line has an error" if file.error_lines == 1 else (
            f"{ui.formats().number(file.error_lines)} lines have errors"
        )  # fmt: skip
        st.markdown(f"{number}. Correct the file and upload it again, or import the rest.")
    with st.container(horizontal=True):
        if is_old:
            st.button("Check again", type="primary", key="check", on_click=importing.check, args=(file,))
        elif not nothing:
            st.button(
                button(file), type="primary", key="apply", on_click=importing.apply,
                args=(file, file.error_lines or None),
            )  # fmt: skip
        st.button("Change columns", key="columns_again", on_click=pickers.remember, args=("step", "columns"))
        importing.discard_button(file)
    for place in ("apply", "check", "discard"):
        importing.refusal(place)
