"""Scores over HTTP: of movements in the ledger and of rows that are in none."""

import json
import uuid
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from pydantic import ValidationError

from api.main import make_app
from api.routers import ml
from api.routes import exact_json
from api.schemas_anomalies import ScoreRow
from api.settings import SettingsError, from_environment
from core import stock
from core.doctor import score_requests
from core.doctor.endpoint_settings import EndpointSettings
from db.session import transaction
from tests import makers
from tests.api.conftest import SETTINGS
from tests.core.doctor import doctor_world
from tests.front import CREDENTIALS

SCORE = "/api/v1/ml/score"
NOTHING = {"anomaly_score": None, "cluster_id": None, "is_anomaly": None, "kind": None, "repair": None}
SALES = (12, 24, 12, 36, 12, 24) * 5
ABSURD = 1200
PRICE = Decimal("1.25")


@pytest.fixture
def model(client):  # noqa: ARG001
    """A model that judges; answers its public id."""
    with transaction() as session:
        return str(doctor_world.published(session, doctor_world.a_small_detector()).uid)


@pytest.fixture
def ledger(client):  # noqa: ARG001
    """Sales of one product, the last of them absurd; answers the product and the ids, opening stock first."""
    with transaction() as session:
        actor, here = makers.an_actor(session), makers.the_warehouse(session)
        product = makers.a_product(session, 10_000, sku="ODD-1")
        opening = stock.add(session, actor, product.id, here.id, 1, reason_code="opening")
        ids = [opening.lines[0].movement_id]
        for n, quantity in enumerate((*SALES, ABSURD)):
            about = {"reference_type": "order", "reference_id": f"S-{n}", "unit_price": PRICE}
            booked = stock.remove(session, actor, product.id, here.id, quantity, reason_code="sale", **about)
            ids.append(booked.lines[0].movement_id)
    return product, ids


@pytest.fixture
def ask(client, as_role):
    """Asks as a manager: `ask(transaction_ids=[1])`."""

    def asked(client=client, **body):
        return client.post(SCORE, json=body, headers=as_role("manager"))

    return asked


def a_row(**about):
    return {"item_sku": "ODD-1", "transaction_type": "out", "quantity": -12, "unit_price": 1.25} | about


def test_the_journey_of_the_seed_log_in_book_and_see_the_absurd_one(client, model):
    client.post("/api/v1/auth/register", json={})  # nobody yet: refused, and nothing happens
    with transaction() as session:
        email = makers.a_person(session, "manager").email
    login = client.post("/api/v1/auth/login", json={"email": email, "password": makers.PASSWORD})
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}

    def post(path, **body):
        answer = client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    item = post("/items", sku="WDG-9", name="Widget", unit_cost=0.6)["id"]
    booking = {"item_id": item, "unit_price": 1.25}
    post("/inventory-transactions", **booking, transaction_type="in", quantity=9_000)
    sales = [
        post("/inventory-transactions", **booking, transaction_type="out", quantity=quantity)["id"]
        for quantity in (*SALES[:18], ABSURD)
    ]
    told = post("/ml/score", transaction_ids=sales)
    assert (told["model_loaded"], told["scored_by"], told["fallback"], told["model_id"]) == (
        True, "local", None, model,
    )  # fmt: skip
    assert [result["transaction_id"] for result in told["results"]] == sales
    *usual, absurd = told["results"]
    assert absurd["is_anomaly"]
    assert absurd["anomaly_score"] > max(result["anomaly_score"] for result in usual)
    assert isinstance(absurd["cluster_id"], int)
    assert absurd["repair"]["field"] == "quantity"
    assert absurd["repair"]["from"] == -ABSURD
    assert -ABSURD < absurd["repair"]["to"] < 0

    exported = client.get("/api/v1/ml/export", headers=headers).json()["rows"]
    again = post("/ml/score", transactions=exported)["results"]  # the export's own rows, as they are
    assert again == post("/ml/score", transaction_ids=[row["transaction_id"] for row in exported])["results"]
    assert [result for result in again if result["transaction_id"] in sales] == told["results"]
    changed = exported[-1] | {"quantity": -12}
    assert not post("/ml/score", transactions=[changed])["results"][0]["is_anomaly"]


def test_an_absurd_row_that_is_in_no_ledger_is_found_before_it_is_booked(ask, model, ledger):  # noqa: ARG001
    product, _ = ledger
    told = ask(
        transactions=[
            a_row(transaction_id=10**15),
            a_row(quantity=-ABSURD * 2),
            a_row(item_sku=None, item_id=str(product.uid), quantity=-24),
        ]
    ).json()["results"]
    assert [result["transaction_id"] for result in told] == [10**15, None, None]
    assert [result["is_anomaly"] for result in told] == [False, True, False]
    assert told[1]["kind"] is not None
    assert told[0]["kind"] is None
    assert told[0]["repair"] is None


