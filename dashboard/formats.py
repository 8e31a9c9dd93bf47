"""How figures, money and dates are written: one place for the shop's locale, currency and time zone."""

import functools
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

WHOLE_DAYS_BELOW = 60
NO_CENTS_FROM = 1000
DAYS_OF_A_MONTH = 30
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
# Units that have a plural; measures such as kg or m stay as they are, and pieces need no word.
PLURAL = {
    unit: f"{unit}s"
    for unit in ("bag", "bottle", "bucket", "can", "carton", "cartridge", "case", "crate", "drum", "pack",
                 "pair", "pallet", "roll", "sack", "set", "sheet", "tin", "tray", "tube")
} | {"box": "boxes"}  # fmt: skip
PIECES = ("each", "piece", "pcs")


@dataclass(frozen=True)
class Formats:
    """Formats of one shop; every method takes a value or None and gives text."""

    locale: str
    currency: str
    time_zone: str

    def number(self, value: Decimal | float | None, decimals: int = 0) -> str:
        """A count or a rate: thousands separated, at most `decimals` decimals."""
        if is_missing(value):
            return NOTHING
        return _number(self.locale, _exact(value), decimals)

    def quantity(self, value: Decimal | float | None) -> str:
        """A quantity as the ledger keeps it: up to 4 decimals, none when it is whole."""
        return self.number(value, 4)

    def unit(self, unit_of_measure: str, quantity: Decimal | float | None = None) -> str:
        """The word behind a quantity: 1 pair, 8 pairs, 8 kg; nothing where pieces are counted."""
        if unit_of_measure in PIECES:
            return ""
        return unit_of_measure if quantity == 1 else PLURAL.get(unit_of_measure, unit_of_measure)

    def rate(self, per_day: Decimal | float | None) -> str:
        """Demand as people say it: 4.6 a day, 1.2 a month where it is rare; never a rounded-away zero."""
        if is_missing(per_day):
            return NOTHING
        if per_day * DAYS_OF_A_MONTH < 0.05:
            return "hardly any"
        if per_day < 0.1:
            return f"{self.number(per_day * DAYS_OF_A_MONTH, 1)} a month"
        return f"{self.number(per_day, 1 if per_day < 100 else 0)} a day"

    def change(self, value: Decimal | float | None) -> str:
        """A quantity with its sign, so that plus and minus cannot be mixed up."""
        if is_missing(value):
            return NOTHING
        amount = _exact(value)
        return f"{MINUS if amount < 0 else '+'}{self.quantity(abs(amount))}"

    def money(self, value: Decimal | float | None) -> str:
        """An amount of money; cents only below 1,000."""
        if is_missing(value):
            return NOTHING
        return _money(self.locale, self.currency, _exact(value))

    def price(self, value: Decimal | float | None) -> str:
        """A price of one piece: always with cents."""
        if is_missing(value):
            return NOTHING
        return numbers.format_currency(_exact(value), self.currency, locale=self.locale)

    def share(self, value: float | None) -> str:
        """A chance in 0..1 as a percentage; drawn from samples, so never written as 0 or 100."""
        if is_missing(value):
            return NOTHING
        percent = round(float(value) * 100)
        if percent == 0:
            return "< 1 %"
        return "> 99 %" if percent == 100 else f"{percent} %"

    def duration(self, days: Decimal | float | None) -> str:
        """A number of days as people say it: whole days below 60, then weeks."""
        if is_missing(days):
            return NOTHING
        whole = math.floor(days)
        if 0 < days < 1:
            return "< 1 day"
        if whole < WHOLE_DAYS_BELOW:
            return "1 day" if whole == 1 else f"{whole} days"
        return f"{self.number(round(whole / 7))} weeks" if whole < 9999 else "years"

    def cover(self, days: Decimal | float | None, on_hand: Decimal | float) -> str:
        """How long stock lasts; a dash when there is none, and never 0 days while there is some."""
        if is_missing(days) or on_hand <= 0:
            return NOTHING
        return self.duration(days or 0.5)

    def day(self, day: date | None) -> str:
        """18 Nov, with the year when it is not near."""
        if is_missing(day):
            return NOTHING
        return _day(self.locale, day, "d MMM")

    def weekday(self, day: date | None) -> str:
        """Tue 18 Nov."""
        return NOTHING if is_missing(day) else _day(self.locale, day, "EEE d MMM")

    def day_from(self, day: date | None, today: date) -> str:
        """A date people can act on: Tue 18 Nov (in 3 days)."""
        if is_missing(day):
            return NOTHING
        away = (day - today).days
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away)
        if near is None:
            near = f"in {self.duration(away)}" if away > 0 else f"{self.duration(-away)} ago"
        return f"{self.weekday(day)} ({near})"

    def span(self, first: date | None, last: date | None, today: date, horizon_on: date | None = None) -> str:
        """The days between which something happens: 12–19 Nov; `after` the horizon where it has no end."""
        if is_missing(first):
            return f"after {self.day(horizon_on)}" if horizon_on else "not in sight"
        if is_missing(last):
            return f"from {self.day(first)} on"
        if first == last:
            return "today" if first == today else self.day(first)
        return _span(self.locale, first, last)

    def moment(self, at: datetime | None) -> str:
        """18 Nov, 14:05 in the shop's time zone."""
        if is_missing(at):
            return NOTHING
        local = at.astimezone(ZoneInfo(self.time_zone))
        pattern = "d MMM, HH:mm" if _is_near(local.date()) else "d MMM y, HH:mm"
        return dates.format_datetime(local, pattern, locale=self.locale)

    def ago(self, at: datetime | None, now: datetime) -> str:
        """14:05 today, 14:05 yesterday, otherwise the full moment."""
        if is_missing(at):
            return NOTHING
        zone = ZoneInfo(self.time_zone)
        local, day = at.astimezone(zone), now.astimezone(zone).date()
        near = {day: "today", day - timedelta(days=1): "yesterday"}.get(local.date())
        return f"{near} {local:%H:%M}" if near else self.moment(at)

    @property
    def separators(self) -> str:
        """Decimal point and thousands separator, as charts want them."""
        return numbers.get_decimal_symbol(self.locale) + numbers.get_group_symbol(self.locale)


