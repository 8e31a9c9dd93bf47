"""Labels: codes as bars and squares, sheets to stick them on, and codes for products that have none."""
