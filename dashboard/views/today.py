"""What needs you today: five figures, and the list to work through."""

import streamlit as st

from dashboard import looks, order_trouble, pickers, signin, tables, ui
from dashboard.views import start

TILES = ("out", "late", "order_now", "fine", "excess")
URGENT = ("out", "late", "order_now")
COLUMNS = ("Product", "Runs out", "Status", "Order by", "Order", "At risk", "On hand", "Cover", "SKU")


def draw_title() -> None:
    """What this page answers, and at its right end the critical alerts that nobody has looked at."""
    words = (
        "What needs you today",
        "Products that are out, run out before an order arrives, or are due to order.",
    )
    count = looks.critical_alerts(today)
    if not count:
        ui.title(*words)
        return
    noun = "alert" if count == 1 else "alerts"
    with ui.title_line(*words):
        st.page_link(
            "views/alerts.py", label=f"{ui.formats().number(count)} critical {noun}",
            icon=":material/notifications:", query_params={"state": "active", "severity": "critical"},
        )  # fmt: skip


def draw_tiles(status: str | None, warehouse_id: int | None) -> None:
    """Products and money per status; a click filters the list, a second one shows all again."""
    figures = looks.tiles(warehouse_id).set_index("status")
    write = ui.formats()
    with st.container(key="tiles"), st.grid(5, gap="small", min_column_width=130):
        for name in TILES:
            count = int(figures.products.get(name, 0))
            money = write.money(figures.money.get(name, 0) or 0)
            meaning = "at risk" if name in URGENT else "in stock"
            word = f":{ui.COLOUR[name]}[{ui.WORD[name]}]"
            st.button(
                f"{word}  \n**{write.number(count)}**  \n:gray[{ui.safe_md(money)} {meaning}]",
                key=f"tile-{name}",
                type="primary" if status == name else "secondary",
                width="stretch",
                wrap=True,
                help=ui.triage.MEANING[name],
                on_click=choose,
                args=(None if status == name else name,),
            )


def choose(status: str | None) -> None:
    pickers.restart()
    pickers.remember("status", status)


def draw_list(status: str | None, warehouse_id: int | None) -> None:
    filters = {"status": status or URGENT, "warehouse_id": warehouse_id}
    found, total = tables.look(today, **filters)
    words = "Do these first" if status is None else ui.WORD[status]
    with ui.heading(f"{words} :gray[{ui.formats().number(total)}]"):
        if total:
            tables.download(filters, f"runout-today-{today:%Y-%m-%d}.csv", key="download")
    if not total:
        nothing(status)
        return
    tables.draw(found, COLUMNS, today, key="todo")
    pickers.page_links(total)


def nothing(status: str | None) -> None:
    if status is None and fresh["without_forecast"] == fresh["products"]:
        ui.empty(
            "No product has a forecast yet.",
            "That takes 30 days of history and two days with sales. Until then you see stock, and no dates.",
            button="See all products",
            page="views/products.py",
        )
    elif status is None:
        ui.empty(
            "Nothing needs you today.",
            "No product is out, late or due to be ordered within a week.",
            button="See all products",
            page="views/products.py",
        )
    else:
        ui.empty(f"No product is in the status {ui.WORD[status]}.", ui.triage.MEANING[status])


person = signin.require()
today = looks.today()
draw_title()
fresh = looks.freshness(today)
if start.is_needed(fresh):
    start.show(fresh, person)
else:
    if pickers.has_choice_of_warehouse():
        with st.container(horizontal=True, key="filters"):
            place = pickers.warehouse(width=260)
    else:
        place = pickers.warehouse()
    status = pickers.in_address("Status", "status", ui.WORD)
    warehouse_id = place.id if place else None
    draw_tiles(status, warehouse_id)
    order_trouble.draw_today(today)
    draw_list(status, warehouse_id)
    ui.freshness_line(today)