def is_missing(value: object) -> bool:
    """None, NaN and NaT: what a frame holds where the database has null."""
    return value is None or value != value  # NaN and NaT differ from themselves


def _exact(value: Decimal | float) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _is_near(day: date) -> bool:
    return abs((date.today() - day).days) < 300  # noqa: DTZ011  (only decides whether the year is written)


@functools.lru_cache(20_000)
def _number(locale: str, value: Decimal, decimals: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    pattern = "#,##0." + "#" * decimals if decimals else "#,##0"
    return numbers.format_decimal(rounded + 0, pattern, locale=locale)


@functools.lru_cache(20_000)
def _money(locale: str, currency: str, value: Decimal) -> str:
    if abs(value) < NO_CENTS_FROM and value:
        return numbers.format_currency(value, currency, locale=locale)
    return numbers.format_currency(
        value.quantize(Decimal(1)) + 0, currency, format=_without_cents(locale), locale=locale,
        currency_digits=False,
    )  # fmt: skip


@functools.lru_cache(100)
def _without_cents(locale: str) -> str:
    return Locale.parse(locale).currency_formats["standard"].pattern.replace(".00", "")


@functools.lru_cache(20_000)
def _day(locale: str, day: date, pattern: str) -> str:
    return dates.format_date(day, pattern if _is_near(day) else f"{pattern} y", locale=locale)


@functools.lru_cache(20_000)
def _span(locale: str, first: date, last: date) -> str:
    skeleton = "MMMd" if _is_near(first) and _is_near(last) else "yMMMd"
    written = dates.format_interval(first, last, skeleton, locale=locale)
    # Babel puts thin spaces around the dash of a range within a month; the list's columns are narrow.
    return written.replace("\u2009", " ")
