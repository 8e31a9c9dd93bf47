"""Whatever a client sends: never a 500, and nothing half-done. Numbers arrive and leave exactly."""

import json
import re
import uuid
from decimal import Decimal

import pytest
from sqlalchemy import text

from api import schemas
from api.routes import exact_json
from db.models import Base
from db.session import reading, transaction
from tests import makers

PLACES = "/api/v1/warehouses"
# As JSON is written, so that also what no encoder writes can be sent.
NUMBERS = {
    "2^31": "2147483648",
    "2^63": "9223372036854775808",
    "2^70": "1180591620717411303424",
    "1e400": "1e400",
    "1E+999999": "1E+999999",
    "1E-999999": "1E-999999",
    "20 decimals": "0.00000000000000000001",
    "negative": "-1",
    "zero": "0",
}
TEXTS = {
    "text of a number": '"12"',
    "long text": '"' + "x" * 5000 + '"',
    "control characters": r'"a\u0007b"',
    "a day before all days": '"0001-01-01+14:00"',
    "a moment before all moments": '"0001-01-01T00:00:00+14:00"',
    "a moment after all moments": '"9999-12-31T23:59:59-12:00"',
    "a leap second": '"2016-12-31T23:59:60Z"',
    "no such day": '"2026-02-30"',
    "an id of nothing": f'"{uuid.uuid4()}"',
}
OTHERS = {"list": "[]", "object": "{}", "null": "null", "true": "true", "a deep list": "[" * 500 + "]" * 500}
# What no reader of JSON lets through, whatever the field.
UNREADABLE = {
    "nul": r'"a\u0000b"',
    "lone surrogate": r'"\ud800"',
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "thousands of digits": "9" * 5000,
}
# In an address, as it is written there.
IN_ADDRESSES = [
    "%00", "%ED%A0%80", "%FF", "9223372036854775808", "1e400", "NaN", "-1", "", "x" * 5000,
    "0001-01-01%2B14:00", "9999-12-31-12:00", "2016-12-31T23:59:60Z", "%27%20OR%201=1--", "%25%5F",
]  # fmt: skip
# What somebody would send who hopes that a field is taken over without a look.
SLIPPED_IN = {"role": "admin", "is_admin": True, "qty": 5, "id": 1, "uid": str(uuid.uuid4()), "actor_id": 1}
RAW = {
    "9 MB": b'{"code": "' + b"x" * 9_000_000 + b'"}',
    "nothing": b"",
    "half": b'{"code": "a"',
    "deep": b"[" * 100_000,
    "deep and whole": b'{"code": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a long number": b'{"code": ' + b"9" * 5_000 + b"}",
    "NaN": b'{"code": NaN}',
    "NUL": rb'{"code": "\u0000"}',
    "half a pair": rb'{"code": "\ud800"}',
    "list": b"[]",
    "number": b"1",
    "null": b"null",
    "twice": b'{"a": 1, "a": 2}',
    "utf-16": '{"code": "a"}'.encode("utf-16"),
    "bom": b'\xef\xbb\xbf{"code": "a"}',
    "latin-1": '{"code": "\xe9"}'.encode("latin-1"),
    "unknown field": b'{"no_such_field": 1}',
}
JSON = {"Content-Type": "application/json"}


def rows() -> dict[str, int]:
    """How many rows each table has, but for guesses, which are kept on purpose, and what nobody may read."""
    others = ("sign_in_attempt", "posting_line")
    tables = [table.name for table in Base.metadata.sorted_tables if table.name not in others]
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables)
    with reading() as session:
        return dict(session.execute(text(counted)).all())


