"""Who watches stock and ledger: raises alerts, wakes sleepers and resolves what no longer holds.

At most one alert of a type is open per product; an index keeps that, whoever else is at work. Whoever
watches leaves alone what somebody else is changing at this moment: the next look, within the hour, finds what
is left.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from sqlalchemy import TextClause, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import alert_findings, alert_rules, shop
from core.alert_findings import Key, Look
from core.alert_rules import ANOMALY, LEDGER, LOW_STOCK, PREDICTED
from db.models import Alert

T = TypeVar("T")
log = logging.getLogger("runout.alerts")
ROWS_AT_ONCE = 1000
# How long to wait for somebody who raises an alert of the same product and has not committed yet. A booking
# must not be held up by alerts, nor the watch by an import that books for minutes.
PATIENCE_OF_A_BOOKING = "100ms"
PATIENCE_OF_THE_WATCH = "500ms"
NO_LOCK = {"55P03", "40P01"}
# Many rows in one statement: row by row, people's clicks would wait for the watch of a large shop.
_WRITE = text(
    "UPDATE alert AS a SET severity = n.severity, state = n.state, message = n.message, figures = n.figures,"
    " chance = n.chance, money_at_risk = n.money_at_risk, changed_at = n.changed_at,"
    " acknowledged_by = n.acknowledged_by, acknowledged_at = n.acknowledged_at,"
    " snoozed_until = n.snoozed_until, snoozed_chance = n.snoozed_chance"
    " FROM jsonb_populate_recordset(CAST(NULL AS alert), CAST(:rows AS jsonb)) AS n WHERE a.id = n.id"
)
_CLOSE = text(
    "UPDATE alert AS a SET state = 'resolved', resolved_at = n.resolved_at,"
    " resolved_because = n.resolved_because"
    " FROM jsonb_populate_recordset(CAST(NULL AS alert), CAST(:rows AS jsonb)) AS n WHERE a.id = n.id"
)
_PATIENCE = text("SELECT current_setting('lock_timeout')")
_SET_PATIENCE = text("SELECT set_config('lock_timeout', :patience, true)")


class Moved(Protocol):
    """A line of a booking: on hand in the warehouse before and after."""

    product_id: int
    warehouse_id: int
    before: Decimal
    after: Decimal


# -- The watches ---------------------------------------------------------------------------------------------


def raise_all(session: Session, now: datetime, today: date) -> dict[str, int]:
    """Raise what holds and has no alert, bring open alerts up to date, wake those whose time came.

    Answers how many were raised, changed in severity, woken, and held back as quiet.
    """
    raised = changed = woken = quiet = 0
    for look in _everything(session, today):
        new = alert_findings.unheard(look)
        for start in range(0, len(new), ROWS_AT_ONCE):
            some = new[start : start + ROWS_AT_ONCE]
            raised += _patiently(
                session,
                PATIENCE_OF_THE_WATCH,
                lambda look=look, some=some: _raise(session, look, some, now),
                otherwise=0,
            )
        more_changed, more_woken = _bring_up_to_date(session, look, now, today)
        changed, woken = changed + more_changed, woken + more_woken
        quiet += sum(key not in look.open for key in look.findings) - len(new)
    return {"raised": raised, "changed": changed, "woken": woken, "quiet": quiet}


def auto_resolve(session: Session, now: datetime, today: date) -> dict[str, int]:
    """Resolve the alerts whose condition no longer holds, with the reason; wake those whose time came.

    A quiet one whose condition cleared may speak again next time. Answers how many were resolved, cleared of
    their quiet, and woken.
    """
    resolved = cleared = woken = 0
    for look in _everything(session, today):
        resolved += _resolve(session, look, now)
        cleared += _clear_quiet(session, look)
        due = {
            key
            for key, alert in look.open.items()
            if alert_findings.next_state(look, key, alert, today) != alert.state
        }
        woken += _bring_up_to_date(session, look, now, today, only=due)[1]
    return {"resolved": resolved, "cleared": cleared, "woken": woken}


def _everything(session: Session, today: date) -> Iterator[Look]:
    """All that alerts are about, one kind of question after the other."""
    yield alert_findings.look(session, None, today, (LOW_STOCK, PREDICTED))
    yield alert_findings.look_for_odd(session, None)


def look_at_ledger(session: Session, now: datetime, today: date) -> None:
    """Raise, change and resolve the alerts about the ledger by the faults that are open."""
    look = alert_findings.look_for_odd(session, None, (LEDGER,))
    _patiently(session, PATIENCE_OF_THE_WATCH, lambda: _settle(session, look, now, today), otherwise=None)


def look_at(session: Session, product_ids: Sequence[int], now: datetime, today: date) -> None:
    """Raise, change and resolve low_stock alerts of these products at once; all alerts of retired ones end.

    Resolving does not wait for the six-hourly watch: an alert that stays after the shelf was filled is how
    people learn to overlook them. Call it after whatever moves stock or a threshold. It never raises for a
    reason of its own: what goes wrong here is undone alone and left to the hourly watch.
    """
    _beside(session, product_ids, lambda: _look_at(session, product_ids, now, today))


def look_at_findings(session: Session, product_ids: Sequence[int], now: datetime) -> None:
    """Raise, change and resolve the alerts about odd movements of these products at once.

    Call it after whatever raises or decides findings, flushed. Like `look_at` it never raises for a reason of
    its own.
    """

    def work() -> None:
        look = alert_findings.look_for_odd(session, product_ids, (ANOMALY,))
        _settle(session, look, now, shop.today(shop.get(session), now))

    _beside(session, product_ids, work)


def _beside(session: Session, product_ids: Sequence[int], work: Callable[[], None]) -> None:
    """Do the work on alerts beside what matters more; trouble with it is undone alone."""
    try:
        _patiently(session, PATIENCE_OF_A_BOOKING, work, otherwise=None)
    except Exception as trouble:
        if isinstance(trouble, DBAPIError) and trouble.connection_invalidated:
            raise  # the booking is lost with its connection, and must be known to be
        log.exception("The alerts of %s products could not be looked at", len(product_ids))


def after_booking(session: Session, lines: Iterable[Moved], thresholds: list[dict[str, Any]]) -> None:
    """Look at the products that a booking took over a line of their thresholds; most bookings take none.

    Args:
        thresholds: what `thresholds_of` in the database says about the booking.
    """
    if crossed := crossing(lines, thresholds):
        look_at_now(session, crossed)


def crossing(lines: Iterable[Moved], thresholds: list[dict[str, Any]]) -> set[int]:
    """The products that a booking took over a line of their thresholds."""
    before, after, changes = {}, {}, {}
    for line in lines:
        place = (line.product_id, line.warehouse_id)
        before.setdefault(place, line.before)
        after[place] = line.after
        changes[line.product_id] = changes.get(line.product_id, Decimal(0)) + line.after - line.before
    crossed = set()
    for known in thresholds:
        product_id = known["product_id"]
        if known["of_shop"] is not None:
            on_hand, of_shop = Decimal(known["on_hand"]), Decimal(known["of_shop"])
            if alert_rules.crosses(on_hand - changes[product_id], on_hand, of_shop):
                crossed.add(product_id)
        for warehouse_id, of_place in (known["of_places"] or {}).items():
            place = (product_id, int(warehouse_id))
            if place in after and alert_rules.crosses(before[place], after[place], Decimal(of_place)):
                crossed.add(product_id)
    return crossed


def look_at_now(session: Session, product_ids: Iterable[int]) -> None:
    """`look_at` with the moment and the day of now."""
    now = datetime.now(UTC)
    look_at(session, sorted(product_ids), now, shop.today(shop.get(session), now))


# -- Writing -------------------------------------------------------------------------------------------------


def _look_at(session: Session, product_ids: Sequence[int], now: datetime, today: date) -> None:
    look = alert_findings.look(session, product_ids, today, (LOW_STOCK,))
    _settle(session, look, now, today)
    if look.retired:
        rest = alert_findings.look(session, look.retired, today, (PREDICTED,))
        _resolve(session, rest, now)
        _clear_quiet(session, rest)


def _settle(session: Session, look: Look, now: datetime, today: date) -> None:
    _resolve(session, look, now)
    _clear_quiet(session, look)
    _bring_up_to_date(session, look, now, today)
    _raise(session, look, alert_findings.unheard(look), now)


def _raise(session: Session, look: Look, keys: Sequence[Key], now: datetime) -> int:
    """New alerts; where somebody else was quicker, theirs stays."""
    if not keys:
        return 0
    rows = [
        {
            "product_id": key[0],
            "type": key[1],
            "raised_at": now,
            "changed_at": now,
            **alert_findings.content(look, key),
        }
        for key in keys
    ]
    new = session.scalars(
        insert(Alert)
        .on_conflict_do_nothing(
            index_elements=["product_id", "type"], index_where=text("state <> 'resolved'")
        )
        .returning(Alert.id),
        rows,
    ).all()
    spoken = [look.quiet[key].id for key in keys if key in look.quiet]
    _stop_quiet(session, spoken)
    return len(new)


def _bring_up_to_date(
    session: Session, look: Look, now: datetime, today: date, only: set[Key] | None = None
) -> tuple[int, int]:
    """Write what changed about open alerts that still hold; how many changed in severity, and woke."""
    stale = [
        alert.id
        for key, alert in look.open.items()
        if key in look.findings
        and (only is None or key in only)
        and alert_findings.changes(look, alert, now, today)
    ]
    rows, changed, woken = [], 0, 0
    for alert in _locked(session, stale):
        severity, state = alert.severity, alert.state
        if values := alert_findings.changes(look, alert, now, today):
            changed += values["severity"] != severity
            woken += values["state"] != state
            rows.append(values)
    _write(session, _WRITE, rows)
    return changed, woken


def _resolve(session: Session, look: Look, now: datetime) -> int:
    """Resolve the open alerts whose condition does not hold."""
    over = [alert.id for key, alert in look.open.items() if key in look.over]
    rows = [
        {
            "id": alert.id,
            "resolved_at": now,
            "resolved_because": look.over[alert.product_id, alert.type],
        }
        for alert in _locked(session, over)
    ]
    _write(session, _CLOSE, rows)
    return len(rows)


def _clear_quiet(session: Session, look: Look) -> int:
    return _stop_quiet(session, [alert.id for key, alert in look.quiet.items() if key in look.over])


def _stop_quiet(session: Session, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    free = select(Alert.id).where(Alert.id.in_(ids)).order_by(Alert.id).with_for_update(skip_locked=True)
    found = session.scalars(free).all()
    session.execute(update(Alert).where(Alert.id.in_(found)).values(is_quiet=False))
    return len(found)


def _write(session: Session, statement: TextClause, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(statement, {"rows": json.dumps(rows, default=str)})


def _locked(session: Session, ids: Sequence[int]) -> Sequence[Alert]:
    """These alerts as they are now, locked; without those that somebody else holds or has resolved."""
    if not ids:
        return ()
    return session.scalars(
        select(Alert)
        .where(Alert.id.in_(ids), Alert.state != "resolved")
        .order_by(Alert.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _patiently(session: Session, patience: str, work: Callable[[], T], *, otherwise: T) -> T:
    """The answer of `work`, or `otherwise`, with nothing done, when it waited longer than that for a lock.

    Shorter than PostgreSQL takes to look for a deadlock: it ends any circle before anybody is its victim.
    """
    usual = session.scalar(_PATIENCE)
    try:
        with session.begin_nested():
            session.execute(_SET_PATIENCE, {"patience": patience})
            answer = work()
            session.execute(_SET_PATIENCE, {"patience": usual})
            return answer
    except DBAPIError as trouble:
        if getattr(trouble.orig, "pgcode", None) not in NO_LOCK:
            raise
        log.info("Left to the next look: somebody else raises an alert of one of these products.")
        return otherwise
