"""Demand as sample paths, run-out as their first passage: arithmetic only, no session and no clock."""
