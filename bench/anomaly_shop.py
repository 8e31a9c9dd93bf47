"""An invented shop to measure on: few products, weekly standing orders, goods by the kilo and by the pack."""

import numpy as np
import pandas as pd

SEED = 11
FIRST_DAY = pd.Timestamp("2024-01-01 08:00")
PRODUCTS, CUSTOMERS, DAYS = 60, 45, 330
PACKS = (1, 1, 6, 10, 12)
BY_THE_KILO = 0.15  # of the products
INVOICES_A_DAY = 14
LINES = 6  # of an invoice, on average
RETURNED = 0.015
ANONYMOUS = 0.2  # of the invoices


def an_invented_shop(seed: int = SEED, days: int = DAYS) -> pd.DataFrame:
    """Lines as a file has them, in booking order; about thirty thousand."""
    rng = np.random.default_rng(seed)
    price = np.round(np.exp(rng.normal(1.2, 0.9, PRODUCTS)) + 0.2, 2)
    pack = rng.choice(PACKS, PRODUCTS)
    is_by_kilo = rng.random(PRODUCTS) < BY_THE_KILO
    liked = rng.dirichlet(np.full(PRODUCTS, 0.4), CUSTOMERS)
    size = np.exp(rng.normal(0.5, 0.8, CUSTOMERS))  # how much a customer takes of everything
    rows = []
    for day in range(days):
        if day % 7 == 6:
            continue
        for number in range(rng.poisson(INVOICES_A_DAY)):
            # Every customer's standing order is on a weekday of its own.
            is_standing = number < CUSTOMERS // 6
            customer = (day % 7) + 6 * number if is_standing else int(rng.integers(CUSTOMERS))
            name = "" if not is_standing and rng.random() < ANONYMOUS else f"C{customer:03d}"
            moment = FIRST_DAY + pd.Timedelta(days=day, minutes=30 * number + int(rng.integers(25)))
            document = f"{day:03d}{number:02d}"
            for product in rng.choice(PRODUCTS, rng.poisson(LINES) + 1, p=liked[customer]):
                pieces = max(1, round(rng.gamma(3, size[customer] / 2 if name else 0.4)))
                quantity = float(pieces * pack[product])
                if is_by_kilo[product]:
                    quantity = round(pieces * float(rng.gamma(20, 1 / 40)), 3) or 0.1
                is_back = rng.random() < RETURNED
                asked = round(float(price[product]) * (0.9 if quantity >= 24 else 1.0), 2)
                rows.append(
                    (document, f"P{100 + product}", -quantity if is_back else quantity, moment, asked, name)
                )
    columns = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(
        Quantity=frame["Quantity"].map("{:g}".format),
        UnitPrice=frame["UnitPrice"].map("{:g}".format),
        InvoiceDate=frame["InvoiceDate"].dt.strftime("%Y-%m-%d %H:%M:%S"),
    )
