"""Audit."""

from dashboard import ui

ui.title("Audit")
