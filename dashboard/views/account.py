"""Account."""

from dashboard import ui

ui.title("Account")
