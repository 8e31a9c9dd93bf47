"""Users."""

from dashboard import ui

ui.title("Users")
