"""What was scanned is found again: by person, place, product, words and days, a page at a time."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import catalogue, corrections
from core.errors import BadInput, NotFound
from core.scanning import scan_history, scans
from db.models import Movement
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BOLT, LAMP = "4006381333931", "96385074"


@pytest.fixture(autouse=True)
def user(session):
    """Somebody with two products to scan."""
    the_warehouse(session)
    user = an_actor(session, "user")
    for code, name in ((BOLT, "M6 bolt"), (LAMP, "Desk lamp 100%")):
        product = a_product(session, 40, sku=name[:4].upper().strip(), name=name)
        catalogue.add_barcode(session, user, product.id, code)
    return user


def scan(session, actor, code=BOLT, mode="out", *, now=NOW, source="camera", **about):
    request = scans.Request(uuid.uuid4(), mode, code, source, **about)
    return scans.take(session, actor, request, now=now)


def codes(found):
    return list(found.code)


def test_the_last_scans_of_a_person_come_newest_first_with_what_they_did(session, user):
    scan(session, an_actor(session, "user"))
    for quantity in (1, 2, 3):
        scan(session, user, quantity=quantity)
    found = scan_history.recent(session, person_id=user.id, limit=2)
    assert list(found.quantity) == [3, 2]
    row = found.iloc[0]
    assert (row.sku, row.product_name, row.unit_of_measure) == ("M6 B", "M6 bolt", "each")
    assert (row.change, row.stock_before, row.stock_after, row.reason_code) == (-3, 36, 33, "issue")
    assert (row.person, row.warehouse_code, row.source) == (user.name, the_warehouse(session).code, "camera")
    assert row.scanned_at == NOW


def test_what_can_still_be_taken_back_is_said(session, user):
    looked = scan(session, user, mode="look_up")
    equal = scan(session, user, mode="count", quantity=40)
    there = a_warehouse(session)
    moved = scan(session, user, mode="transfer", quantity=2, to_warehouse_id=there.id)
    undone, reversed_, kept = (scan(session, user) for _ in range(3))
    scans.undo(session, user, undone.scan.uid, now=NOW)
    movement = session.scalar(sa.select(Movement.id).where(Movement.posting_id == reversed_.scan.posting_id))
    corrections.undo(session, an_actor(session), movement, now=NOW)
    found = scan_history.recent(session, person_id=user.id).set_index("scan_uid")
    can = {uid for uid, row in found.iterrows() if row.can_undo}
    assert can == {moved.scan.uid, kept.scan.uid}
    assert [uid for uid, row in found.iterrows() if row.is_reversed] == [reversed_.scan.uid]
    assert found.loc[undone.scan.uid].undone_at == NOW
    assert (found.loc[moved.scan.uid].change, found.loc[moved.scan.uid].to_warehouse_code) == (-2, there.code)
    for taken in (looked, equal):
        assert found.loc[taken.scan.uid].outcome == "found"
        assert found.loc[taken.scan.uid].change is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"mode": "in"}, ["3"]),
        ({"outcome": "unknown"}, ["4"]),
        ({"source": "wedge"}, ["2"]),
        ({"text": "lamp"}, ["2"]),
        ({"text": "100%"}, ["2"]),
        ({"text": "DESK"}, ["2"]),
        ({"text": "UNHEARD"}, ["4"]),
        ({"text": "400638133"}, ["3", "1"]),
        ({"since": NOW + timedelta(days=2)}, ["4", "3"]),
        ({"until": NOW + timedelta(days=1)}, ["1"]),
        ({"mode": "in", "text": "lamp"}, []),
    ],
    ids=[
        "mode",
        "outcome",
        "source",
        "name",
        "percent",
        "sku",
        "code",
        "part of a code",
        "since",
        "until",
        "both",
    ],
)
def test_filters_find_what_they_say(session, user, filters, expected):
    scan(session, user)
    scan(session, user, LAMP, source="wedge", now=NOW + timedelta(days=1))
    scan(session, user, mode="in", now=NOW + timedelta(days=2))
    scan(session, user, "Unheard-of", now=NOW + timedelta(days=3))
    days = [str((at - NOW).days + 1) for at in scan_history.history(session, **filters).scanned_at]
    assert days == expected


def test_a_place_is_found_as_where_from_and_where_to(session, user):
    there, elsewhere = a_warehouse(session), a_warehouse(session)
    scan(session, user)
    scan(session, user, mode="transfer", quantity=3, to_warehouse_id=there.id)
    scan(session, user, mode="count", quantity=3, warehouse_id=there.id)
    assert list(scan_history.history(session, warehouse_id=there.id)["mode"]) == ["count", "transfer"]
    assert scan_history.history(session, warehouse_id=elsewhere.id).empty


def test_products_and_people_are_told_apart(session, user):
    other = an_actor(session, "viewer")
    scan(session, user, LAMP)
    taken = scan(session, other, mode="look_up")
    assert codes(scan_history.history(session, product_id=taken.scan.product_id)) == [BOLT]
    assert codes(scan_history.history(session, person_id=other.id)) == [BOLT]
    assert codes(scan_history.history(session)) == [BOLT, LAMP]


def test_pages_follow_each_other_without_gap_or_double(session, user):
    for _ in range(7):
        scan(session, user, mode="look_up")
    everything = list(scan_history.history(session).scan_id)
    pages, before = [], None
    while len(page := scan_history.history(session, limit=3, before_id=before)):
        pages.append(list(page.scan_id))
        before = int(page.scan_id.iloc[-1])
    assert pages == [everything[:3], everything[3:6], everything[6:]]
    newer = scan_history.history(session, limit=3, after_id=everything[-1])
    assert list(newer.scan_id) == everything[3:6]


def test_a_page_of_nothing_has_its_columns(session):
    found = scan_history.history(session)
    assert found.empty
    assert {"scan_id", "scan_uid", "sku", "can_undo", "is_reversed", "said"} <= set(found.columns)


def test_a_receipt_of_an_order_and_a_lot_are_named(session, user):
    scan(session, user, f"01{BOLT:0>14}17270331\x1d10L7", "in")
    row = scan_history.history(session).iloc[0]
    assert (row.lot, str(row.expires_on), row.reference_type, row.reference_id) == (
        "L7",
        "2027-03-31",
        "scan",
        BOLT,
    )


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"mode": "eat"}, BadInput), ({"outcome": "x"}, BadInput), ({"source": "x"}, BadInput),
        ({"limit": 0}, BadInput), ({"text": "x" * 300}, BadInput), ({"text": "\x00"}, BadInput),
        ({"person_id": 10**12}, NotFound), ({"warehouse_id": -1}, NotFound),
        ({"before_id": 10**30}, NotFound),
    ],
    ids=["mode", "outcome", "source", "limit", "long", "NUL", "person", "place", "cursor"],
)  # fmt: skip
def test_impossible_filters_are_refused(session, wrong, refusal):
    with pytest.raises(refusal):
        scan_history.history(session, **wrong)
