"""Import: a file is chosen, its columns are named, it is checked, and then it is applied or put away."""

import pandas as pd
import streamlit as st

from core.auth import Actor
from core.errors import NotFound
from core.imports import uploads
from core.imports.uploads import Shown
from dashboard import grid, import_outcome, importing, looks, pickers, signin, ui, waiting
from db.session import reading

WORD = {
    "uploaded": "Being read",
    "reading": "Being read",
    "read": "Columns to choose",
    "checking": "Being checked",
    "checked": "To decide",
    "applying": "Being imported",
    "applied": "Imported",
    "refused": "Refused",
    "failed": "Not readable",
    "discarded": "Discarded",
}
WORKS = {
    "uploaded": "Reading the file",
    "reading": "Reading the file",
    "checking": "Checking every line",
    "applying": "Importing",
}
NEXT = {
    "sales": "Forecasts take these sales in by themselves within minutes. You can also train all now.",
    "stock": "Run-out dates need 30 days of history and two days with sales. Where there are, train now.",
}
STEPS = ("File", "Columns", "Check", "Done")
STEP = {"uploaded": 0, "reading": 0, "failed": 0, "read": 1, "checking": 2, "checked": 2, "refused": 2}
NARROW = {"File": 150, "State": 110, "When": 96}


def draw_list(files: list[Shown]) -> None:
    """The last files; a click opens one."""
    if not files:
        return
    write, now = ui.formats(), looks.now()
    with ui.heading("Last imports"):
        st.caption("newest first")
    frame = pd.DataFrame(
        {
            "File": [file.file_name for file in files],
            "State": [WORD[file.state] for file in files],
            "When": [write.ago(file.finished_at or file.started_at, now) for file in files],
            "What": [importing.KINDS[file.kind] for file in files],
            "Result": [import_outcome.summary(file) if file.state == "applied" else "" for file in files],
            "Errors": [write.number(file.error_lines) if file.error_lines else "" for file in files],
            "By": [file.by for file in files],
        }
    )

    def text(name: str, width: int, alignment: str = "left") -> object:
        return st.column_config.TextColumn(name, width=width, alignment=alignment)

    config = {
        "File": text("File", 220), "State": text("State", 130), "When": text("When", 120),
        "What": text("What", 120), "Result": text("Result", 260), "Errors": text("Errors", 70, "right"),
        "By": text("By", 120),
    }  # fmt: skip
    rows = hash(tuple((file.uid, file.state) for file in files))
    place, _ = grid.draw(frame, NARROW, config, key=f"imports_{rows}")
    if place is not None:
        importing.open_file(str(files[place].uid), has_errors=files[place].error_lines > 0)
        st.rerun()


def draw_head(file: Shown) -> None:
    """Which file this is, and how far it has come."""
    write = ui.formats()
    size = max(1, round(file.file_size / 1000))
    about = [
        importing.KINDS[file.kind],
        f"{write.number(size)} kB" if size < 1000 else f"{write.number(size / 1000, 1)} MB",
        f"{file.by}, {write.ago(file.started_at, looks.now())}",
    ]
    st.subheader(ui.safe_md(file.file_name), anchor=False)
    st.caption(ui.safe_md(" · ".join(about)))
    if file.state == "discarded":
        return
    at = 1 if columns_again else STEP.get(file.state, 3)
    st.markdown(
        " › ".join(f"**{n + 1} {w}**" if n == at else f":gray[{n + 1} {w}]" for n, w in enumerate(STEPS))
    )


def draw_waiting(uid: str, state: str) -> None:
    """How far the worker is. When the step has ended, the whole page shows what is next."""
    person = signin.still("import")
    with reading() as session:
        file = uploads.current(session, person, uid)
    if file.state != state:
        importing.open_file(uid, has_errors=file.error_lines > 0)
        looks.forget()
        looks.places.clear()
        st.rerun()
    done, total = file.progress or (None, None)
    waiting.bar(WORKS[file.state], done, total, queued=file.queued, steps=True)
    st.caption("You may leave this page: it goes on, and the list of imports brings you back.")
    importing.discard_button(file, "Stop and discard the file")
    importing.refusal("discard")


def draw_applied(file: Shown) -> None:
    st.markdown(f":material/check: **Imported** {ui.safe_md(ui.formats().moment(file.finished_at))}")
    import_outcome.figures(file)
    with ui.heading("What next"):
        if file.kind == "prices":
            st.page_link("views/vendors.py", label="Open the vendors", icon=":material/storefront:")
        else:
            st.page_link("views/products.py", label="Open the products", icon=":material/inventory_2:")
    if file.kind == "prices":
        st.markdown("Comparisons show the new prices now; reorder advice takes them in with its next run.")
    elif file.kind == "products":
        st.markdown("Stock comes with a file of its own, or on each product's page.")
        st.button("Bring in opening stock", key="next_stock", on_click=start_with, args=("stock",))
    else:
        waiting.train(NEXT[file.kind], key="train", about=str(file.uid))
    import_outcome.lines(file, person)


def start_with(kind: str) -> None:
    importing.open_file(None)
    pickers.remember("kind", kind)


def draw_file(file: Shown, person: Actor) -> None:
    draw_head(file)
    if file.problem:
        ui.refused(file.problem)
    if file.state in WORKS:
        st.fragment(draw_waiting, run_every=waiting.LOOK_SECONDS)(str(file.uid), file.state)
    elif file.state == "failed":
        st.markdown("Try another way to read it, or save it as CSV with one line of headers on top.")
        importing.reading_options(file)
    elif file.state == "read" or columns_again:
        importing.columns(file)
    elif file.state in ("checked", "refused"):
        import_outcome.figures(file)
        import_outcome.decide(file)
        import_outcome.preview(file)
        import_outcome.lines(file, person)
    elif file.state == "applied":
        draw_applied(file)
    else:
        ui.empty(
            "This file was discarded; it changed nothing.",
            button="Bring in another file",
            on_click=lambda: importing.open_file(None),
        )


def find(wanted: str | None) -> tuple[Shown | None, str | None]:
    """The file that the address names, or why there is none."""
    if not wanted:
        return None, None
    try:
        with reading() as session:
            return uploads.current(session, person, wanted), None
    except NotFound as unknown:
        return None, unknown.sentence


person = signin.require()
file, unknown = find(st.query_params.get("id"))
with ui.title_line("Import", "A file is read and checked first: you see what would change before it does."):
    if file is not None:
        st.button(
            "All imports", key="all", icon=":material/list:", on_click=importing.open_file, args=(None,)
        )
if unknown:
    ui.refused(unknown)
columns_again = (
    file is not None and st.query_params.get("step") == "columns" and file.state in ("checked", "refused")
)
if file is not None:
    draw_file(file, person)
else:
    with reading() as session:
        files = uploads.listing(session, person)
    importing.choose()
    draw_list(files)
