"""What the demo shop's customers ask for, line by line: rates, seasons and accidents, and nothing learnt.

Nothing here is shared with the forecaster: products follow rates written down below, times random numbers.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

DAYS = 400
AHEAD_DAYS = 60  # expected demand is known this far past the end, to place the last deliveries
CUSTOMERS = 160

WEEKDAYS = np.array([1.25, 1.1, 1.0, 1.05, 1.0, 0.45, 0.0])  # Monday first, closed on Sundays
CLOSED = {(1, 1), (3, 17), (12, 25), (12, 26)}
WAREHOUSE_SHARES = {1: (1.0, 0.0, 0.0), 2: (0.66, 0.34, 0.0), 3: (0.55, 0.28, 0.17)}

# The products with a story, by name, so that they stay the same whatever the seed.
SPECIALS = {
    "new": "LED work light tripod 2 × 30 W",
    "dead": "Spirit level 180 cm",
    "gap": "Ball valve ½ in full bore",
    "outlier": "Cable ties 300 × 4.8 mm black, bag of 100",
    "typing_error": "Safety glasses clear",
    "intermittent": "Combination spanner 30 mm",
    "lumpy": "Twin and earth cable 10 mm², 100 m drum",
    "growing": "Impact bit TX20 25 mm, pack of 10",
    "winter": "Rock salt 25 kg",
    "summer": "Garden hose ½ in × 25 m",
}
ONE_PLACE = ("new", "dead", "gap", "outlier", "typing_error")  # stories are told in the main warehouse
OUTLIER_DAYS_AGO = 110
OUTLIER_QUANTITY = 1200
NEW_DAYS = 20
SMOOTH_LOT, LUMPY_LOT = 0.85, 2.2  # the median line in usual lots
DEAD_DAYS_AGO = 190


def days_of(today: date) -> list[date]:
    """The days of the history, oldest first; the last one is yesterday."""
    return [today - timedelta(days=DAYS - n) for n in range(DAYS)]


def is_open(day: date) -> bool:
    """Whether the shop sells on that day."""
    return WEEKDAYS[day.weekday()] > 0 and (day.month, day.day) not in CLOSED


def habits(products: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """How each product sells, one row per product in the order of `products`.

    behaviour (smooth, intermittent, lumpy), rate (order lines per usual open day), lot (typical pieces a
    line), spread (sigma of the logarithm of that), trend (growth per year, 0.1 = 10 %), first_day and
    last_day (places in the calendar) and the shares share_0.. of the three warehouses.
    """
    size = len(products)
    behaviour = rng.choice(["smooth", "intermittent", "lumpy"], size, p=[0.72, 0.18, 0.10])
    story = pd.Series({name: key for key, name in SPECIALS.items()})
    key = products["name"].map(story)
    behaviour[key.isin(["new", "gap", "outlier", "typing_error", "growing", "winter", "summer"])] = "smooth"
    behaviour[key.isin(["intermittent", "dead"])] = "intermittent"
    behaviour[key == "lumpy"] = "lumpy"

    rate = products.pace.to_numpy().copy()
    rate[behaviour == "intermittent"] = rng.uniform(0.03, 0.14, (behaviour == "intermittent").sum())
    rate[behaviour == "lumpy"] = rng.uniform(0.03, 0.09, (behaviour == "lumpy").sum())
    for name, pace in (("gap", 1.6), ("outlier", 2.2), ("typing_error", 1.5), ("new", 1.3), ("growing", 2.4)):
        rate[key == name] = pace
    trend = rng.normal(0.04, 0.18, size).clip(-0.4, 0.5)
    trend[key == "growing"] = 2.0
    first_day = np.zeros(size, int)
    launched = rng.choice(size, 8, replace=False)
    first_day[launched] = rng.integers(70, 280, len(launched))
    first_day[key.notna()] = 0
    first_day[key == "new"] = DAYS - NEW_DAYS
    last_day = np.full(size, DAYS + AHEAD_DAYS)
    last_day[key == "dead"] = DAYS - DEAD_DAYS_AGO
    places = rng.choice([1, 2, 3], size, p=[0.45, 0.3, 0.25])
    places[key.isin(ONE_PLACE) | (behaviour != "smooth")] = 1
    shares = np.array([WAREHOUSE_SHARES[number] for number in places])
    return pd.DataFrame(
        {
            "behaviour": behaviour,
            "rate": rate,
            "lot": products.lot.to_numpy(float),
            "spread": np.where(behaviour == "lumpy", 1.0, 0.65),
            "trend": trend,
            "first_day": first_day,
            "last_day": last_day,
            "story": key.fillna(""),
            **{f"share_{place}": shares[:, place] for place in range(3)},
        }
    )


def expected_lines(
    products: pd.DataFrame, habit: pd.DataFrame, today: date, rng: np.random.Generator
) -> np.ndarray:
    """Expected order lines (products, DAYS + AHEAD_DAYS): weekday, season, trend, promotions and moods."""
    calendar = [today + timedelta(days=n) for n in range(-DAYS, AHEAD_DAYS)]
    length, size = len(calendar), len(products)
    weekday = np.array([WEEKDAYS[day.weekday()] * is_open(day) for day in calendar])
    # Builders rest in the first half of August and around New Year.
    calm = np.array([0.75 if (day.month == 8 and day.day < 16) else 1.0 for day in calendar])
    calm *= np.array([0.5 if (day.month, day.day) >= (12, 23) or (day.month == 1 and day.day < 5) else 1.0
                      for day in calendar])  # fmt: skip
    of_year = np.array([day.timetuple().tm_yday for day in calendar])
    peak = (products.season_month.to_numpy() - 0.5) * 30.4
    angle = 2 * np.pi * (of_year[None, :] - peak[:, None]) / 365.25
    season = np.maximum(1 + products.season_swing.to_numpy()[:, None] * np.cos(angle), 0.03)
    years = (np.arange(length) - DAYS) / 365
    trend = np.exp(np.log1p(habit.trend.to_numpy())[:, None] * years[None, :])
    return (
        habit.rate.to_numpy()[:, None] * (weekday * calm)[None, :] * season * trend
        * _moods(size, length, rng) * _promotions(habit, length, rng) * _life(habit, length)
    )  # fmt: skip


def _moods(size: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Slow ups and downs of each product, and days on which the whole trade is busy or quiet."""
    weeks = length // 7 + 2
    level = np.zeros((size, weeks))
    for week in range(1, weeks):
        level[:, week] = 0.8 * level[:, week - 1] + rng.normal(0, 0.11, size)
    daily = np.exp(np.repeat(level, 7, axis=1)[:, :length])
    return daily * rng.lognormal(0, 0.09, length)[None, :]


