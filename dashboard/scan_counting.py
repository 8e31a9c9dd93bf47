"""What was counted by scan and is not booked yet: a line for each product, the last one with its keys."""

from decimal import Decimal
from typing import Any

import streamlit as st

from core.posting import plain
from dashboard import editing, scan_desk, ui

ONE = Decimal(1)
NOTHING = Decimal(0)


def draw(desk: dict[str, Any]) -> None:
    """The product that was scanned last on top; each is booked by its own press, or all by one."""
    names = list(reversed(desk["counts"]))
    for nth, name in enumerate(names):
        with st.container(border=True, key=f"count-{nth}"):
            _draw_line(desk, name, desk["counts"][name], is_last=nth == 0)
    if len(names) > 1:
        st.button(
            f"Book all {len(names)} counts", key="count_book_all", width="stretch",
            on_click=scan_desk.book_counts, args=(desk, list(reversed(names))),
        )  # fmt: skip


def _draw_line(desk: dict[str, Any], name: str, line: dict[str, Any], *, is_last: bool) -> None:
    counted, on_hand = Decimal(line["counted"]), Decimal(line["on_hand"])
    product, place = ui.safe_md(line["name"]), ui.safe_md(line["place"])
    st.markdown(
        f"**{_write(counted)}{ui.unit_md(line['unit'], counted)} {product}** counted in {place}  \n"
        f":gray[In the books] **{_write(on_hand)} → {_write(counted)}** {_difference(counted - on_hand)}"
    )
    with st.container(key=f"count-keys-{name}", horizontal=True, gap="small"):
        if is_last:
            _key(desk, name, "−1", max(counted - ONE, NOTHING))
            _key(desk, name, "+1", counted + ONE)
            if (step := Decimal(line["step"])) != ONE:
                _key(desk, name, f"+{_write(step)}", counted + step)
            with st.popover("Number", key=f"count_number_{name}_{line['counted']}"):
                typed = editing.number(
                    st.number_input("Counted", value=float(counted), step=1.0, format="%.12g",
                                    key=f"count_field_{name}_{line['counted']}")
                )  # fmt: skip
                st.button(
                    "That many", key=f"count_put_{name}", type="primary", on_click=scan_desk.count,
                    args=(desk, name, typed),
                )  # fmt: skip
        st.button(
            f"Book the count of {_write(counted)}", key=f"count_book_{name}",
            type="primary" if is_last else "secondary", on_click=scan_desk.book_counts, args=(desk, [name]),
        )  # fmt: skip
        st.button("Leave it", key=f"count_leave_{name}", type="tertiary", on_click=scan_desk.leave_count,
                  args=(desk, name))  # fmt: skip


def _key(desk: dict[str, Any], name: str, words: str, counted: Decimal) -> None:
    """A key that makes the count this many: pressed twice by mistake it is the same."""
    st.button(words, key=f"count_{words}_{name}", on_click=scan_desk.count, args=(desk, name, plain(counted)))


def _difference(change: Decimal) -> str:
    if not change:
        return ":gray[(as it is)]"
    return f":gray[({ui.safe_md(ui.formats().change(change))})]"


def _write(quantity: Decimal) -> str:
    return ui.safe_md(ui.formats().quantity(quantity))