def test_a_movement_gets_the_same_score_alone_among_others_and_twice(ask, model, ledger):  # noqa: ARG001
    _, ids = ledger
    together = {told["transaction_id"]: told for told in ask(transaction_ids=ids).json()["results"]}
    assert ask(transaction_ids=[ids[-1]]).json()["results"] == [together[ids[-1]]]
    wanted = [ids[5], ids[-1], ids[5], ids[1]]
    assert ask(transaction_ids=wanted).json()["results"] == [together[number] for number in wanted]


def test_pieces_do_not_change_the_scores(ask, model, ledger, monkeypatch):  # noqa: ARG001
    _, ids = ledger
    rows = [a_row(quantity=-12 * (n % 4 + 1)) for n in range(9)]
    whole = ask(transaction_ids=ids).json(), ask(transactions=rows).json()
    monkeypatch.setattr(score_requests, "PIECE", 4)
    assert (ask(transaction_ids=ids).json(), ask(transactions=rows).json()) == whole


def test_what_cannot_be_judged_has_no_score_and_is_no_error(ask, model, ledger):
    _, ids = ledger
    told = ask(transaction_ids=ids[:2]).json()
    assert told["results"][0] == {"transaction_id": ids[0]} | NOTHING  # opening stock
    assert told["results"][1]["anomaly_score"] is not None
    alone = ask(transaction_ids=ids[:1]).json()
    assert (alone["results"], alone["model_id"]) == ([{"transaction_id": ids[0]} | NOTHING], model)


def test_without_a_model_the_answer_says_so(ask, ledger):
    _, ids = ledger
    told = ask(transaction_ids=ids[-2:]).json()
    assert told == {
        "results": [{"transaction_id": number} | NOTHING for number in ids[-2:]], "model_loaded": False,
        "scored_by": None, "fallback": None, "model_id": None, "trained_at": None,
    }  # fmt: skip
    assert ask(transactions=[a_row()]).json()["results"] == [{"transaction_id": None} | NOTHING]
    assert ask(transaction_ids=[ids[-1] + 1]).status_code == 404


def test_products_and_places_that_the_shop_does_not_have_back_off(ask, model, ledger):  # noqa: ARG001
    told = ask(
        transactions=[
            a_row(item_sku="NEVER-SEEN"),
            a_row(item_sku=None, item_id=str(uuid.uuid4())),
            a_row(warehouse_code="MOON"),
            a_row(warehouse_id=str(uuid.uuid4()), warehouse_code="main"),
            a_row(item_sku="odd-1", customer="Jane", reference_type="order", reference_id="S-1"),
            a_row(transaction_type="in", quantity=5, unit_price=None),
            a_row(transaction_type="in", quantity=-5),
            a_row(quantity=5),
            a_row(transaction_type="adjust", quantity=0.5),
            a_row(transaction_type="transfer", created_at="2024-02-29T23:59:59+14:00"),
            a_row(reason_code="damage"),
        ]
    )
    assert told.status_code == 200
    assert all(0 <= result["anomaly_score"] <= 1 for result in told.json()["results"])


def test_unknown_ids_are_named_the_first_few_of_them(ask, ledger):
    _, ids = ledger
    one = ask(transaction_ids=[ids[0], 2**63 - 1])
    assert (one.status_code, one.json()["detail"]) == (404, f"There is no transaction {2**63 - 1}.")
    many = ask(transaction_ids=list(range(ids[-1] + 1, ids[-1] + 1001)))
    assert many.status_code == 404
    assert many.json()["detail"].endswith(" and 995 more.")


REFUSED = [
    ({}, "either"),
    ({"transaction_ids": [1], "transactions": [a_row()]}, "either"),
    ({"transaction_ids": None, "transactions": None}, "either"),
    ({"transaction_ids": []}, "at least 1"),
    ({"transactions": []}, "at least 1"),
    ({"transaction_ids": [0]}, "greater"),
    ({"transaction_ids": [2**63]}, "less"),
    ({"transaction_ids": ["1"]}, "integer"),
    ({"transaction_ids": [True]}, "integer"),
    ({"transaction_ids": [None]}, "integer"),
    ({"transaction_ids": list(range(1, 10_002))}, "at most 10000"),
    ({"transactions": [a_row(quantity=0)]}, "must not be 0"),
    ({"transactions": [a_row(item_sku=None)]}, "item_id or item_sku"),
    ({"transactions": [a_row(item_sku="")]}, "at least 1"),
    ({"transactions": [a_row(unit_price=-1)]}, "greater"),
    ({"transactions": [a_row(quantity="12")]}, "number"),
    ({"transactions": [a_row(created_at="yesterday")]}, "moment"),
    ({"transactions": [a_row(created_at="2024-01-01T00:00:00")]}, "offset"),
    ({"transactions": [a_row(created_at="0001-01-01T00:00:00+14:00")]}, "year"),
    ({"transactions": [a_row(created_at="9999-12-31T23:59:59-14:00")]}, "year"),
    ({"transactions": [a_row(created_at=1_700_000_000)]}, "moment"),
    ({"transactions": [a_row(transaction_type="gift")]}, "'in', 'out'"),
    ({"transactions": [a_row(reason_code="opening")]}, "sale"),
    ({"transactions": [a_row(total_amount="1")]}, "number"),
    ({"transactions": [a_row(note="x")]}, "not known"),
    ({"transactions": [a_row(), None]}, "1"),
    ({"transactions": [[]]}, "dictionary"),
    ({"transactions": "all"}, "list"),
]


