"""Odd movements, as arithmetic: what is usual, which error would explain a line, and how likely it is."""
