"""Tables that people take with them: which there are, their columns and rows, and how a file is written.

`formulas`, `table_types` and the `as_...` modules are arithmetic: rows in, bytes out.
"""