def _promotions(habit: pd.DataFrame, length: int, rng: np.random.Generator) -> np.ndarray:
    """Six promotions of ten to fourteen days, each for a handful of products."""
    lift = np.ones((len(habit), length))
    able = np.flatnonzero((habit.behaviour == "smooth") & (habit.story == ""))
    for _ in range(6):
        start = rng.integers(20, DAYS - 40)
        lift[rng.choice(able, 7, replace=False), start : start + rng.integers(10, 15)] = rng.uniform(1.6, 2.6)
    return lift


def _life(habit: pd.DataFrame, length: int) -> np.ndarray:
    day = np.arange(length)[None, :]
    return (day >= habit.first_day.to_numpy()[:, None]) & (day < habit.last_day.to_numpy()[:, None])


def pieces_a_line(habit: pd.DataFrame) -> np.ndarray:
    """Expected pieces on an order line of each product (mean of the lognormal that `order_lines` draws)."""
    usual = np.where(habit.behaviour == "lumpy", LUMPY_LOT, SMOOTH_LOT) * habit.lot.to_numpy()
    return np.maximum(usual * np.exp(habit.spread.to_numpy() ** 2 / 2), 1.1)


def order_lines(
    habit: pd.DataFrame, expected: np.ndarray, today: date, rng: np.random.Generator
) -> pd.DataFrame:
    """What customers ask for: day (place in the calendar), minute, document, customer, product, warehouse,
    quantity; in the order in which it is asked.
    """
    shares = habit[["share_0", "share_1", "share_2"]].to_numpy()
    counts = rng.poisson(expected[:, :DAYS, None] * shares[:, None, :])
    product, day, warehouse = (np.repeat(axis, counts[counts > 0]) for axis in np.nonzero(counts))
    lot, spread = habit.lot.to_numpy()[product], habit.spread.to_numpy()[product]
    lumpy = (habit.behaviour == "lumpy").to_numpy()[product]
    asked = np.where(lumpy, LUMPY_LOT, SMOOTH_LOT) * lot * rng.lognormal(0, 1, len(product)) ** spread
    quantity = np.maximum(np.rint(asked), 1)
    # Who needs many asks for round numbers.
    is_round = (quantity >= 15) & (rng.random(len(product)) < 0.7)
    quantity = np.where(is_round, np.rint(quantity / 5) * 5, quantity).astype(int)
    lines = pd.DataFrame({"day": day, "product": product, "warehouse": warehouse, "quantity": quantity})
    lines = pd.concat([lines, _outlier(habit, today)], ignore_index=True)
    return _documents(lines, today, rng)


def outlier_day(today: date) -> int:
    """Place in the calendar of the one bulk order: the first open day from 110 days ago on."""
    calendar = days_of(today)
    return next(n for n in range(DAYS - OUTLIER_DAYS_AGO, DAYS) if is_open(calendar[n]))


def _outlier(habit: pd.DataFrame, today: date) -> pd.DataFrame:
    product = int(np.flatnonzero(habit.story == "outlier")[0])
    line = {"day": outlier_day(today), "product": product, "warehouse": 0, "quantity": OUTLIER_QUANTITY}
    return pd.DataFrame([line])


def _documents(lines: pd.DataFrame, today: date, rng: np.random.Generator) -> pd.DataFrame:
    """Lines put together to documents of a customer, at a minute of the opening hours."""
    lines = lines.assign(mix=rng.random(len(lines))).sort_values(["day", "warehouse", "mix"])
    place = lines[["day", "warehouse"]].to_numpy()
    starts = np.r_[True, (place[1:] != place[:-1]).any(axis=1)] | (rng.random(len(lines)) < 0.3)
    number = np.cumsum(starts) - 1
    documents = number[-1] + 1
    saturday = np.array([day.weekday() == 5 for day in days_of(today)])[lines.day.to_numpy()[starts]]
    minute = 8 * 60 + rng.beta(1.6, 1.9, documents) * np.where(saturday, 5 * 60, 9 * 60)
    # A few large customers and many small ones, each loyal to one counter; one in eight pays cash, nameless.
    rank = (CUSTOMERS / 3 * rng.beta(0.8, 2.2, documents)).astype(int)
    customer = rank * 3 + lines.warehouse.to_numpy()[starts]
    customer[rng.random(documents) < 0.12] = -1
    lines["minute"], lines["document"], lines["customer"] = minute[number], number, customer[number]
    lines = lines.sort_values(["day", "minute", "document", "mix"]).drop(columns="mix").reset_index(drop=True)
    lines["document"] = pd.factorize(lines.document)[0]
    return lines
