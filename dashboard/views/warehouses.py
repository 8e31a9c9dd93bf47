"""Warehouses."""

from dashboard import ui

ui.title("Warehouses")
