"""Edit product."""

from dashboard import ui

ui.title("Edit product")
