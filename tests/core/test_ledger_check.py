"""The nightly check says where the ledger is broken, keeps it, and lets go of what is whole again.

Each test breaks the ledger as nobody can who is not the database's owner, in a transaction that is undone.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import alerts, job_runs, ledger_check, ledger_words, stock
from db.models import Alert, LedgerFault, Movement
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
TONIGHT = (NOW, NOW.date())
TOMORROW = (NOW + timedelta(days=1), NOW.date() + timedelta(days=1))


@pytest.fixture(scope="module")
def owners_engine(make_database):
    with make_database() as url:
        engine = sa.create_engine(url.replace("runout_app@", "postgres@"))
        yield engine
        engine.dispose()


@pytest.fixture
def session(owners_engine):
    """The database's owner, for whom no trigger and no foreign key stands in the way."""
    with owners_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as opened:
            yield opened
        outer.rollback()


@pytest.fixture
def movements(session):
    """Ids of a lamp's movements by what they are; its stock ends at 17 in MAIN and 2 in BER."""
    actor, main, berlin = an_actor(session), a_warehouse(session, "MAIN"), a_warehouse(session, "BER")
    lamp = a_product(session, sku="LAMP")

    def at(days):
        return {"occurred_at": NOW - timedelta(days=days)}

    booked = {
        "opening": stock.add(session, actor, lamp.id, main.id, 20, reason_code="opening", **at(9)),
        "sale": stock.remove(session, actor, lamp.id, main.id, 3, reason_code="sale", **at(8)),
        "other sale": stock.remove(session, actor, lamp.id, main.id, 1, reason_code="sale", **at(7)),
        "return": stock.add(session, actor, lamp.id, main.id, 3, reason_code="return", **at(6)),
        "receipt": stock.add(session, actor, lamp.id, main.id, 5, **at(5)),
    }
    booked["reversal"] = stock.reverse(session, actor, booked["receipt"].lines[0].movement_id)
    moved = stock.transfer(session, actor, lamp.id, main.id, berlin.id, 2, **at(0))
    ids = {name: posting.lines[0].movement_id for name, posting in booked.items()}
    out, into = sorted(moved.lines, key=lambda line: line.after - line.before)
    ids |= {"out": out.movement_id, "into": into.movement_id}
    ids |= {"posting of the sale": booked["sale"].posting_id}
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    return ids


def do(session, *statements, **params):
    for statement in statements:
        session.execute(sa.text(statement), params)
    session.expire_all()


def check(session, night=TONIGHT):
    found = ledger_check.look(session)
    ledger_check.keep(session, found, *night)
    return found.totals


def kept(session):
    """The sentences of the open faults by rule, as the page lists them."""
    said = {}
    for fault in ledger_check.report(session).faults:
        said.setdefault(fault.rule, []).append(fault.message)
    return said


