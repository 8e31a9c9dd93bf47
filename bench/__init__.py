"""Measurements, one script a question. Each prints ratios of variants measured in turn in one run."""