def test_a_request_that_cannot_be_meant_is_refused(ask):
    for body, said in REFUSED:
        answer = ask(**body)
        assert answer.status_code == 422, (body, answer.text)
        assert said in answer.json()["detail"], body


HOSTILE = (
    "NaN", "1e400", "-1e400", "1E+999999", "1e-999999", "[]", "{}", "true", r'"a\u0000"', r'"\ud800"', "-0",
    '"' + "x" * 5000 + '"', "9" * 5000, "99999999999.9999", "-0.0001", '"2024-02-30T00:00:00Z"', '"\u0130"',
)  # fmt: skip


def test_no_value_of_any_field_of_a_row_is_a_500(client, as_role, model):  # noqa: ARG001
    read = []
    for field in ScoreRow.model_fields:
        for value in HOSTILE:
            rest = {name: said for name, said in a_row().items() if name != field}
            row = f'{json.dumps(rest)[:-1]}, "{field}": {value}}}'
            with suppress(RequestValidationError, ValidationError):  # what becomes 422
                ScoreRow.model_validate(exact_json(row.encode()))
                read.append(row)
    assert len(read) > len(HOSTILE)
    body = f'{{"transactions": [{", ".join(read)}]}}'
    headers = as_role("manager") | {"Content-Type": "application/json"}
    answer = client.post(SCORE, content=body.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert all(0 <= told["anomaly_score"] <= 1 for told in answer.json()["results"])


def test_extreme_rows_are_judged_with_finite_scores(ask, model, ledger):  # noqa: ARG001
    extremes = [
        a_row(quantity=-99_999_999_999.9999, unit_price=99_999_999_999.9999),
        a_row(quantity=0.0001, unit_price=0),
        a_row(item_sku="x" * 200, warehouse_code="y" * 200, customer="z" * 200),
        a_row(created_at="1971-01-01T00:00Z"),
        a_row(created_at="2199-12-31T23:59:59Z", quantity=123_456_789_012_345),
    ]  # fmt: skip
    told = ask(transactions=extremes * 3)
    assert told.status_code == 200
    assert all(0 <= result["anomaly_score"] <= 1 for result in told.json()["results"])


def test_ten_thousand_rows_of_the_export_fit_and_more_bytes_are_refused(client, as_role):
    headers = as_role("manager") | {"Content-Type": "application/json"}
    row = {
        "transaction_id": 10**9, "item_id": str(uuid.uuid4()), "item_sku": "S" * 40, "item_category": "C",
        "warehouse_id": str(uuid.uuid4()), "warehouse_code": "WAREHOUSE", "transaction_type": "adjust",
        "quantity": -12345.6789, "unit_price": 12345.6789, "total_amount": -152415787.5, "created_at_ts": 1e9,
        "created_at": "2026-03-01T12:30:15.500000Z", "recorded_at": "2026-03-01T12:30:15.500000Z",
    }  # fmt: skip
    body = json.dumps({"transactions": [row] * 10_000}).encode()
    assert len(body) < ml.MOST_BYTES
    answer = client.post(SCORE, content=body, headers=headers)
    assert (answer.status_code, len(answer.json()["results"])) == (200, 10_000)
    assert client.post(SCORE, content=b" " * (ml.MOST_BYTES + 1), headers=headers).status_code == 413


@pytest.mark.usefixtures("model")
def test_an_endpoint_that_is_not_there_is_said_and_the_shops_own_model_judges(ask, ledger, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    nowhere = EndpointSettings("odd", "eu-central-1", "http://127.0.0.1:9", 1)
    with TestClient(make_app(replace(SETTINGS, endpoint=nowhere))) as far:
        told = ask(far, transaction_ids=ledger[1]).json()
    assert (told["scored_by"], told["model_loaded"]) == ("local", True)
    assert "cannot be reached" in told["fallback"]
    assert told["results"][-1]["is_anomaly"]


def test_an_endpoint_that_cannot_work_stops_the_api_with_a_sentence(monkeypatch):
    monkeypatch.setenv("SAGEMAKER_ENDPOINT", "odd-movements")
    monkeypatch.setenv("SAGEMAKER_ENDPOINT_URL", "http://elsewhere.example")
    with pytest.raises(SettingsError, match="SAGEMAKER_ENDPOINT_URL"):
        from_environment()
    monkeypatch.delenv("SAGEMAKER_ENDPOINT_URL")
    assert from_environment().endpoint.name == "odd-movements"