@pytest.fixture
def writes(client, as_role):
    """Method, path and a good body of every operation that takes one, with an admin's headers."""
    with transaction() as session:
        product = str(makers.a_product(session, 10).uid)
        place = str(makers.the_warehouse(session).uid)
    document = client.get("/openapi.json").json()
    known = {"product_id": product, "item_id": product, "warehouse_id": place}
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" not in operation:
                continue
            if "application/json" not in operation["requestBody"]["content"]:
                continue  # a picture, see test_barcode
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            model = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            good = dict((model.get("examples") or [{}])[0])
            good |= {name: value for name, value in known.items() if name in good}
            ids = {
                parameter["name"]: known.get(parameter["name"])
                or ("1" if parameter["schema"]["type"] == "integer" else str(uuid.uuid4()))
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "path"
            }
            found.append((method, path.format(**ids), good, model["properties"]))
    return found, as_role("admin") | JSON


def hostile(schema: dict) -> dict[str, str]:
    """What is tried in a field: all of its own kind, and one of each other."""
    kinds = {one.get("type", "object") for one in schema.get("anyOf", [schema])}
    tried = OTHERS | {"2^70": NUMBERS["2^70"], "long text": TEXTS["long text"]}
    tried |= NUMBERS if kinds & {"number", "integer"} else {}
    return tried | (TEXTS if "string" in kinds else {})


def test_no_hostile_value_in_any_field_of_any_write_is_a_500_or_leaves_a_trace(client, writes):
    """A field that several bodies have alike is tried in one of them."""
    operations, headers = writes
    wrong, before, tried = [], rows(), set()
    for method, path, good, fields in operations:
        for field, schema in fields.items():
            is_known = (field, json.dumps(schema)) in tried
            tried.add((field, json.dumps(schema)))
            values = {"nul": UNREADABLE["nul"]} if is_known else hostile(schema) | UNREADABLE
            for name, value in values.items():
                rest = {key: said for key, said in good.items() if key != field}
                body = json.dumps(rest)[:-1] + (", " if rest else "") + f'"{field}": {value}}}'
                answer = client.request(method, path, content=body, headers=headers)
                if answer.status_code >= 500 or (name in UNREADABLE and answer.status_code != 422):
                    wrong.append((method, path, field, name, answer.status_code))
                if answer.status_code < 300:
                    before = rows()
        if rows() != before:
            wrong.append((method, path, "left a trace"))
            before = rows()
    assert wrong == []


def test_no_broken_body_of_any_write_is_read(client, writes):
    operations, headers = writes
    wrong, before = [], rows()
    for method, path, _, _ in operations:
        for name, body in RAW.items():
            answer = client.request(method, path, content=body, headers=headers)
            if answer.status_code not in ((413,) if name == "9 MB" else (422,)):
                wrong.append((method, path, name, answer.status_code))
        for other in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            answer = client.request(
                method, path, content=b'{"a": 1}', headers=headers | {"Content-Type": other}
            )
            if answer.status_code != 415:
                wrong.append((method, path, other, answer.status_code))
    assert wrong == []
    assert rows() == before


def test_no_field_can_be_slipped_in(client, writes):
    operations, headers = writes
    wrong, before = [], rows()
    for method, path, good, fields in operations:
        for field, value in SLIPPED_IN.items():
            if field in fields:
                continue
            answer = client.request(method, path, json=good | {field: value}, headers=headers)
            told = [one["field"] for one in answer.json().get("fields", ())]
            if answer.status_code != 422 or f"body.{field}" not in told:
                wrong.append((method, path, field, answer.status_code))
    assert wrong == []
    assert rows() == before


