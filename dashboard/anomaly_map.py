"""The movement map: the newest movements by what they are like, and the one that was clicked."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.doctor import finding_lists
from dashboard import charts, ledger, looks, order_words, pickers, ui
from dashboard.charts import movement_map
from db.session import reading

MOST_POINTS = 3000  # more of them hide each other, and a phone draws them slowly


def draw() -> None:
    """The map with its clusters' names beside it; a point that is clicked opens its movement."""
    with reading() as session:
        points = finding_lists.map_points(session, most=MOST_POINTS)
        names = finding_lists.cluster_names(session)
    if not len(points):
        ui.empty(
            "No movement is on the map yet.",
            "It is drawn when the model has learned and looked at the first movements. See under Model how "
            "far that is.",
        )
        return
    points = points.assign(words=_words(points))
    chosen = pickers.number_in_address("movement")
    odd = int(points.is_anomaly.sum())
    st.markdown(
        f":gray[The newest {order_words.count(len(points), 'movement')}. What is alike lies together; a red "
        f"ring looks like an error ({ui.formats().number(odd)}). Click a point to open its movement.]"
    )
    picture, list_ = st.columns([7, 3], gap="medium")
    with picture:
        _draw_map(points, names, chosen)
        if chosen is not None:
            _draw_movement(chosen)
    with list_:
        _draw_names(points, names)


def _words(points: pd.DataFrame) -> list[str]:
    """What stands beside a point on hover."""
    write = ui.formats()
    return [
        f"{write.change(row.change)} {row.sku}, {write.moment(row.occurred_at)}"
        for row in points.itertuples()
    ]


def _draw_map(points: pd.DataFrame, names: Mapping[int, str], chosen: int | None) -> None:
    about = (points, dict(names), chosen, ui.is_dark(), ui.formats().separators)
    figure = looks.picture(("map", *about), lambda: _figure(*about))
    # A new name after each click takes back the mark, or the first click would be answered at every run.
    turn = st.session_state.setdefault("map_turn", 0)
    event = st.plotly_chart(
        figure, theme=None, config=charts.CONFIG, key=f"map_{turn}", on_select="rerun",
        selection_mode="points", alt="Movements by what they are like, one colour a cluster",
    )  # fmt: skip
    if picked := event.selection.points:
        st.session_state["map_turn"] = turn + 1
        pickers.remember("movement", _movement(picked[0]))
        st.rerun()


def _figure(points: pd.DataFrame, names: dict[int, str], chosen: int | None, dark: bool, signs: str) -> Any:
    return movement_map.figure(points, names, chosen=chosen, dark=dark, separators=signs)


def _movement(point: Mapping[str, Any]) -> int:
    """The movement behind a point; a single value may come as a list."""
    data = point["customdata"]
    return int(data[0] if isinstance(data, list | tuple) else data)


def _draw_names(points: pd.DataFrame, names: Mapping[int, str]) -> None:
    """The clusters by their numbers on the map, the largest first, and how much in them is odd."""
    sizes = points.cluster_id.value_counts()
    odd = points[points.is_anomaly].cluster_id.value_counts()
    with st.container(key="clusters", gap="xsmall"):
        for cluster, size in sizes.items():
            colour = movement_map.COLOURS[int(cluster) % len(movement_map.COLOURS)]
            name = ui.safe_md(names.get(int(cluster), f"Cluster {cluster + 1}"))
            marked = f" &nbsp; :red[{odd[cluster]} odd]" if cluster in odd else ""
            st.markdown(
                f":{colour}-badge[{cluster + 1}] {name} "
                f":gray[{ui.safe_md(ui.formats().number(int(size)))}]{marked}"
            )


def _draw_movement(movement_id: int) -> None:
    """The movement that was clicked, in words, with the ways on from it."""
    found = looks.movements(before_id=movement_id + 1, limit=1)
    if not len(found) or int(found.movement_id.iloc[0]) != movement_id:
        ui.refused(f"There is no movement {movement_id}.")
        return
    row = found.iloc[0]
    with st.container(border=True, key="chosen-movement"):
        st.markdown(ledger.in_words(row))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("views/movements.py", label=f"Movement {movement_id}", icon=":material/swap_vert:",
                         query_params={"before": str(movement_id + 1)})  # fmt: skip
            st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                         query_params={"id": str(row.product_uid)})  # fmt: skip
