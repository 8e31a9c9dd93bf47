"""Plain names for clusters of movements: "large weekly deliveries to WH-B", "small sales around noon".

Arithmetic: no session, no clock. Hours and weekdays are those of the moments in the lines.
"""

from collections.abc import Iterator

import numpy as np

from core.anomaly.lines import FLOWS, NOBODY, Lines, Shelf

MOST_FLOWS = 2
"""A cluster of more flows than this is called after none of them."""
FLOW_SHARE = 0.25
MOSTLY = 0.75
"""What is true of this share of a cluster is true of it."""
LIFT = 1.3
"""... and is worth saying where it is so much truer than of all lines."""
LEANING = 1.15
"""What is so much truer here than of all lines may tell two clusters apart, though it is true of few."""
LARGE, VERY_LARGE = 2.0, 6.0
"""Times the product's usual quantity (or times the price and pace of all), in the middle of the cluster."""
DEAR = 1.25
"""Times the product's usual price."""
RHYTHMS = {"daily": (0.6, 1.4), "weekly": (6.0, 8.0), "two-weekly": (13.0, 15.0), "monthly": (26.0, 33.0)}
"""Days between two lines of the same product, flow and place."""
DAY_SECONDS = 86_400
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
HOURS = {
    "at night": (22, 30), "in the early morning": (5, 9), "in the morning": (8, 12), "around noon": (11, 14),
    "in the afternoon": (13, 18), "in the evening": (17, 23),
}  # fmt: skip
_OF_FLOW = {
    "out": ("sales", "from"), "back": ("returns", "to"), "in": ("deliveries", "to"),
    "to_vendor": ("returns to vendors", "from"), "count": ("count corrections", "in"),
    "loss": ("losses", "in"), "transfer": ("transfers", "at"),
}  # fmt: skip


def cluster_names(lines: Lines, clusters: np.ndarray, shelf: Shelf, many: int = 0) -> list[str]:
    """A name for each cluster number up to the largest, or for `many`; no two are the same.

    `clusters` holds the number of each line. What sets a cluster apart is said first: how large its movements
    are for their products, their rhythm, what they are and where; then customer, time and price, as far as
    needed to tell it from the others.
    """
    all_lines, many = _Traits(lines, shelf), max(many, int(clusters.max(initial=-1)) + 1)
    shortest = [next(_options(all_lines, clusters == number)) for number in range(many)]
    # A name that fits two says too little of either.
    taken = {name for name in shortest if shortest.count(name) > 1}
    named: list[str] = []
    for number in range(many):
        options = _options(all_lines, clusters == number)
        named.append(next(option for option in options if option not in taken))
        taken.add(named[-1])
    return named


