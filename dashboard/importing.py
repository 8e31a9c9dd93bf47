"""What people do with a file: choose it, say what its columns are, have it checked, applied or put away."""

import uuid
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import BadInput, RunoutError
from core.imports import import_fields, uploads
from core.imports.uploads import Field, Shown
from dashboard import import_examples, import_options, looks, pickers, saving, signin, ui
from db.session import transact

KINDS = import_fields.KINDS
MEANING = {
    "sales": "What was sold, line by line. Products are made from it, and forecasts can follow at once.",
    "stock": "What lies on the shelves today. Forecasts follow after 30 days of sales.",
    "products": "Names, prices, barcodes, thresholds. Adds new products and changes known ones.",
    "prices": "What a vendor asks, with price steps. Earlier prices stay in the history.",
}
TYPES = ["csv", "tsv", "txt", "gz", "xlsx"]
UPLOAD_SECONDS = 60
FIRST = ("vendor",)
"""Options that stand above the columns: without them the file says nothing."""


def template(kind: str) -> pd.DataFrame:
    """A file of this kind with two lines; its headers are known, so that nothing is left to choose."""
    places = looks.places()
    examples = import_examples.LINES[kind] | {"warehouse": (places[0].code,) * 2 if places else ("", "")}
    return pd.DataFrame({field.label: examples[field.name] for field in uploads.FIELDS[kind]})


# -- What is done --------------------------------------------------------------------------------------------


def desk() -> dict[str, Any]:
    """What this session does with files: the `form` that uploads next, and what was `refused` where."""
    return st.session_state.setdefault("import_desk", {})


def refusal(place: str) -> None:
    """Why the last click here did nothing."""
    said = desk().get("refused")
    if said and said[0] == place:
        ui.refused(said[1])


def _do(place: str, work: Callable[[Any, Any], Any], seconds: int | None = None) -> Any:
    """One click: `work(session, person)`; a refusal is kept to be shown at `place`."""
    mine = desk()
    mine["refused"] = None
    try:
        person = signin.require()
        return transact(lambda session: work(session, person), seconds)
    except RunoutError as refused:
        mine["refused"] = (place, refused.sentence)
    except Exception as error:
        mine["refused"] = (place, ui.trouble(error))
    return None


def upload(form: str) -> None:
    """Keep the chosen file. A double click carries the same form, so the file is kept once."""
    mine, kind = desk(), st.session_state.get(f"kind_{form}")
    chosen, content = st.session_state.get(f"file_{form}"), b""
    if form != mine.get("form"):
        return

    def work(session: Any, person: Any) -> str:
        if chosen is None:
            raise BadInput("Choose a file first.")
        options = {"vendor": st.session_state.get(f"vendor_{form}")} if kind == "prices" else {}
        about = {"kind": kind, "file_name": chosen.name, "content": content, "options": options}
        return str(uploads.upload(session, person, now=looks.now(), **about))

    if chosen is not None:
        content = chosen.getvalue()
    uid = _do("upload", work, UPLOAD_SECONDS)
    if uid is not None:
        mine["form"] = uuid.uuid4().hex
        open_file(uid)


def open_file(uid: str | None, *, has_errors: bool = False) -> None:
    """Go to a file's page, its errors first, or with None to the list of all."""
    for word in ("kind", "vendor", "step", "page"):
        pickers.remember(word, None)
    pickers.remember("said", "error" if has_errors else None)
    pickers.remember("id", uid)


def check(file: Shown) -> None:
    """Have the file checked with the columns and options on screen."""
    mapping = {
        field.name: st.session_state.get(
            import_options.key(file, "column", field.name), file.mapping.get(field.name, "")
        )
        for field in uploads.FIELDS[file.kind]
    }
    options = import_options.chosen(file)
    _do(
        "check",
        lambda session, person: uploads.check(
            session, person, file.uid, mapping=mapping, options=options, now=looks.now()
        ),
    )
    if not desk()["refused"]:
        open_file(str(file.uid))


def read_again(file: Shown) -> None:
    """Have the file read with the encoding, delimiter and sheet on screen."""
    options = {name: import_options.chosen(file)[name] for name in import_fields.READING}
    _do(
        "check",
        lambda session, person: uploads.read_again(
            session, person, file.uid, options=options, now=looks.now()
        ),
    )


def apply(file: Shown, without_errors: int | None) -> None:
    _do(
        "apply",
        lambda session, person: uploads.apply(
            session, person, file.uid, without_errors=without_errors, now=looks.now()
        ),
    )


def discard(file: Shown) -> None:
    _do("discard", lambda session, person: uploads.discard(session, person, file.uid, looks.now()))


# -- Choosing the file ---------------------------------------------------------------------------------------


