"""What the demo shop sells, from whom it buys, and where it stores: names, prices, codes, no history."""

from pathlib import Path

import numpy as np
import pandas as pd

SHOP = {
    "name": "Harbour & Finch Trade Supply",
    "currency": "EUR",
    "locale": "en_IE",
    "time_zone": "Europe/Dublin",
    "default_lead_time_days": 14,
}

WAREHOUSES = pd.DataFrame(
    [
        ("WH-A", "Dublin main warehouse", "Ballymount, Dublin 12", True),
        ("WH-B", "Cork trade counter", "Little Island, Cork", False),
        ("WH-C", "Galway trade counter", "Ballybrit, Galway", False),
    ],
    columns=["code", "name", "location", "is_default"],
)

# A delivery really comes between `earliest_delay` and `latest_delay` days later than quoted: one vendor is
# simply late. Money is in the vendor's currency.
VENDORS = pd.DataFrame(
    [
        ("Lagan Fastener Company", "orders@laganfastener.example", "+353 20 911 0101", 7, -1, 1,
         "Fionnuala Quinn", "Unit 4, Meadow Lane, Lisburn", "EUR", "1", 150, 400, 18),
        ("Brennhof Werkzeuge", "export@brennhof.example", "+353 20 911 0102", 14, -1, 2,
         "Jürgen Aßmann", "Hammerweg 12, 42853 Remscheid", "EUR", "1", 250, 900, 65),
        ("Liffey Trade Wholesale", "sales@liffeytrade.example", "+353 20 911 0103", 3, 0, 1,
         "Ciarán Nolan", "Naas Road, Dublin 22", "EUR", "1", None, 200, 9),
        ("Nordkust Industri", "order@nordkust.example", "+353 20 911 0104", 21, -2, 3,
         "Åsa Lindström", "Hamngatan 3, 392 31 Kalmar", "SEK", "0.0875", 4000, 15000, 1400),
        ("Delta Harbour Imports", "desk@deltaharbour.example", "+353 20 911 0105", 28, -3, 4,
         "Mei-Ling Chan", "Alexandra Road, Dublin Port", "EUR", "1", 500, 2000, 120),
        ("Costa & Mar Ferragens", "vendas@costamar.example", "+353 20 911 0106", 10, 5, 16,
         "João Carvalho", "Rua do Cais 88, 4450 Matosinhos", "EUR", "1", 200, None, 48),
    ],
    columns=["name", "email", "phone", "lead_time_days", "earliest_delay", "latest_delay", "contact_name",
             "address", "currency", "exchange_rate", "order_minimum", "free_freight_from", "freight_cost"],
)  # fmt: skip
LATE_VENDOR = "Costa & Mar Ferragens"


# Products that differ by size only, one family a line; `sizes` are separated by |, the costs (EUR) are those
# of the first and the last size. `pace` is the usual number of order lines per open day, `lot` the usual
# pieces on a line, `season_month` the month of the yearly peak (0: none) and `season_swing` how far demand
# swings.
FAMILIES = pd.read_csv(Path(__file__).with_name("families.csv"), sep=";")

# Which vendors deliver a category: first the usual one, then the one that is dearer for a few and cheaper
# from a hundred on.
SOURCES = {
    "Fasteners": ("Lagan Fastener Company", "Delta Harbour Imports"),
    "Fixings": ("Lagan Fastener Company", "Brennhof Werkzeuge"),
    "Hand tools": ("Brennhof Werkzeuge", "Costa & Mar Ferragens"),
    "Power tool accessories": ("Brennhof Werkzeuge", "Nordkust Industri"),
    "Abrasives": ("Costa & Mar Ferragens", "Delta Harbour Imports"),
    "Adhesives & sealants": ("Liffey Trade Wholesale", "Nordkust Industri"),
    "Electrical": ("Liffey Trade Wholesale", "Delta Harbour Imports"),
    "Plumbing": ("Costa & Mar Ferragens", "Lagan Fastener Company"),
    "Safety & workwear": ("Nordkust Industri", "Liffey Trade Wholesale"),
    "Paint & decorating": ("Liffey Trade Wholesale", "Costa & Mar Ferragens"),
    "Site & storage": ("Delta Harbour Imports", "Liffey Trade Wholesale"),
    "Cleaning & maintenance": ("Liffey Trade Wholesale", "Brennhof Werkzeuge"),
    "Garden & outdoor": ("Costa & Mar Ferragens", "Delta Harbour Imports"),
}