MAIN = "warehouse_id = (SELECT id FROM warehouse WHERE code = 'MAIN')"
DAY = f"UPDATE stock_day SET {{}} WHERE {MAIN} AND day = '2026-11-{{}}'"
BREAKS = {
    "on hand is not the sum": (
        ["UPDATE stock_level SET quantity = quantity + 2 WHERE " + MAIN],
        ["UPDATE stock_level SET quantity = quantity - 2 WHERE " + MAIN],
        {
            "level_is_not_the_sum": ["LAMP in MAIN: on hand says 19, its movements sum to 17."],
            "level_is_not_the_last_closing": ["LAMP in MAIN: on hand says 19, its last day closed with 17."],
        },
    ),
    "below zero": (
        ["ALTER TABLE stock_level DROP CONSTRAINT ck_stock_level_quantity",
         "UPDATE stock_level SET quantity = -2.5 WHERE " + MAIN],
        ["UPDATE stock_level SET quantity = 17 WHERE " + MAIN],
        {
            "level_is_not_the_sum": ["LAMP in MAIN: on hand says -2.5, its movements sum to 17."],
            "level_is_not_the_last_closing":
                ["LAMP in MAIN: on hand says -2.5, its last day closed with 17."],
            "negative": ["LAMP in MAIN: on hand is -2.5."],
        },
    ),
    "a movement below zero": (
        ["ALTER TABLE movement DROP CONSTRAINT ck_movement_stock",
         "UPDATE movement SET stock_after = -1 WHERE id = :out"],
        ["UPDATE movement SET stock_after = 17 WHERE id = :out"],
        {
            "broken_chain": ["LAMP in MAIN: movement {out} changes 19 by -2 and ends at -1."],
            "negative": ["LAMP in MAIN: movement {out} leaves -1."],
        },
    ),
    "the last day closes with something else": (
        [DAY.format("closing = closing + 1, other = other + 1", 20)],
        [DAY.format("closing = closing - 1, other = other - 1", 20)],
        {"level_is_not_the_last_closing": ["LAMP in MAIN: on hand says 17, its last day closed with 18."]},
    ),
    "days that do not add up": (
        [DAY.format("closing = closing + 1", 12)],
        [DAY.format("closing = closing - 1", 12)],
        {
            "broken_days": [
                "LAMP in MAIN: 12 Nov 2026 closes with 18, but 20 before it, 0 in, 0 sold and -3 of other"
                " kinds make 17; and 1 more day.",
            ]
        },
    ),
    "demand": (
        [DAY.format("demand = demand + 1, other = other + 1", 13)],
        [DAY.format("demand = demand - 1, other = other - 1", 13)],
        {"demand_is_not_the_sum":
            ["LAMP in MAIN: the demand of 13 Nov 2026 says 2, its movements sum to 1."]},
    ),
    "demand below zero": (
        [DAY.format("demand = demand - 2, other = other - 2", 13)],
        [DAY.format("demand = demand + 2, other = other + 2", 13)],
        {
            "demand_is_not_the_sum":
                ["LAMP in MAIN: the demand of 13 Nov 2026 says -1, its movements sum to 1."],
            "negative_demand": ["LAMP in MAIN: the demand of 13 Nov 2026 is -1."],
        },
    ),
    "a gap in the chain": (
        ["UPDATE movement SET stock_before = 20, stock_after = 18 WHERE id = :out"],
        ["UPDATE movement SET stock_before = 19, stock_after = 17 WHERE id = :out"],
        {"broken_chain": ["LAMP in MAIN: movement {out} starts from 20, where 19 was left."]},
    ),
    "a lone leg": (
        ["UPDATE movement SET counterpart_id = NULL WHERE id = :out"],
        ["UPDATE movement SET counterpart_id = :into WHERE id = :out"],
        {
            "unbalanced_transfers": [
                "LAMP in BER: movement {into} transfers 2, and movement {out} is not its other leg.",
                "LAMP in MAIN: movement {out} transfers -2 without another leg.",
            ]
        },
    ),
    "a leg whose other one is missing": (
        ["UPDATE movement SET counterpart_id = 999999 WHERE id = :out"],
        ["UPDATE movement SET counterpart_id = :into WHERE id = :out"],
        {
            "unbalanced_transfers": [
                "LAMP in BER: movement {into} transfers 2, and movement {out} is not its other leg.",
                "LAMP in MAIN: movement {out} transfers -2, and its other leg, movement 999999, is missing.",
            ]
        },
    ),
    "orphans": (
        ["UPDATE movement SET posting_id = 999999 WHERE id = :sale"],
        ["UPDATE movement SET posting_id = :posting WHERE id = :sale"],
        {
            "orphans": [
                "Posting {posting} (remove) has no movements.",
                "LAMP in MAIN: movement {sale} belongs to posting 999999, which is missing.",
            ]
        },
    ),
    "a reversal of something else": (
        ["UPDATE movement SET reverses_id = :opening WHERE id = :reversal"],
        ["UPDATE movement SET reverses_id = :receipt WHERE id = :reversal"],
        {
            "wrong_reversals": [
                "LAMP in MAIN: movement {reversal} reverses movement {opening}, a change of 20, by -5."
            ]
        },
    ),
    "reversed twice": (
        ["DROP INDEX uq_movement_reverses_id",
         "UPDATE movement SET reverses_id = :receipt WHERE id = :out"],
        ["UPDATE movement SET reverses_id = NULL WHERE id = :out"],
        {
            "wrong_reversals": [
                "LAMP in MAIN: movement {out} reverses movement {receipt}, a change of 5, by -2."
            ]
        },
    ),
    "returned twice": (
        ["UPDATE movement SET returns_id = :other WHERE id = :return"],
        ["UPDATE movement SET returns_id = :sale WHERE id = :return"],
        {"returned_twice": ["LAMP in MAIN: movement {other} sold 1, and 3 came back."]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_each_broken_rule_is_told_with_its_place_and_forgotten_when_it_is_whole_again(
    session, movements, name
):
    broken, healed, said = BREAKS[name]
    ids = movements | {"other": movements["other sale"], "posting": movements["posting of the sale"]}
    do(session, *broken, **ids)
    totals = check(session)
    assert kept(session) == {rule: [m.format(**ids) for m in messages] for rule, messages in said.items()}
    assert set(totals) == set(said)
    do(session, *healed, **ids)
    assert check(session, TOMORROW) == {}
    assert kept(session) == {}
    assert session.scalars(sa.select(LedgerFault.gone_at).distinct()).all() == [TOMORROW[0]]
    assert {alert.state for alert in session.scalars(sa.select(Alert))} == {"resolved"}


def test_a_movement_reversed_twice_by_the_same_change_is_told_once(session, movements):
    do(
        session,
        "DROP INDEX uq_movement_reverses_id",
        "INSERT INTO movement (id, posting_id, product_id, warehouse_id, type, reason_code, change,"
        " stock_before, stock_after, occurred_at, day, reverses_id)"
        " SELECT id + 100, posting_id, product_id, warehouse_id, type, reason_code, change,"
        " 17, 12, occurred_at, day, reverses_id FROM movement WHERE id = :reversal",
        **movements,
    )
    assert check(session)["wrong_reversals"] == 1
    (said,) = kept(session)["wrong_reversals"]
    again = f"movement {movements['reversal'] + 100} reverses movement {movements['receipt']}"
    assert said == f"LAMP in MAIN: {again}, which was reversed before."


def test_what_names_a_product_that_is_gone_is_kept_without_it(session, movements):
    do(session, "UPDATE movement SET product_id = 999999 WHERE id = :opening", **movements)
    totals = check(session)
    assert "movement" in kept(session)["broken_chain"][0]
    assert totals["level_is_not_the_sum"] == 2
    assert "On hand says 0, its movements sum to 20." in kept(session)["level_is_not_the_sum"]


@pytest.mark.usefixtures("movements")
def test_a_fault_keeps_the_night_that_saw_it_first(session):
    do(session, "UPDATE stock_level SET quantity = quantity + 2 WHERE " + MAIN)
    check(session)
    do(session, "UPDATE stock_level SET quantity = quantity + 1 WHERE " + MAIN)
    check(session, TOMORROW)
    fault = ledger_check.report(session).faults[0]
    assert (fault.first_seen_at, fault.last_seen_at) == (NOW, TOMORROW[0])
    assert fault.message == "LAMP in MAIN: on hand says 20, its movements sum to 17."
    assert (fault.sku, fault.warehouse_code, fault.movement_id) == ("LAMP", "MAIN", None)


@pytest.mark.usefixtures("movements")
def test_of_many_places_the_known_ones_stay_until_they_are_whole(session, monkeypatch):
    monkeypatch.setattr(ledger_check, "MOST_PLACES", 3)
    place, rule = the_warehouse(session), "level_is_not_the_sum"
    lamps = [a_product(session, 5, sku=f"Z-{n}") for n in range(1, 6)]
    wrong = "UPDATE stock_level SET quantity = 4 WHERE product_id = ANY(:ids)"
    do(session, wrong, ids=[lamp.id for lamp in lamps[1:]])
    assert check(session)[rule] == 4
    assert [m[:3] for m in kept(session)[rule]] == ["Z-2", "Z-3", "Z-4"]
    first_seen = {f.sku: f.first_seen_at for f in ledger_check.report(session).faults}
    do(session, wrong, ids=[lamps[0].id])  # before the known ones in every order but that of knowing
    do(session, "UPDATE stock_level SET quantity = 5 WHERE product_id = :id", id=lamps[2].id)
    assert check(session, TOMORROW)[rule] == 4
    assert [m[:3] for m in kept(session)[rule]] == ["Z-1", "Z-2", "Z-4"]
    (second,) = (f for f in ledger_check.report(session).faults if (f.sku, f.rule) == ("Z-2", rule))
    assert second.first_seen_at == first_seen["Z-2"] == NOW
    assert place.code == second.warehouse_code


def test_each_product_with_a_fault_has_one_alert_and_what_has_no_product_another(session, movements):
    do(
        session,
        "UPDATE stock_level SET quantity = quantity + 2 WHERE " + MAIN,
        "UPDATE movement SET posting_id = 999999 WHERE id = :sale",
        **movements,
    )
    check(session)
    found, total = alerts.listing(session, type="ledger", today=NOW.date())
    assert total == 2
    by_sku = {alert.sku: alert for alert in found}
    posting = movements["posting of the sale"]
    assert by_sku[None].message == f"Posting {posting} (remove) has no movements"
    assert (by_sku[None].product_uid, by_sku[None].product_name, by_sku[None].severity) == (
        None, None, "critical",
    )  # fmt: skip
    assert by_sku["LAMP"].message.endswith("; and 2 more")
    check(session, TOMORROW)
    assert alerts.listing(session, type="ledger", today=NOW.date())[1] == 2


def test_the_report_tells_when_it_was_checked_and_whether_it_was_sound(session):
    assert ledger_check.report(session) == ledger_check.Report(None, None, {}, [])

    def a_run(days, end):
        at = NOW + timedelta(days=days)
        job_runs.enqueue(session, "check_ledger", at)
        end(job_runs.claim(session, "test", ["check_ledger"], at), at)
        return ledger_check.report(session)

    sound = a_run(0, lambda claimed, at: job_runs.finish(session, claimed, at, {}))
    assert (sound.checked_at, sound.is_sound, sound.totals) == (NOW, True, {})
    broken = a_run(1, lambda claimed, at: job_runs.fail(session, claimed, at, "bad", {"broken_chain": 7}))
    assert (broken.is_sound, broken.totals) == (False, {"broken_chain": 7})
    crashed = a_run(2, lambda claimed, at: job_runs.fail(session, claimed, at, "The disk is full."))
    assert (crashed.checked_at, crashed.is_sound) == (NOW + timedelta(days=1), False)


def test_every_rule_has_a_promise_and_a_sentence(session):
    from db import queries

    (counted,) = queries.rows(session, "ledger_faults")
    assert set(ledger_words.RULES) == set(counted) == set(ledger_words._WORDS)


@pytest.mark.usefixtures("movements")
def test_a_sound_ledger_is_asked_one_question_and_nothing_is_kept(session):
    asked = []
    sa.event.listen(session.connection(), "before_cursor_execute", lambda *a: asked.append(a[2]))
    assert ledger_check.look(session) == ledger_check.Found({}, ())
    assert len(asked) == 1
    assert session.scalar(sa.select(sa.func.sum(Movement.change))) == Decimal(19)