class _Traits:
    """What can be said of lines; made once, asked for one cluster after the other."""

    def __init__(self, lines: Lines, shelf: Shelf) -> None:
        self.lines, self.shelf = lines, shelf
        of = lines.product.astype(np.int64) * len(FLOWS) + lines.flow
        self.size = _times_usual(np.abs(lines.change), of)
        self.dearness = _times_usual(lines.price, lines.product)
        self.days = _days_since_same(lines, of)
        self.weekday = (lines.at // DAY_SECONDS + 3).astype(np.int64) % 7  # the first day of 1970: a Thursday
        self.hour = lines.at % DAY_SECONDS / 3600
        self.has_customer = lines.customer != NOBODY
        self.is_sale = np.isin(lines.flow, [FLOWS.index("out"), FLOWS.index("back")])

    def size_word(self, here: np.ndarray) -> str:
        times = _middle(self.size[here])
        words = {
            "very large": times >= VERY_LARGE, "large": times >= LARGE,
            "very small": times <= 1 / VERY_LARGE, "small": times <= 1 / LARGE,
        }  # fmt: skip
        return next((word for word, is_so in words.items() if is_so), "")

    def rhythm(self, here: np.ndarray) -> str:
        known = self.days[here & np.isfinite(self.days)]
        if len(known) * 2 < here.sum():
            return ""
        middle = _middle(known)
        return next((word for word, (low, high) in RHYTHMS.items() if low <= middle <= high), "")

    def what(self, here: np.ndarray) -> tuple[str, str]:
        """The noun, and the word before a place."""
        shares = np.bincount(self.lines.flow[here], minlength=len(FLOWS)) / here.sum()
        main = [FLOWS[at] for at in np.argsort(-shares, kind="stable") if shares[at] >= FLOW_SHARE]
        if not main or len(main) > MOST_FLOWS:
            return "movements of all kinds", "in"
        if len(main) == 1:
            return _OF_FLOW[main[0]]
        return " and ".join(_OF_FLOW[flow][0] for flow in main), "in"

    def place(self, here: np.ndarray, before: str) -> str:
        for number in np.unique(self.lines.place[here]):
            if _stands_out(self.lines.place == number, here):
                code = self.shelf.place_codes.get(int(number))
                return f"{before} {code}" if code else ""
        return ""

    def more(self, here: np.ndarray) -> Iterator[str]:
        """What else sets these lines apart, the most telling first."""
        for word, is_so in (("to known customers", True), ("without a customer", False)):
            if _stands_out(self.is_sale & (self.has_customer == is_so), here) and self.has_customer.any():
                yield word
        for at, day in enumerate(WEEKDAYS):
            if _stands_out(self.weekday == at, here):
                yield f"on {day}"
        hours = {word: _within(self.hour, *span) for word, span in HOURS.items()}
        apart = [word for word, is_in in hours.items() if _stands_out(is_in, here)]
        yield from apart[:1]
        times = _middle(self.dearness[here])
        if times >= DEAR or times <= 1 / DEAR:
            yield "above the usual price" if times > 1 else "below the usual price"
        price, all_prices = _middle(self.lines.price[here]), _middle(self.lines.price)
        if price >= all_prices * LARGE or price <= all_prices / LARGE:
            yield "of dear goods" if price > all_prices else "of cheap goods"
        days, all_days = _middle(self.days[here]), _middle(self.days)
        if days >= all_days * LARGE or days <= all_days / LARGE:
            yield "of slow movers" if days > all_days else "of fast movers"

    def leanings(self, here: np.ndarray) -> Iterator[str]:
        """What is only more often so here than elsewhere, the clearest first."""
        truths = {f"on {day}": self.weekday == at for at, day in enumerate(WEEKDAYS)}
        truths |= {word: _within(self.hour, *span) for word, span in HOURS.items()}
        lifts = {word: is_so[here].mean() / is_so.mean() for word, is_so in truths.items() if is_so.any()}
        for word in sorted(lifts, key=lambda word: (-lifts[word], word)):
            if lifts[word] >= LEANING:
                yield f"more often {word}"


def _options(traits: _Traits, here: np.ndarray) -> Iterator[str]:
    """Names for one cluster, the shortest good one first; there is always another."""
    if not here.any():
        core, more = "rare movements", []
    else:
        noun, before = traits.what(here)
        words = (traits.size_word(here), traits.rhythm(here), noun, traits.place(here, before))
        core, more = " ".join(word for word in words if word), list(traits.more(here))
        # Something is said of each: a bare "sales" helps nobody.
        if core == noun and more:
            core = f"{core} {more.pop(0)}"
    yield core
    said = core
    for word in more:
        said = f"{said}, {word}"
        yield said
    if here.any():
        pieces = f"of about {_middle(np.abs(traits.lines.change[here])):.3g} pieces"
        yield f"{core}, {pieces}" if " of " in core else f"{core} {pieces}"
        said = f"{said}, {pieces}"
        yield said
        for word in traits.leanings(here):
            yield f"{core}, {word}"
    for number in range(2, 2**15):
        yield f"{said} ({number})"


def _times_usual(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Each value as a multiple of the median of those that share its number; nan where there is none."""
    order = np.lexsort((values, of))
    sorted_values, sorted_of = values[order], of[order]
    numbers, starts, back = np.unique(sorted_of, return_index=True, return_inverse=True)
    known = np.bincount(back, weights=np.isfinite(sorted_values), minlength=len(numbers)).astype(np.int64)
    # nan sorts behind all others, so the known ones of a number stand first.
    usual = sorted_values[np.minimum(starts + known // 2, max(len(values) - 1, 0))] if len(values) else values
    times = np.full(len(values), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        times[order] = np.where(known[back] > 0, sorted_values / usual[back], np.nan)
    return times


def _days_since_same(lines: Lines, of: np.ndarray) -> np.ndarray:
    """Days since the line before of the same product, flow and place; nan for the first one."""
    numbers = of * (int(lines.place.max(initial=0)) + 1) + lines.place
    order = np.lexsort((lines.at, numbers))
    days = np.full(len(lines), np.nan)
    is_next = numbers[order][1:] == numbers[order][:-1]
    days[order[1:]] = np.where(is_next, np.diff(lines.at[order]) / DAY_SECONDS, np.nan)
    return days


def _within(hour: np.ndarray, begin: int, end: int) -> np.ndarray:
    return (hour >= begin) & (hour < end) | (hour < end - 24)


def _stands_out(is_so: np.ndarray, here: np.ndarray) -> bool:
    """Whether this is true of most of these lines, and clearly more so than of all."""
    share = is_so[here].mean()
    return bool(share >= MOSTLY and share >= LIFT * is_so.mean())


def _middle(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 1.0
