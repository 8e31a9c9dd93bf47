"""An empty shop: what is missing, in words, and what to do about it."""

from typing import Any

import streamlit as st

from core import auth
from core.auth import Actor
from dashboard import ui


def is_needed(fresh: dict[str, Any]) -> bool:
    """Whether there is nothing to show yet: no products, no movements, or no forecast of any."""
    return not fresh["products"] or not fresh["has_movements"] or fresh["trained_at"] is None


def show(fresh: dict[str, Any], person: Actor) -> None:
    """One step of the way: products and sales, then forecasts."""
    if not fresh["products"]:
        ui.empty(
            "This shop has no products yet.",
            "Bring in your sales: products are made from them, and forecasts follow."
            if auth.may(person, "import")
            else "A manager can bring in products and sales.",
        )
        _type("Bring in a file of sales lines (CSV or XLSX)", "python -m jobs import-sales FILE", person)
    elif not fresh["has_movements"]:
        ui.empty(
            "Nothing has moved yet, so there is nothing to forecast.",
            "Book the first stock on a product's page, or bring in past sales.",
            button="Open the products",
            page="views/products.py",
        )
        _type("Bring in past sales", "python -m jobs import-sales FILE", person)
    else:
        ui.empty(
            "No forecast has been trained yet.",
            "Training takes a few seconds for each hundred products; after it, this page says what runs out.",
            button="Open the products",
            page="views/products.py",
        )
        _type("Train now", "python -m jobs train", person)


def _type(what: str, command: str, person: Actor) -> None:
    if auth.may(person, "import"):
        st.caption(f"{what}:")
        st.code(command, language=None)
