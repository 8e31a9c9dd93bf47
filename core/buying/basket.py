"""What else to order of a vendor now, because it is needed next and reaches a limit that pays."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import advice_choices, advice_lines, buying_settings, order_lines, vendors
from core.buying.advice_choices import Choice
from core.buying.advice_lines import Line
from core.buying.buying_settings import Settings
from core.errors import RuleBroken
from core.reorder import comparison, filler, quantities
from core.reorder.filler import Addition, Item, Limit
from db.models import Vendor

ZERO = Decimal(0)


@dataclass(frozen=True)
class Extra:
    """A line to add: how much of what, needed when anyway, and what it costs. `advice_uid` is the line's.

    `quantity` is the whole quantity of the line afterwards; `covers_days` how long all there is lasts then.
    """

    advice_uid: uuid.UUID
    sku: str
    name: str
    added: Decimal
    quantity: Decimal
    value: Decimal
    needed_on: date | None
    covers_days: int | None


@dataclass(frozen=True)
class Filling:
    """What a basket filler suggests for one vendor. Money is in the shop's currency.

    `target`: "order minimum", "free freight" or "price step" (more of lines that it has already), None when
    there is no limit or all are reached. `value`: of the order as it stands, `filled_value`: with the extras;
    `saves`: freight not paid or lower prices, `holding`: what lying longer costs, `gain`: what is left of it.
    Without `extras` the `sentence` says why nothing is to be added.
    """

    vendor_uid: uuid.UUID
    vendor: str
    target: str | None
    target_value: Decimal | None
    value: Decimal
    filled_value: Decimal
    extras: tuple[Extra, ...]
    saves: Decimal
    holding: Decimal
    gain: Decimal
    sentence: str


@dataclass(frozen=True)
class Taken:
    """Extras that were taken over, with what had been chosen of their lines before."""

    lines: tuple[tuple[uuid.UUID, Choice], ...]


def suggest(
    session: Session,
    vendor_uid: uuid.UUID | str,
    today: date,
    *,
    horizon_days: int = 0,
    left_out: Sequence[uuid.UUID | str] = (),
) -> Filling:
    """What to add to the vendor's lines of the horizon so that its minimum or free freight is reached.

    `left_out`: lines that are not ordered now (not ticked); they are not added either. It looks only: `take`
    takes the extras over.
    """
    vendor = vendors.by_uid(session, vendor_uid)
    skipped = {str(uid) for uid in left_out}
    settings = buying_settings.get(session)
    ahead = settings.most_cover_days
    found = advice_lines.lines(
        session, today, vendor_uid=vendor.uid, horizon_days=ahead, action="order", limit=None
    ).rows
    lines = [line for line in found if str(line.uid) not in skipped]
    now = [line for line in lines if _is_now(line, today, horizon_days)]
    value = sum((line.value for line in now), ZERO)
    later = [line for line in lines if line not in now and not line.is_edited and line.next_quantity > 0]
    items = _items(session, vendor, later, today, settings.most_cover_days)
    best = _best(vendor, value, items, {line.uid: line for line in later}, settings.holding_percent)
    return best if best.extras else _stepped(session, vendor, best, now, today, settings)


def take(
    session: Session,
    actor: Actor,
    vendor_uid: uuid.UUID | str,
    now: datetime,
    today: date,
    *,
    horizon_days: int = 0,
    left_out: Sequence[uuid.UUID | str] = (),
) -> Taken:
    """Add what is suggested: the extras become lines with a chosen quantity. Refuses when nothing is."""
    auth.must(actor, "buy")
    filling = suggest(session, vendor_uid, today, horizon_days=horizon_days, left_out=left_out)
    if not filling.extras:
        raise RuleBroken(filling.sentence)
    return Taken(
        tuple(
            (
                extra.advice_uid,
                advice_choices.edit(session, actor, extra.advice_uid, now, quantity=extra.quantity,
                                    is_asked_for=True),
            )
            for extra in filling.extras
        )
    )  # fmt: skip


def undo(session: Session, actor: Actor, taken: Taken, now: datetime) -> None:
    """Take the extras out again."""
    auth.must(actor, "buy")
    for advice_uid, choice in taken.lines:
        advice_choices.restore(session, actor, advice_uid, choice, now)


def _is_now(line: Line, today: date, horizon_days: int) -> bool:
    is_near = line.needed_on is not None and (line.needed_on - today).days <= horizon_days
    return is_near or (line.is_edited and line.quantity > 0)


def _items(
    session: Session,
    vendor: Vendor,
    later: Sequence[Line],
    today: date,
    most_cover_days: int,
    *,
    ordered: bool = False,
) -> list[Item]:
    """What is needed next, or (`ordered`) is ordered, as it may be ordered, in the shop's money."""
    quotes = order_lines.quotes(session, vendor.id, [line.product_id for line in later], today)
    items = []
    for line in later:
        quote = quotes.get(line.product_id)
        wanted = line.quantity if ordered else line.next_quantity
        if quote is None or wanted <= 0 or (line.needed_on is None and not ordered):
            continue
        terms = quantities.terms(
            quote.minimum, quote.multiple, quote.steps, exchange_rate=vendor.exchange_rate,
            decimals=max(-wanted.normalize().as_tuple().exponent, 0),
        )  # fmt: skip
        rate = line.daily_rate or ZERO
        most = quantities.most_pieces(rate, most_cover_days, line.on_hand + line.due) if rate else None
        days = (line.needed_on - today).days if line.needed_on else 0
        items.append(Item(line.uid, line.sku, wanted, days, terms, most))
    return items


