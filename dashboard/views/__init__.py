"""One short script a page; `dashboard/app.py` runs the chosen one."""
