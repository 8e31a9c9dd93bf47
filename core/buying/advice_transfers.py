"""Stock that a warehouse can spare for another one vendors deliver to: a transfer instead of an order."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from core.buying import advice_plan
from core.buying.advice_inputs import Shop
from core.buying.advice_needs import ZERO
from core.buying.advice_plan import Plan
from core.reorder import comparison, transfers
from core.reorder.transfers import Giver

Taken = dict[tuple[int, int], Decimal]
"""What is spared already, by product and warehouse."""


def instead(
    given: Shop, made: Plan, of_product: Sequence[Plan], cumulative: np.ndarray | None, taken: Taken
) -> None:
    """Let a need be met from another warehouse where that is better than ordering.

    Only where one warehouse can spare all of it: a part would need an order besides, and the part is asked
    for again once that is under way. `of_product`: the plans of the same product in all places. What is
    spared is noted in `taken`, so that nobody gives it twice.
    """
    if made.wanted <= 0 or len(of_product) < 2:
        return
    givers = [_giver(given, other, taken) for other in of_product if other is not made]
    move = transfers.best_move(
        [giver for giver in givers if giver.spare >= made.wanted],
        advice_plan.need_of(given, made, cumulative),
        comparison.recommended(made.rows),
        transfer_cost=given.settings.transfer_cost,
        transfer_days=given.settings.transfer_days,
    )
    if move is not None:
        made.move, made.quantity, made.rounded = move, ZERO, ZERO
        pair = made.need.product_id, move.warehouse_id
        taken[pair] = taken.get(pair, ZERO) + move.quantity


def _giver(given: Shop, other: Plan, taken: Taken) -> Giver:
    """What lies in a warehouse that vendors deliver to beyond the level of all it supplies."""
    need = other.need
    lying = given.lying.get(need.product_id, {}).get(need.warehouse_id)
    level = max(other.level, need.threshold or ZERO)
    spare = min(
        transfers.spare(need.on_hand, level, need.decimals),
        lying.on_hand if lying is not None else ZERO,
    )
    gone = taken.get((need.product_id, need.warehouse_id), ZERO)
    return Giver(need.warehouse_id, given.codes[need.warehouse_id], max(spare - gone, ZERO))