def test_no_hostile_value_in_any_address_is_a_500(client, as_role):
    """Each parameter of a query, and each place in a path, once for all that have the same."""
    headers, wrong, tried = as_role("admin"), [], set()
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                same = (parameter["in"], parameter["name"], json.dumps(parameter["schema"]))
                if parameter["in"] == "header" or same in tried:
                    continue
                tried.add(same)
                for value in IN_ADDRESSES:
                    place = "{" + parameter["name"] + "}"
                    address = path.replace(place, value) if parameter["in"] == "path" else path
                    address = re.sub(r"{[^}]*}", str(uuid.uuid4()), address)
                    asked = f"?{parameter['name']}={value}" if parameter["in"] == "query" else ""
                    answer = client.request(method, address + asked, headers=headers)
                    if answer.status_code >= 500:
                        wrong.append((method, path, parameter["name"], value[:40], answer.status_code))
    assert wrong == []


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=0", "limit=1001", "limit=1e2", "limit=1.5", "limit=", "skip=-1",
     "skip=9223372036854775808", "skip=1&skip=2", "page=2", "q=%00", "limit=NaN", "limit=%F0%9F%98%80",
     "LIMIT=1", "skip=%00"],
)  # fmt: skip
def test_pages_that_cannot_be_meant_are_refused_on_every_list(client, as_role, query):
    headers = as_role("admin")
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        names = {parameter["name"] for parameter in methods.get("get", {}).get("parameters", ())}
        if {"skip", "limit"} <= names and "{" not in path:
            answer = client.get(f"{path}?{query}", headers=headers)
            assert answer.status_code == 422, (path, answer.text)


def test_a_body_that_grows_while_it_comes_is_cut_off(client, as_role):
    pieces = (b"x" * 100_000 for _ in range(100))
    answer = client.post(PLACES, content=pieces, headers=as_role("manager") | JSON)
    assert answer.status_code == 413
    assert answer.json()["type"] == "ContentTooLarge"


@pytest.mark.parametrize("length", ["-1", "99999999999999999999", "x", "1e3", "²"])
def test_a_length_that_cannot_be_is_refused(client, as_role, length):
    headers = as_role("manager") | JSON | {"Content-Length": length.encode()}
    assert client.post(PLACES, content=b"{}", headers=headers).status_code == 413


# -- Numbers -------------------------------------------------------------------------------------------------


class Counted(schemas.Body):
    amount: schemas.Number


class Told(schemas.Answer):
    amount: schemas.Number


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12.99", "12.99"),
        ("100", "100"),
        ("100.0", "100"),
        ("1e2", "100"),
        ("0.1", "0.1"),
        ("0.00010", "0.0001"),
        ("-0", "0"),
        ("-7.5", "-7.5"),
        ("1.50000000", "1.5"),
        ("99999999999.9999", "99999999999.9999"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_a_number_arrives_as_it_was_written(written, meant):
    body = exact_json(f'{{"amount": {written}}}'.encode())
    assert Counted.model_validate(body).amount == Decimal(meant)


@pytest.mark.parametrize(
    "written",
    ["0.00001", "1.23456", "1234567890123456", "1e15", "123456789012.3456", "1e-5", '"5"', "true", "null",
     "[]", "1e400", "1E+999999", "1E-999999"],
)  # fmt: skip
def test_a_number_that_would_not_stay_exact_is_refused(written):
    body = exact_json(f'{{"amount": {written}}}'.encode())
    with pytest.raises(ValueError, match="validation error"):
        Counted.model_validate(body)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("12.9900", "12.99"),
        ("100.0000", "100"),
        ("1E+2", "100"),
        ("0.0000", "0"),
        ("-0.0000", "0"),
        ("0.0001", "0.0001"),
        ("0.1", "0.1"),
        ("2.675", "2.675"),
        ("-10.5000", "-10.5"),
        ("99999999999.9999", "99999999999.9999"),
        ("499999999999.9999", "499999999999.9999"),
        ("99999999999999.0000", "99999999999999"),
        ("99999999999999.5000", "99999999999999.5"),
        ("123456789012345678901234.0000", "123456789012345678901234"),
    ],
)
def test_a_number_leaves_in_its_shortest_plain_form(kept, said):
    assert Told(amount=Decimal(kept)).model_dump_json() == f'{{"amount":{said}}}'


def test_every_amount_of_four_decimals_survives_the_way_through_a_double():
    import random

    drawn = random.Random(7)
    for _ in range(20_000):
        whole, digits = drawn.randrange(10 ** drawn.randint(1, 11)), drawn.randrange(10_000)
        amount = Decimal(f"{whole}.{digits:04}")
        said = Told(amount=amount).model_dump_json()[10:-1]
        assert Decimal(said) == amount
        assert "e" not in said.lower()
