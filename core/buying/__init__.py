"""Buying: vendors and what they ask, advice and what is made of it, orders, and what came of them."""
