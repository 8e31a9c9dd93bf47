"""The whole ledger for programs, as a stream of csv, ndjson, parquet or arrow.

The narrow columns of the ledger come out of PostgreSQL by COPY in binary and are never touched row by row:
numpy reads them, Arrow joins the names of products and warehouses in memory and writes them out.
"""
