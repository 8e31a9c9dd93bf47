"""Files that people bring in: read, understood, checked and applied whole, one module a kind and a step."""
