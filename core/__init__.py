"""Every rule of the shop: verbs that take an open session, and arithmetic that takes numbers and frames."""
