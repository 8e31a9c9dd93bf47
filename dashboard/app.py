"""The dashboard's one entrance: who is signed in, which views they get, and the chosen one."""

import gc
import logging
import os
import secrets
from collections.abc import Callable

import streamlit as st

from core import audit, auth, logs, production
from dashboard import invitation, looks, pickers, signin, ui
from dashboard.charts import (  # noqa: F401  (before the heap is frozen)
    calibration,
    demand,
    evidence,
    leaderboard,
    movement_map,
    prices,
    service,
    stock,
    vendors,
)
from dashboard.style import FAVICON
from db.session import reading

log = logging.getLogger("runout.dashboard")

# Address, file, title, icon, the right it takes, and whether the navigation shows it.
VIEWS = (
    ("today", "views/today.py", "Today", ":material/today:", "read", True),
    ("reorder", "views/reorder.py", "Reorder", ":material/shopping_cart:", "read", True),
    ("scan", "views/scan.py", "Scan", ":material/barcode_scanner:", "read", True),
    ("products", "views/products.py", "Products", ":material/inventory_2:", "read", True),
    ("forecasts", "views/forecasts.py", "Forecasts", ":material/query_stats:", "read", True),
    ("movements", "views/movements.py", "Movements", ":material/swap_vert:", "read", True),
    ("anomalies", "views/anomalies.py", "Anomalies", ":material/stethoscope:", "read", True),
    ("alerts", "views/alerts.py", "Alerts", ":material/notifications:", "read", True),
    ("orders", "views/orders.py", "Orders", ":material/local_shipping:", "read", True),
    ("vendors", "views/vendors.py", "Vendors", ":material/storefront:", "read", True),
    ("decisions", "views/journal.py", "Decisions", ":material/fact_check:", "read", True),
    ("events", "views/events.py", "Events", ":material/event:", "read", True),
    ("exports", "views/exports.py", "Exports", ":material/download:", "read", True),
    ("import", "views/imports.py", "Import", ":material/upload_file:", "import", True),
    ("warehouses", "views/warehouses.py", "Warehouses", ":material/warehouse:", "edit catalogue", True),
    ("labels", "views/labels.py", "Labels", ":material/label:", "read", True),
    ("jobs", "views/jobs.py", "Jobs", ":material/schedule:", "see jobs", True),
    ("users", "views/users.py", "Users", ":material/group:", "manage people", True),
    ("api-keys", "views/api_keys.py", "API keys", ":material/key:", "manage keys", True),
    ("audit", "views/audit.py", "Audit", ":material/history:", "see audit", True),
    ("product", "views/product.py", "Product", ":material/package_2:", "read", False),
    ("order", "views/order.py", "Order", ":material/local_shipping:", "read", False),
    ("vendor", "views/vendor.py", "Vendor", ":material/storefront:", "read", False),
    ("edit-product", "views/edit_product.py", "Edit product", ":material/edit:", "edit catalogue", False),
    ("scans", "views/scans.py", "Scan history", ":material/history:", "read", False),
    ("account", "views/account.py", "Account", ":material/person:", "read", False),
)


@st.cache_resource(show_spinner=False)
def _prepare() -> bool:
    """Once a process: its log, what production asks for, and a heap that is looked at no more."""
    logs.configure("dashboard", as_json=production.is_production(os.environ))
    try:
        production.check(os.environ, reading)
    except production.Unsafe as refusal:
        log.critical("%s", refusal.sentence)
        # Which setting is weak is not for visitors.
        raise production.Unsafe("Runout is not set up yet: its log says what is missing.") from None
    # Streamlit collects garbage after every run; the imports need not be looked at again (131 -> 46 ms).
    gc.collect()
    gc.freeze()
    return True


def _pages(person: auth.Actor | None, door: Callable[[], None]) -> list:
    """The views this person may see; for nobody the page at the door, at the same addresses."""
    return [
        st.Page(
            file if person else door,
            title=title if person else "Sign in",
            icon=icon,
            url_path="" if address == "today" else address,
            default=address == "today",
            visibility="visible" if shown else "hidden",
        )
        for address, file, title, icon, right, shown in VIEWS
        if person is None or auth.may(person, right)
    ]


def _sidebar(person: auth.Actor) -> None:
    with st.sidebar, st.container(key="person"):
        st.page_link("views/account.py", label=ui.safe_md(person.name), icon=":material/person:")
        st.caption(f"{person.role} · {ui.safe_md(looks.the_shop().name)}")
        st.button("Sign out", key="sign_out", on_click=signin.sign_out, icon=":material/logout:")


def main() -> None:
    st.set_page_config(page_title="Runout", page_icon=FAVICON, layout="wide")
    audit.request_id.set(secrets.token_hex(6))
    try:
        _prepare()
        person = signin.actor()
        door = signin.page
        if invitation.is_waiting():
            # Whoever brings a link is asked about it first, even when somebody is signed in.
            person, door = None, invitation.page
        # All views are in sight: Streamlit would fold away what goes beyond its dozen.
        page = st.navigation(_pages(person, door), position="sidebar" if person else "hidden", expanded=True)
        if person:
            st.logo(ui.wordmark(), size="medium")
            _sidebar(person)
        signin.banner()
        if person:
            ui.scheduler_banner()
        st.set_page_config(page_title=f"{page.title} · Runout")
        st.session_state["view"] = view = page.url_path or "today"
        pickers.settle_address(view)
        pickers.keep_address(view)
        page.run()
        signin.carry()
    except Exception as error:
        ui.page_failed(error)


main()
