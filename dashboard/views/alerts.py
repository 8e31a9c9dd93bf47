"""Alerts."""

from dashboard import ui

ui.title("Alerts")
