"""One file an area of the contract; each route parses, calls one verb, and says what came back."""
