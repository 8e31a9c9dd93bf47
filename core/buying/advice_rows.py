"""Rows of advice as they are kept: each with its receipt, its reason and the vendors compared."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core.buying.advice_inputs import Shop
from core.buying.advice_needs import ZERO, Need
from core.buying.advice_plan import MONEY, OUT_SHARE, Move, Plan, next_need, order_by
from core.posting import plain
from core.predictions import rounded
from core.reorder import comparison, receipts
from core.reorder.bulk import OneOff
from core.reorder.receipts import Sums, Term

RATE_DAYS = 28  # as the daily rate of a run-out
THRESHOLD, NOT_SPARED = "threshold", "what cannot be spared"
EVEN = 0.5
COLUMNS = (
    "run_id", "product_id", "warehouse_id", "action", "vendor_id", "offer_id", "from_warehouse_id",
    "quantity", "unit_cost", "value", "level", "on_hand", "due", "needed_on", "next_quantity", "order_by_on",
    "arrives_on", "chance", "lost_money", "daily_rate", "service_percent", "reason", "terms", "vendors",
    "one_off",
)  # fmt: skip


def of_plan(given: Shop, made: Plan, why_not: str | None) -> dict[str, Any]:
    """What is to be ordered for a warehouse that vendors deliver to. `why_not`: why there is no forecast."""
    need = made.need
    needed_on, next_quantity = next_need(given, made)
    source = made.source
    is_order = made.quantity > 0
    row = _row(given, need) | {
        "action": "order" if is_order else "none",
        "vendor_id": source and source.vendor_id,
        "offer_id": source and source.candidate.offer_id,
        "quantity": made.quantity,
        "unit_cost": made.unit_cost,
        "value": made.value,
        "level": made.level,
        "needed_on": needed_on,
        "next_quantity": next_quantity,
        "order_by_on": order_by(given, made),
        "arrives_on": source.candidate.arrival.on if source else None,
        "service_percent": None if made.service is None else rounded(made.service * 100, 2),
        "reason": _reason(given, made, why_not, needed_on),
        "terms": receipts.stored(_terms(made)),
        "vendors": comparison.stored(made.rows),
        "one_off": _bulk(made.one_off),
    }
    if row["unit_cost"] is None and next_quantity > 0:
        row["unit_cost"] = _next_price(made, next_quantity)
    return row | _from_elsewhere(given, made) if made.move is not None else row


def _from_elsewhere(given: Shop, made: Plan) -> dict[str, Any]:
    """What is different where another warehouse has what is missing."""
    move = made.move
    return {
        "action": "transfer",
        "vendor_id": None,
        "offer_id": None,
        "from_warehouse_id": move.warehouse_id,
        "quantity": move.quantity,
        "unit_cost": given.products[made.need.product_id]["unit_cost"],
        "value": ZERO,
        "needed_on": given.today,
        "next_quantity": move.quantity,
        "order_by_on": _transfer_by(given, made.need),
        "arrives_on": move.arrives_on,
        "reason": move.why,
    }


def of_move(given: Shop, need: Need, move: Move | None, group: Need) -> dict[str, Any]:
    """What a supplied warehouse gets from the one that supplies it."""
    quantity = move.quantity if move is not None else ZERO
    arrives_on = given.today + timedelta(days=given.settings.transfer_days)
    level = move.level if move is not None else ZERO
    is_now = quantity > 0
    return _row(given, need) | {
        "action": "transfer" if is_now else "none",
        "vendor_id": None,
        "offer_id": None,
        "from_warehouse_id": move.from_place if is_now else None,
        "quantity": quantity,
        "unit_cost": given.products[need.product_id]["unit_cost"],
        "value": ZERO,
        "level": level,
        "needed_on": given.today if is_now else None,
        "next_quantity": quantity,
        "order_by_on": _transfer_by(given, need) if is_now else None,
        "arrives_on": arrives_on if is_now else None,
        "service_percent": None,
        "reason": _move_reason(given, move, group),
        "terms": receipts.stored(_move_terms(given, need, move)),
        "vendors": [],
        "one_off": None,
    }


def _row(given: Shop, need: Need) -> dict[str, Any]:
    """What every row says of where the product stands."""
    product = given.products[need.product_id]
    worth = product["unit_price"] if product["unit_price"] is not None else product["unit_cost"]
    row = {
        "product_id": need.product_id,
        "warehouse_id": need.warehouse_id,
        "from_warehouse_id": None,
        "on_hand": need.on_hand,
        "due": sum((much for _, much in need.due), ZERO),
        "chance": None,
        "lost_money": ZERO,
        "daily_rate": None,
    }
    if need.has_forecast:
        days = min(RATE_DAYS, len(need.mean))
        lost = rounded(need.lost_units(), 4)
        row |= {
            "chance": round(need.chance(), 4),
            "lost_money": (lost * (worth or ZERO)).quantize(MONEY),
            "daily_rate": rounded(need.expected(days) / days, 4),
        }
    return row


def _next_price(made: Plan, quantity: Decimal) -> Decimal | None:
    if made.source is None:
        return None
    price = made.source.price_at(float(quantity))
    return None if price is None else rounded(price, 4)


# -- Receipts ------------------------------------------------------------------------------------------------


def _terms(made: Plan) -> list[Term]:
    need = made.need
    if not need.has_forecast:
        quantity = made.move.quantity if made.move is not None else made.rounded
        return _threshold_terms(need, made.level, made.in_time, quantity)
    lead, review = need.lead, need.review
    expected = rounded(need.expected(lead), 4)
    return receipts.receipt(
        Sums(
            lead_demand=expected,
            cover_demand=rounded(need.expected(lead + review), 4) - expected,
            level=made.level,
            on_hand=need.on_hand,
            due=made.in_time,
            one_off=rounded(made.one_off.typical, need.decimals) if made.one_off else ZERO,
            rounded=made.rounded if made.wanted > 0 and made.move is None else None,
            stepped=made.quantity if made.quantity != made.rounded else None,
            lead_days=lead,
            handover_days=need.handover,
            cover_days=review,
            service_percent=rounded(made.service * 100, 1) if made.service is not None else None,
            rounding_words=_rounding_words(made),
        )
    )


def _rounding_words(made: Plan) -> str:
    if made.source is None:
        return "to whole pieces"
    terms = made.source.candidate.terms
    said = []
    if terms.minimum is not None and made.rounded <= terms.minimum:
        said.append(f"the least that is sold: {plain(terms.minimum)}")
    if terms.multiple is not None:
        said.append(f"sold in multiples of {plain(terms.multiple)}")
    return ", ".join(said) or "to what may be ordered"


def _threshold_terms(need: Need, level: Decimal, in_time: Decimal, quantity: Decimal) -> list[Term]:
    """Without a forecast: one piece more than the threshold, less what is there."""
    terms = [Term(THRESHOLD, level, "one more than its threshold" if level else "nothing is to be kept")]
    terms += [Term(receipts.ON_HAND, -need.on_hand, "in stock")]
    if in_time:
        terms.append(Term(receipts.DUE, -in_time, "ordered before"))
    so_far = receipts.total(terms)
    if so_far < 0:
        terms.append(Term(receipts.ENOUGH, -so_far, "more is there than is needed"))
        so_far = ZERO
    if quantity != so_far:
        terms.append(Term(receipts.ROUNDING, quantity - so_far, "to what may be ordered"))
    return terms


def _move_terms(given: Shop, need: Need, move: Move | None) -> list[Term]:
    quantity = move.quantity if move is not None else ZERO
    level, in_time = (move.level, move.in_time) if move is not None else (ZERO, ZERO)
    if not need.has_forecast:
        terms = _threshold_terms(need, level, in_time, move.wanted if move is not None else ZERO)
    else:
        lead, review = given.settings.transfer_days, given.settings.review_days
        expected = rounded(need.expected(lead), 4)
        cover = rounded(need.expected(lead + review), 4) - expected
        terms = receipts.receipt(
            Sums(
                expected, cover, level, need.on_hand, in_time, lead_days=lead, cover_days=review,
            )
        )  # fmt: skip
    left = quantity - receipts.total(terms)
    if left:
        terms.append(Term(NOT_SPARED, left, f"{given.codes[move.from_place]} keeps what it needs itself"))
    return terms


# -- Words ---------------------------------------------------------------------------------------------------


def _reason(given: Shop, made: Plan, why_not: str | None, needed_on: date | None) -> str:
    need = made.need
    said = _why(given, made, why_not, needed_on)
    if not need.sources and (made.quantity > 0 or needed_on is not None):
        said += " Nobody offers it: add an offer."
    said += _ahead(given, made)
    if need.is_short:
        said += " The forecast ends before the order after this one arrives: it may need more."
    return said


def _ahead(given: Shop, made: Plan) -> str:
    """Whether a shutdown of the vendor makes the order leave earlier than its lead time says."""
    need = made.need
    if made.source is None or not made.source.vendor.shutdowns or not need.has_forecast:
        return ""
    runs_out = need.out_on(OUT_SHARE, given.today)
    found = made.source.ahead(runs_out, given.today) if runs_out is not None else None
    if found is None:
        return ""
    days, (first, last) = found
    earlier = f"{days} day" if days == 1 else f"{days} days"
    return f" {made.source.candidate.name} is closed from {first} to {last}: order {earlier} ahead."


def _why(given: Shop, made: Plan, why_not: str | None, needed_on: date | None) -> str:
    need = made.need
    if not need.has_forecast:
        known = why_not or "There is no forecast."
        if need.threshold is None:
            return f"{known} It has no threshold either, so nothing is advised."
        if made.quantity > 0:
            word = "Below" if need.on_hand < need.threshold else "At"
            return f"{word} its threshold of {plain(need.threshold)}. {known}"
        return f"Above its threshold of {plain(need.threshold)}. {known}"
    arrives = made.source.candidate.arrival.on if made.source else given.today + timedelta(days=need.lead)
    lead = (arrives - given.today).days
    days = f"{lead} day" if lead == 1 else f"{lead} days"
    if made.quantity <= 0:
        if needed_on is None:
            return _enough(given, made)
        ahead = (needed_on - given.today).days
        return f"Enough for now: to be ordered in {ahead} day{'s' if ahead != 1 else ''}."
    chance = need.chance()
    if need.on_hand <= 0:
        return f"Out of stock; an order of today arrives in {days}."
    if chance >= EVEN:
        return f"Likely to run out ({chance:.0%}) before an order of today arrives in {days}."
    cover = f"until the order after this one arrives, in {need.lead + need.review} days"
    return f"{chance:.0%} likely to run out before an order of today arrives; it does not last {cover}."


def _enough(given: Shop, made: Plan) -> str:
    """Why nothing is to be ordered within the forecast: there is enough, or the goal keeps none of it."""
    need = made.need
    runs_out = need.out_on(OUT_SHARE, given.today)
    if made.level > 0 or runs_out is None or not need.expected(len(need.mean)):
        return f"Enough for the next {len(need.mean)} days."
    when = "Out of stock" if need.on_hand <= 0 else f"May be out by {runs_out}"
    return f"{when}, and not to be ordered: under the shop's goal the money helps more elsewhere."


def _move_reason(given: Shop, move: Move | None, group: Need) -> str:
    supplier = given.codes[group.warehouse_id]
    if move is None or move.wanted <= 0:
        return f"Enough until the transfer after the next one from {supplier}."
    if move.quantity <= 0:
        return f"{plain(move.wanted)} are missing until the next transfer, and {supplier} can spare none."
    if move.quantity < move.wanted:
        return f"{plain(move.wanted)} are missing; {supplier} can spare {plain(move.quantity)}."
    return f"{supplier} has what is missing until the transfer after this one."


def _transfer_by(given: Shop, need: Need) -> date | None:
    if not need.has_forecast:
        return given.today
    runs_out = need.out_on(OUT_SHARE, given.today)
    return None if runs_out is None else runs_out - timedelta(days=given.settings.transfer_days)


def _bulk(found: OneOff | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "size_from": round(found.size_from, 4),
        "a_year": round(found.a_year, 2),
        "typical": round(found.typical, 4),
        "share_of_units": round(found.share_of_units, 4),
    }
