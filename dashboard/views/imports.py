"""Import."""

from dashboard import ui

ui.title("Import")