def _best(
    vendor: Vendor,
    value: Decimal,
    items: Sequence[Item],
    lines: dict[uuid.UUID, Line],
    holding_percent: Decimal,
) -> Filling:
    """The best of the limits that the order has not reached: one that pays, else the nearest."""
    rate = vendor.exchange_rate
    limits = filler.limits(
        value,
        order_minimum=comparison.in_shop_money(vendor.order_minimum, rate),
        free_freight_from=comparison.in_shop_money(vendor.free_freight_from, rate),
        freight_cost=comparison.in_shop_money(vendor.freight_cost, rate),
    )
    if not limits or not value:
        words = "The order reaches every limit of the vendor." if value else "Nothing is to be ordered now."
        return Filling(vendor.uid, vendor.name, None, None, value, value, (), ZERO, ZERO, ZERO, words)
    fillings = [filler.fill(value, items, limit, holding_percent) for limit in limits]
    paying = [filling for filling in fillings if filling.pays]
    best = max(paying, key=lambda one: one.net) if paying else fillings[0]
    extras = tuple(_extra(addition, lines[addition.key]) for addition in best.additions)
    limit: Limit = best.limit
    return Filling(
        vendor_uid=vendor.uid,
        vendor=vendor.name,
        target=limit.kind,
        target_value=comparison.money(limit.value),
        value=value,
        filled_value=value + sum((extra.value for extra in extras), ZERO),
        extras=extras,
        saves=limit.saves or ZERO,
        holding=best.holding,
        gain=best.net,
        sentence=best.words,
    )


def _stepped(
    session: Session, vendor: Vendor, otherwise: Filling, now: Sequence[Line], today: date, settings: Settings
) -> Filling:
    """More of lines of the order, where a price step spares more than keeping the extra pieces costs."""
    lines = {line.uid: line for line in now if line.state == "open"}
    added = []
    for item in _items(session, vendor, list(lines.values()), today, settings.most_cover_days, ordered=True):
        addition = filler.up_a_step(item, settings.holding_percent, lines[item.key].daily_rate or ZERO)
        if addition is not None:
            added.append(addition)
    if not added:
        return otherwise
    saves, holding = (sum((getattr(one, name) for one in added), ZERO) for name in ("saves", "holding"))
    return Filling(
        vendor_uid=vendor.uid,
        vendor=vendor.name,
        target=filler.PRICE_STEP,
        target_value=None,
        value=otherwise.value,
        filled_value=otherwise.value + sum((one.value for one in added), ZERO),
        extras=tuple(_extra(one, lines[one.key], lines[one.key].quantity) for one in added),
        saves=saves,
        holding=holding,
        gain=saves - holding,
        sentence=". ".join(one.words for one in added) + ".",
    )


def _extra(addition: Addition, line: Line, had: Decimal = ZERO) -> Extra:
    there = line.on_hand + line.due + had + addition.quantity
    covers = int(there / line.daily_rate) if line.daily_rate else None
    return Extra(
        line.uid, line.sku, line.name, addition.quantity, had + addition.quantity, addition.value,
        line.needed_on, covers,
    )  # fmt: skip
