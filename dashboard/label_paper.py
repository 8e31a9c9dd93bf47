"""What labels are printed on: format, first place, kind of codes; a look at them, and the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import RunoutError
from core.labels import papers, proofs, sheets
from core.labels.designs import Label
from core.labels.sheets import Format
from dashboard import looks, pickers, saving, ui

CODES = {"bars": "Bars where they fit", "squares": "QR codes"}
LABEL_DPI, SHEET_DPI = 200, 60  # of the pictures: one label to be read, one sheet to be recognised
SWITCHED_SHOWN = 5
Labels = Sequence[tuple[Label, int]]


@dataclass(frozen=True)
class Paper:
    """What was chosen to print on."""

    form: Format
    start: int
    square: bool


def draw_choice(mine: dict[str, Any], usual: str) -> Paper:
    """The fields; what was chosen last stays for this session, and stands in the address."""
    names = {name: form.name for name, form in sheets.FORMATS.items()}
    form = sheets.named(_choice(mine, "Paper", "format", names, usual))
    square = _choice(mine, "Codes", "codes", CODES, "bars") == "squares"
    return Paper(form, 1 if form.is_roll else _start(mine, form), square)


def draw(slot: Any, labels: Labels, paper: Paper) -> None:
    """How it will look, and in `slot` the button for the file; or why it cannot be printed."""
    count = papers.total(labels)
    if not count:
        st.markdown(":gray[No label yet: enter copies in the table.]")
        return
    try:
        sheets.checked(paper.form, count, paper.start)
        said = papers.switched(labels, paper.form, square=paper.square)
        first = _first(labels, paper)
        one = looks.picture(("label", first[0][0], paper), lambda: _label(first[0][0], paper))
        page = looks.picture(("labels", tuple(first), paper), lambda: _sheet(first, paper))
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        return
    with slot:
        saving.file(
            _words(count, paper), lambda: _file(labels, paper), "runout-labels.pdf", "application/pdf",
            key="labels_pdf",
        )  # fmt: skip
    st.image(one, caption="The first label", width="stretch")
    if not paper.form.is_roll:
        st.image(page, caption=f"Sheet 1 of {sheets.pages(paper.form, count, paper.start)}", width=240)
    st.markdown(f":gray[{_how(paper.form)}]")
    for sentence in said[:SWITCHED_SHOWN]:
        st.caption(ui.safe_md(sentence))
    if len(said) > SWITCHED_SHOWN:
        st.caption(f"and {len(said) - SWITCHED_SHOWN} more codes as well")


def _file(labels: Labels, paper: Paper) -> bytes:
    return papers.pdf(labels, paper.form, start=paper.start, square=paper.square, at=looks.now())


def _first(labels: Labels, paper: Paper) -> list[tuple[Label, int]]:
    """What stands on the first page, so that the picture is drawn anew only when that changes."""
    room, first = paper.form.on_a_page - paper.start + 1, []
    for label, copies in labels:
        if copies and room > 0:
            first.append((label, min(copies, room)))
            room -= copies
    return first


def _label(label: Label, paper: Paper) -> bytes:
    return proofs.png(proofs.label(label, paper.form, dots_per_inch=LABEL_DPI, square=paper.square))


def _sheet(labels: Labels, paper: Paper) -> bytes:
    return proofs.png(
        proofs.sheet(
            labels, paper.form, dots_per_inch=SHEET_DPI, start=paper.start, square=paper.square
        )
    )  # fmt: skip


def _words(count: int, paper: Paper) -> str:
    labels = f"{ui.formats().number(count)} {'label' if count == 1 else 'labels'}"
    if paper.form.is_roll:
        return f"Download {labels}"
    pages = sheets.pages(paper.form, count, paper.start)
    return f"Download {labels} on {pages} {'sheet' if pages == 1 else 'sheets'}"


def _how(form: Format) -> str:
    width, height = (f"{edge:g}" for edge in form.label)
    size = f"Set the printer's paper to {width} × {height} mm. " if form.is_roll else ""
    return f"{size}Print at 100 %, not fitted to the page: smaller bars may not be read."


# -- The fields ----------------------------------------------------------------------------------------------


def _choice(mine: dict[str, Any], label: str, word: str, options: dict[str, str], usual: str) -> str:
    asked = pickers.in_address(label, word, options)
    chosen = asked or mine.get(word, usual)
    mine[word] = chosen
    key = f"labels_{mine['form']}_{word}"
    st.session_state[key] = chosen
    # The address names what is not usual, so that a link shows the same.
    if asked is None and word not in st.query_params and chosen != usual:
        pickers.remember(word, chosen)
    st.selectbox(
        label, list(options), format_func=options.get, key=key, on_change=_changed,
        args=(mine, word, key, usual),
    )  # fmt: skip
    return chosen


def _start(mine: dict[str, Any], form: Format) -> int:
    """The first place that is still free on a sheet of which labels were used."""
    asked = pickers.number_in_address("start") or 1
    if asked > form.on_a_page:
        pickers.refuse("start", f"This sheet has {form.on_a_page} places, so it begins at the first.")
        asked = 1
    key = f"labels_{mine['form']}_start_{form.name}"
    st.session_state[key] = asked
    st.number_input(
        "First free place on the sheet", 1, form.on_a_page, step=1, key=key, on_change=_changed,
        args=(mine, "start", key, 1),
        help="Places count along the rows from the upper left. 1 for a whole sheet.",
    )  # fmt: skip
    return asked


def _changed(mine: dict[str, Any], word: str, key: str, usual: object) -> None:
    chosen = st.session_state[key]
    mine[word] = chosen
    pickers.remember(word, None if chosen == usual else chosen)
    if word == "format":
        pickers.remember("start", None)
