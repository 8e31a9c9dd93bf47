"""Scanning: a mode, a place, and from then on every code does it and says what it did."""

import streamlit as st

from dashboard import looks, scan_address, scan_chips, scan_desk, scan_station, signin, ui
from dashboard.views import start

person = signin.require()
with ui.title_line(
    "Scan", "Each code does what the mode says, in the warehouse of the chip. Undo is beside it."
):
    st.page_link("views/scans.py", label="Scan history", icon=":material/history:")
fresh = looks.freshness(looks.today())
if fresh["products"]:
    desk = scan_desk.desk()
    scan_address.settle(desk, person)
    with st.container(key="scan-head"):
        scan_chips.draw(desk, person)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        scan_station.draw_sources(desk)
    with right:
        scan_station.draw(desk)
else:
    start.show(fresh, person)