# Share of the usual vendor's price: from how many pieces on.
USUAL_STEPS = ((1, 1.00), (50, 0.98))
SECOND_STEPS = ((1, 1.09), (25, 1.03), (100, 0.92), (500, 0.88))
PACKS = (6, 12, 24)
CASE = 24
WITHOUT_CODE = slice(20, None, 25)  # a dozen products, from all over the catalogue


def gtin(digits: str) -> str:
    """The whole number of all digits but the last, the check digit: 12 make an EAN-13, 13 a GTIN-14."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def products(rng: np.random.Generator) -> pd.DataFrame:
    """One row per product: sku, name, category, unit_of_measure, unit_cost, unit_price, vendor (the usual
    one), lead_time_days (its quoted one), and what the demand needs: pace, lot, season_month, season_swing.
    """
    lead = VENDORS.set_index("name").lead_time_days
    rows, numbers = [], {}
    for family in FAMILIES.itertuples():
        sizes = family.sizes.split("|")
        for place, size in enumerate(sizes):
            numbers[family.prefix] = numbers.get(family.prefix, 1000) + 1
            along = place / max(len(sizes) - 1, 1)
            cost = round(family.first_cost * (family.last_cost / family.first_cost) ** along, 2)
            # The odd size sells far less than the usual one in the middle.
            pace = family.pace * (1.25 - 1.1 * abs(along - 0.4)) * rng.lognormal(0, 0.45)
            vendor = SOURCES[family.category][0]
            rows.append(
                {
                    "sku": f"{family.prefix}-{numbers[family.prefix]}",
                    "name": family.name.format(size),
                    "category": family.category,
                    "unit_of_measure": family.unit,
                    "unit_cost": cost,
                    "unit_price": _shelf_price(cost * rng.uniform(1.32, 1.75)),
                    "vendor": vendor,
                    "lead_time_days": int(lead[vendor]),
                    "pace": pace,
                    "lot": family.lot,
                    "season_month": family.season_month,
                    "season_swing": family.season_swing,
                }
            )
    made = pd.DataFrame(rows)
    made["name"] = made["name"].str[0].str.upper() + made["name"].str[1:]
    return made


def _shelf_price(price: float) -> float:
    """A price as it stands on a label: to the cent, then to five cents, then just under the euro."""
    if price < 2:
        return round(price, 2)
    return round(np.ceil(price * 20) / 20 if price < 20 else np.ceil(price) - 0.05, 2)


def barcodes(skus: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """sku, code, pack_factor: a piece's code for most products, a pack's code for some.

    A carton has an EAN-13 of its own; a case of 24 has the piece's number with a 1 in front (a GTIN-14, which
    is printed as ITF-14). Some products came without any code: the shop may make one.
    """
    pieces = {sku: f"5391990{number:05d}" for number, sku in enumerate(skus, start=1101)}
    single = [(sku, gtin(digits), 1) for sku, digits in pieces.items()]
    packs = [
        (sku, f"5391990{number:05d}", int(rng.choice(PACKS)))
        for number, sku in enumerate(skus, start=51101)
        if rng.random() < 0.3
    ]
    cartons = [
        (sku, gtin(f"1{pieces[sku]}" if pack == CASE else digits), pack) for sku, digits, pack in packs
    ]
    made = pd.DataFrame(single + cartons, columns=["sku", "code", "pack_factor"])
    return made[~made.sku.isin(skus.iloc[WITHOUT_CODE])].reset_index(drop=True)


def vendor_prices(items: pd.DataFrame) -> pd.DataFrame:
    """vendor, sku, minimum_quantity, unit_price, lead_time_days: two a product, whose prices cross."""
    lead = VENDORS.set_index("name").lead_time_days
    rows = [
        (vendor, item.sku, quantity, max(round(item.unit_cost * share, 4), 0.01), int(lead[vendor]))
        for item in items.itertuples()
        for vendor, steps in zip(SOURCES[item.category], (USUAL_STEPS, SECOND_STEPS), strict=True)
        for quantity, share in steps
    ]
    columns = ["vendor", "sku", "minimum_quantity", "unit_price", "lead_time_days"]
    return pd.DataFrame(rows, columns=columns)