def choose() -> None:
    """Which kind of file, its template, and the file itself."""
    form = desk().setdefault("form", uuid.uuid4().hex)
    wanted = pickers.in_address("Kind", "kind", KINDS)
    left, right = st.columns(2, gap="large")
    with left:
        kind = st.radio(
            "What is in the file?", list(KINDS), format_func=KINDS.get, key=f"kind_{form}",
            captions=list(MEANING.values()), index=list(KINDS).index(wanted) if wanted else 0,
        )  # fmt: skip
        saving.table(
            f"Template: {KINDS[kind].lower()}", lambda: template(kind), f"runout-{kind}.csv",
            key=f"template_{kind}", help_="A file with the right headers and two example lines.",
        )  # fmt: skip
    with right:
        if kind == "prices":
            _whose(form)
        chosen = st.file_uploader(
            "CSV or Excel file", type=TYPES, key=f"file_{form}",
            max_upload_size=uploads.MOST_BYTES // 2**20,
        )  # fmt: skip
        st.caption(f"At most {uploads.MOST_BYTES // 2**20} MB. Pack a larger file with gzip, or split it.")
        st.button(
            f"Read {KINDS[kind].lower()}", type="primary", key="upload", on_click=upload, args=(form,),
            disabled=chosen is None, help="Nothing is booked yet: you see first what would change.",
        )  # fmt: skip
        refusal("upload")


def _whose(form: str) -> None:
    """Whose prices the file holds; the address may name the vendor."""
    vendors, wanted = import_options.vendors(), st.query_params.get("vendor")
    if not vendors:
        ui.empty("The shop has no vendor yet.", button="Add a vendor", page="views/vendors.py")
    values = ["", *vendors]
    st.selectbox(
        "Whose prices?", values, index=values.index(wanted) if wanted in vendors else 0,
        format_func=lambda uid: vendors.get(uid, "A column of the file says so"), key=f"vendor_{form}",
    )  # fmt: skip


# -- Which column is what ------------------------------------------------------------------------------------


def columns(file: Shown) -> None:
    """A row for each field: what belongs there, the column that holds it, and what that column says."""
    for option in uploads.OPTIONS[file.kind]:
        if option.name in FIRST:
            import_options.draw(file, option, width=400)
    with st.container(key="columns"):
        for field in uploads.FIELDS[file.kind]:
            _column(file, field)
    # What the check could not decide by itself is decided there.
    with st.expander("Options", icon=":material/tune:", expanded=bool(file.problem)):
        _draw_options(file)
    refusal("check")
    with st.container(horizontal=True):
        st.button("Check the file", type="primary", key="check", on_click=check, args=(file,),
                  help="Nothing is booked yet: you see first what would change.")  # fmt: skip
        discard_button(file)
    refusal("discard")


def _column(file: Shown, field: Field) -> None:
    what, which, says = st.columns([1.1, 1, 1.2], vertical_alignment="center")
    examples = {column.header: column.examples for column in file.columns}
    nothing = "Choose a column" if field.required else "Not in the file"
    with what:
        needed = " :gray-badge[needed]" if field.required else ""
        st.markdown(f"**{field.label}**{needed}  \n:gray[{field.help}]")
    with which:
        headers = ["", *examples]
        guessed = file.mapping.get(field.name, "")
        chosen = st.selectbox(
            field.label, headers, index=headers.index(guessed) if guessed in headers else 0,
            format_func=lambda header: header or nothing, key=import_options.key(file, "column", field.name),
            label_visibility="collapsed",
        )  # fmt: skip
    with says:
        said = [ui.safe_md(_short(value)) for value in examples.get(chosen, ()) if value]
        if chosen:
            st.markdown(f":gray[{' · '.join(said) or 'nothing in this column'}]")


def _short(value: str) -> str:
    return value if len(value) <= 28 else f"{value[:27]}…"


def _draw_options(file: Shown) -> None:
    with st.grid(3, min_column_width=240):
        for option in uploads.OPTIONS[file.kind]:
            if option.name not in FIRST:
                import_options.draw(file, option)
    st.button(
        "Read the file again", key="read_again", on_click=read_again, args=(file,),
        help="After another encoding, another sign between columns or another sheet.",
    )  # fmt: skip


def reading_options(file: Shown) -> None:
    """For a file that could not be read: how else to read it."""
    with st.container(border=True), st.grid(3, min_column_width=240):
        for option in uploads.OPTIONS[file.kind]:
            if option.name in import_fields.READING:
                import_options.draw(file, option)
    refusal("check")
    with st.container(horizontal=True):
        st.button("Read the file again", key="read_again", on_click=read_again, args=(file,))
        discard_button(file)
    refusal("discard")


def discard_button(file: Shown, words: str = "Discard the file") -> None:
    st.button(words, key="discard", on_click=discard, args=(file,), type="tertiary")
