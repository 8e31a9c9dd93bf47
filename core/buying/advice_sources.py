"""Who could deliver what advice asks for: offers that count today, with when an order would arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np
from sqlalchemy.orm import Session

from core.buying import buying_settings, offers
from core.buying.offers import Offer
from core.buying.vendor_terms import VendorTerms
from core.reorder import calendars, comparison, levels, quantities
from core.reorder.calendars import Shutdown
from core.reorder.candidates import Candidate

NEAR_DAYS = 366  # further away nobody plans a day to order on


@dataclass(frozen=True)
class Source:
    """One vendor's offer of a product.

    `candidate`: its terms in the shop's money. `leads`: equally likely days until an order of today arrives,
    the measured ones and the quoted one, with the days until it can leave. `review_days`: how many days after
    that the next order arrives. `prices`: its steps as plain numbers, for a first choice.
    """

    candidate: Candidate
    vendor: VendorTerms
    leads: np.ndarray
    review_days: int
    prices: tuple[tuple[float, float], ...]

    @property
    def vendor_id(self) -> int:
        return self.vendor.id

    @property
    def lead(self) -> int:
        """The middle number of days until an order of today arrives."""
        return int(self.leads[len(self.leads) // 2])

    def price_at(self, quantity: float) -> float | None:
        """The unit price at a quantity; below the first step that of the first."""
        found = None
        for least, price in self.prices:
            if found is not None and least > quantity:
                break
            found = price
        return found

    def counted(self, decimals: int) -> Candidate:
        """The candidate for a product that is sold in so many decimals."""
        if decimals == self.candidate.terms.decimals:
            return self.candidate
        return replace(self.candidate, terms=replace(self.candidate.terms, decimals=decimals))

    def send_by(self, arrives_by: date, today: date) -> date:
        """The last day on which the vendor takes an order that usually arrives by then.

        It lies in the past when that day was missed.
        """
        usual = self.candidate.arrival.lead_days
        if (arrives_by - today).days > NEAR_DAYS:
            return arrives_by - timedelta(days=usual)
        vendor = self.vendor
        last = calendars.send_by(arrives_by, usual, vendor.order_weekdays, vendor.shutdowns, today)
        return last if last is not None else min(arrives_by - timedelta(days=usual), today)

    def ahead(self, arrives_by: date, today: date) -> tuple[int, Shutdown] | None:
        """How many days earlier than usual an order must leave for a shutdown, and which; else None."""
        closed = next((one for one in self.vendor.shutdowns if one[0] <= arrives_by), None)
        if closed is None or (arrives_by - today).days > NEAR_DAYS:
            return None
        vendor = self.vendor
        days = calendars.days_ahead(
            arrives_by, self.candidate.arrival.lead_days, vendor.order_weekdays, vendor.shutdowns, today
        )
        return (days, closed) if days else None


def of_products(
    session: Session, today: date, product_ids: Sequence[int] | None = None
) -> dict[int, list[Source]]:
    """The sources of each product that anybody offers, of all or of some."""
    review_days = buying_settings.get(session).review_days
    found: dict[int, list[Source]] = {}
    for offer in offers.current(session, product_ids, today):
        found.setdefault(offer.product_id, []).append(of_offer(offer, review_days, today))
    return found


def of_offer(offer: Offer, review_days: int, today: date) -> Source:
    """An offer as arithmetic takes it."""
    vendor, rate = offer.vendor, offer.vendor.exchange_rate
    when = (
        offer.lead_time_days,
        offer.record.lead_days,
        vendor.order_weekdays or None,
        vendor.shutdowns,
    )
    arrival = calendars.arrival(today, *when)
    following = calendars.arrival(arrival.sent_on + timedelta(days=review_days), *when)
    cover_days = max((following.on - arrival.on).days, 1)
    terms = quantities.terms(
        offer.minimum_order_quantity, offer.order_multiple, offer.steps, exchange_rate=rate
    )
    candidate = Candidate(
        vendor_id=vendor.id,
        name=vendor.name,
        terms=terms,
        arrival=arrival,
        quoted_days=offer.lead_time_days,
        record=offer.record,
        offer_id=offer.id,
        quoted_on=offer.valid_from,
        valid_until=offer.valid_until,
        cover_days=cover_days,
        **_money(vendor),
    )
    return Source(
        candidate=candidate,
        vendor=vendor,
        leads=scenarios(arrival),
        review_days=cover_days,
        prices=tuple((float(least), float(price)) for least, price in terms.steps),
    )


def _money(vendor: VendorTerms) -> dict[str, Decimal | None]:
    """What a vendor asks beside prices, in the shop's money."""
    return {
        name: comparison.in_shop_money(getattr(vendor, name), vendor.exchange_rate)
        for name in ("order_minimum", "free_freight_from", "freight_cost", "order_cost")
    }


@lru_cache(maxsize=4096)  # the products of one vendor ask the same
def scenarios(arrival: calendars.Arrival) -> np.ndarray:
    """Equally likely days until it arrives, in rising order. Shared: not to be changed."""
    middles = (np.arange(levels.LEAD_SCENARIOS) + 0.5) / levels.LEAD_SCENARIOS
    reached = np.cumsum(arrival.weights)
    return np.asarray(arrival.days)[np.minimum(np.searchsorted(reached, middles), len(arrival.days) - 1)]


def with_basket(candidate: Candidate, other_value: Decimal) -> Candidate:
    """The candidate when so much else goes to the vendor in the same order."""
    return replace(candidate, other_value=other_value)
