"""A believable shop from one seed, and its way into an empty database.

`frames` makes it, in about three seconds and without a database: `catalogue` says what is sold and bought,
`demand` what customers ask for, `shelves` what happens to the stock, `endings` how that leads to this
morning, `ledger` what the books say about it.
`load` writes it into an empty shop.
"""

from db.demo.ledger import SEED, DemoShop, frames
from db.demo.loading import PASSWORDS, load

__all__ = ["PASSWORDS", "SEED", "DemoShop", "frames", "load"]
