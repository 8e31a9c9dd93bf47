"""Faults on purpose: a bank test of the ledger while clients, API and PostgreSQL are killed in the middle.

`python -m tests.chaos bank --acked 20000`, the same through the API with `python -m tests.chaos http`, and
`python -m tests.chaos mutants`; each prints lines of JSON.
"""
