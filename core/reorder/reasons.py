"""Why a vendor is recommended, or why not: one sentence a row, naming what decided."""

from collections.abc import Sequence
from decimal import Decimal

from core.reorder.candidates import ZERO, Costed

PARTS = ("shortage", "goods", "freight", "order_cost", "holding")


def why(row: Costed, rows: Sequence[Costed], preferred_vendor_id: int | None) -> str:
    """The sentence of one row among all of them, the best first, which has a total."""
    if row.total is None:
        return no_price(row.quantity)
    best = rows[0]
    chosen = next(one for one in rows if one.is_recommended)
    if row.is_recommended and row.vendor_id == preferred_vendor_id:
        said = _by_hand(row, best)
    elif row.is_best:
        said = _best(row, rows)
        if not row.is_recommended:
            said += f" {chosen.name} is chosen by hand."
        elif preferred_vendor_id is not None:
            said += " The vendor chosen by hand has no price now."
    else:
        said = _beaten(row, rows)
    if row.is_recommended and row.below_minimum:
        said += f" {_below(row)}"
    if row.is_recommended and row.shortage is None:
        said += " What waiting would cost is not counted."
    if row.is_recommended and row.is_expired:
        said += f" Its price was valid until {row.candidate.valid_until}."
    return said


def no_price(quantity: Decimal) -> str:
    return f"No price for {pieces(quantity)}."


def pieces(quantity: Decimal) -> str:
    """12, 2.5."""
    return f"{quantity.normalize():f}" if quantity else "0"


def amount(value: Decimal) -> str:
    """Money with two decimals, a price below with as many as it has, at most four."""
    exact = value.quantize(Decimal("0.0001"))
    said = f"{exact:,.4f}".rstrip("0")
    whole, _, decimals = said.partition(".")
    return f"{whole}.{decimals:0<2}"


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def cheapest(rows: Sequence[Costed]) -> Costed:
    """The row with the lowest unit price; of several the one with the lowest total."""
    priced = [row for row in rows if row.total is not None]
    return min(priced, key=lambda row: (row.unit_price, row.total))


def _by_hand(row: Costed, best: Costed) -> str:
    if row.is_best:
        return "Chosen by hand, and the best in all."
    if row.total > best.total:
        return f"Chosen by hand; {amount(row.total - best.total)} dearer than {best.name}."
    return f"Chosen by hand; {best.name} would take the order as it is."


def _best(row: Costed, rows: Sequence[Costed]) -> str:
    rivals = [one for one in rows if one.total is not None and one.vendor_id != row.vendor_id]
    if not rivals:
        return "The only vendor with a price."
    low = cheapest(rows)
    if low.vendor_id == row.vendor_id:
        second = rivals[0]
        saved = second.total - row.total
        soonest = row.arrives_on <= min(one.arrives_on for one in rivals)
        end = ", and the soonest." if soonest else "."
        if saved > 0:
            return f"Cheapest a piece, {amount(saved)} less in all than {second.name}{end}"
        return f"Cheapest a piece{end}"
    dearer = f"{amount(row.unit_price - low.unit_price)} a piece dearer than {low.name}"
    if low.below_minimum and not row.below_minimum:
        return f"{dearer}, which takes no order of less than {amount(low.candidate.order_minimum)}."
    return f"{dearer}, but {_advantage(row, low)}."


def _beaten(row: Costed, rows: Sequence[Costed]) -> str:
    best = rows[0]
    if row.below_minimum and not best.below_minimum:
        return _below(row)
    more = row.total - best.total
    in_all = f"{amount(more)} dearer in all" if more else "no cheaper in all"
    if row.vendor_id == cheapest(rows).vendor_id and row.unit_price < best.unit_price:
        less = amount(best.unit_price - row.unit_price)
        return f"Cheapest a piece, {less} less than {best.name}, but {_drawback(row, best)}: {in_all}."
    return f"{_first_upper(_drawback(row, best))}: {in_all} than {best.name}."


def _below(row: Costed) -> str:
    return (
        f"{amount(row.below_minimum)} below the order minimum of {amount(row.candidate.order_minimum)}: "
        "it is taken only with other lines."
    )


def _decisive(winner: Costed, loser: Costed) -> tuple[str, Decimal]:
    """The part of the total by which the winner gains most, and how much."""
    gains = {part: (getattr(loser, part) or ZERO) - (getattr(winner, part) or ZERO) for part in PARTS}
    part = max(PARTS, key=lambda name: gains[name])
    return part, gains[part]


def _advantage(row: Costed, other: Costed) -> str:
    part, gain = _decisive(row, other)
    sooner = (other.arrives_on - row.arrives_on).days
    said = amount(gain)
    if gain <= 0:
        return f"arrives {days(sooner)} sooner" if sooner > 0 else "the same in all"
    if part == "shortage" and sooner > 0:
        return f"arrives {days(sooner)} sooner: waiting would cost about {said} in lost sales"
    if part == "shortage":
        return f"less is lost for want of stock: about {said} in sales"
    if part == "holding":
        return (
            f"{pieces(row.quantity)} can be ordered instead of {pieces(other.quantity)}: keeping the rest "
            f"would cost {said}"
        )
    return f"spares {said} of {_NAMES[part]}"


def _drawback(row: Costed, best: Costed) -> str:
    part, loss = _decisive(best, row)
    later = (row.arrives_on - best.arrives_on).days
    said = amount(loss)
    if loss <= 0:
        return f"arrives {days(later)} later" if later > 0 else f"nothing speaks for it against {best.name}"
    if part == "shortage" and later > 0:
        return f"arrives {days(later)} later, which would cost about {said} in lost sales"
    if part == "shortage":
        return f"more is lost for want of stock, about {said} in sales"
    if part == "holding":
        return f"{pieces(row.quantity)} have to be ordered, and keeping the rest would cost {said}"
    if part == "goods":
        return f"{amount(row.unit_price - best.unit_price)} a piece dearer"
    return f"{said} more of {_NAMES[part]}"


_NAMES = {"freight": "freight", "order_cost": "work with the order", "goods": "goods"}


def _first_upper(said: str) -> str:
    return said[:1].upper() + said[1:]
