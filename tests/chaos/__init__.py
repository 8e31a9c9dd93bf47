"""Faults on purpose: a bank test of the ledger while clients and PostgreSQL are killed in the middle.

`python -m tests.chaos bank --acked 20000` and `python -m tests.chaos mutants`; each prints one line of JSON.
"""
