"""Predictions over HTTP: from the stock of now, made anew when something moved, equal to a training."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from api import deps
from core import auth, exclusions, products, stock
from db.models import AuditLine, Forecast, IssuedRange, JobRun, ModelRun
from db.session import reading, transaction
from jobs.train import train
from tests import makers

BASE = "/api/v1/predictions"
NOW = datetime.now(UTC)


def sold_daily(session, product, days: int, each: int = 2) -> None:
    """So many pieces leave the shelf on each of the last days, yesterday the last."""
    system, place = auth.system_actor(session), makers.the_warehouse(session)
    for ago in range(days, 0, -1):
        stock.remove(
            session, system, product.id, place.id, each + ago % 3,
            reason_code="sale", occurred_at=NOW - timedelta(days=ago),
        )  # fmt: skip


@pytest.fixture
def product(client):  # noqa: ARG001
    """Uid of a product that sells daily since 45 days."""
    with transaction() as session:
        made = makers.a_product(session, 300, stock_at=NOW - timedelta(days=46), sku="SELLS-1")
        sold_daily(session, made, 45)
    return str(made.uid)


def test_a_product_is_predicted_without_any_training_before(client, as_role, product):
    answer = client.get(f"{BASE}/{product}", headers=as_role("viewer"))
    assert answer.status_code == 200
    said = answer.json()
    assert (said["product_sku"], said["status"]) == ("SELLS-1", "fine")
    assert said["current_stock"] == 165
    dates = [said[f"{name}_depletion_date"] for name in ("earliest", "predicted", "latest")]
    assert dates == sorted(dates)
    assert 45 <= said["days_until_depletion"] <= 65
    assert 2.5 < said["daily_demand"] < 3.5
    assert said["history_days"] == 47
    assert said["model"] == "pool"


def test_a_prediction_follows_the_stock_of_now_and_keeps_its_paths(client, as_role, product):
    headers = as_role("manager")
    first = client.get(f"{BASE}/{product}", headers=headers).json()
    moved = {"product_id": product, "quantity": -150, "reason": "sold"}
    assert client.post("/api/v1/inventory/adjust", json=moved, headers=headers).status_code == 201
    second = client.get(f"{BASE}/{product}", headers=headers).json()
    assert second["current_stock"] == 15
    assert second["predicted_depletion_date"] < first["predicted_depletion_date"]
    assert second["trained_at"] == first["trained_at"]


@pytest.mark.parametrize(("hours", "moved", "anew"), [(0, True, False), (2, False, False), (2, True, True)])
def test_the_paths_are_made_anew_when_they_are_old_and_the_product_moved(
    client, as_role, product, hours, moved, anew
):
    headers = as_role("manager")
    client.get(f"{BASE}/{product}", headers=headers)
    with transaction() as session:
        forecast = session.scalars(select(Forecast)).one()
        # The first movements were booked just now: for a product at rest the forecast comes after them.
        forecast.created_at = datetime.now(UTC) - timedelta(hours=hours if moved else 0)
    if moved:
        body = {"product_id": product, "quantity": -1, "reason": "sold"}
        client.post("/api/v1/inventory/adjust", json=body, headers=headers)
    before = client.get(f"{BASE}/batch", headers=headers).json()[0]["trained_at"]
    if not moved:  # hours later nothing has moved since
        late = datetime.now(UTC) + timedelta(hours=hours)
        client.app.dependency_overrides[deps.now] = lambda: late
    after = client.get(f"{BASE}/{product}", headers=headers).json()["trained_at"]
    assert (after > before) == anew


@pytest.mark.usefixtures("clone")  # a clock that runs
def test_use_cache_false_and_deleting_the_cache_make_the_paths_anew(client, as_role, product):
    headers = as_role("manager")
    first = client.get(f"{BASE}/{product}", headers=headers).json()
    second = client.get(f"{BASE}/{product}?use_cache=false", headers=headers).json()
    assert second["trained_at"] > first["trained_at"]
    assert client.delete(f"{BASE}/{product}/cache", headers=as_role("user")).status_code == 403
    assert client.delete(f"{BASE}/{product}/cache", headers=headers).status_code == 204
    third = client.get(f"{BASE}/{product}", headers=headers).json()
    assert third["trained_at"] > second["trained_at"]
    same = {name: value for name, value in first.items() if name != "trained_at"}
    assert {name: value for name, value in third.items() if name != "trained_at"} == same


@pytest.mark.usefixtures("clone")  # a clock that runs
def test_one_product_made_alone_equals_a_training_of_all(client, as_role, product):
    with transaction() as session:
        other = makers.a_product(session, 500, stock_at=NOW - timedelta(days=46))
        sold_daily(session, other, 45, each=5)
    train(NOW)
    trained = client.get(f"{BASE}/{product}", headers=as_role("manager")).json()
    alone = client.get(f"{BASE}/{product}?use_cache=false", headers=as_role("manager")).json()
    assert alone.pop("trained_at") > trained.pop("trained_at")
    assert alone == trained


def test_train_with_a_product_answers_its_prediction(client, as_role, product):
    body = {"product_id": product, "force_retrain": False}
    first = client.post(f"{BASE}/train", json=body, headers=as_role("manager"))
    assert (first.status_code, first.json()["status"]) == (200, "trained")
    assert first.json()["prediction"]["product_id"] == product
    again = client.post(f"{BASE}/train", json=body, headers=as_role("manager"))
    assert again.json()["status"] == "up_to_date"
    forced = client.post(f"{BASE}/train", json=body | {"force_retrain": True}, headers=as_role("manager"))
    assert forced.json()["status"] == "trained"
    assert client.post(f"{BASE}/train", json=body, headers=as_role("user")).status_code == 403
    with reading() as session:
        said = session.scalars(select(AuditLine).where(AuditLine.action == "trained")).all()
        runs = session.scalar(select(func.count()).select_from(ModelRun))
    assert [line.subject_id for line in said] == [product, product]
    assert runs == 1  # a single product opens no run of its own once there is one


def test_train_without_a_product_asks_for_a_run_once(client, as_role):
    first = client.post(f"{BASE}/train", json={}, headers=as_role("manager"))
    second = client.post(f"{BASE}/train", json={"force_retrain": True}, headers=as_role("manager"))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    with reading() as session:
        (run,) = session.scalars(select(JobRun)).all()
    assert (run.job, run.id) == ("train", first.json()["job_id"])


@pytest.mark.parametrize("days", [0, 5, 28])
def test_too_little_history_says_how_many_days_there_are(client, as_role, days):
    with transaction() as session:
        made = makers.a_product(session, 100 if days else 0, stock_at=NOW - timedelta(days=days), sku="NEW-1")
        if days:
            sold_daily(session, made, days)
    headers = as_role("manager")
    known = days + 1 if days else 0
    for answer in (
        client.get(f"{BASE}/{made.uid}", headers=headers),
        client.get(f"{BASE}/{made.uid}?use_cache=false", headers=headers),
        client.post(f"{BASE}/train", json={"product_id": str(made.uid)}, headers=headers),
        client.delete(f"{BASE}/{made.uid}/cache", headers=headers),
    ):
        assert answer.status_code == 400
        assert answer.json()["type"] == "TooLittleHistory"
        assert f"NEW-1: {known} of 30 days" in answer.json()["detail"]
    summary = client.get(f"{BASE}/{made.uid}/data-summary", headers=headers).json()
    assert summary["history_days"] == known
    assert summary["has_enough_data"] is False
    assert summary["reason"] == f"{known} of 30 days of history"


def test_the_thirtieth_day_is_enough(client, as_role):
    with transaction() as session:
        made = makers.a_product(session, 100, stock_at=NOW - timedelta(days=29))
        sold_daily(session, made, 29)
    assert client.get(f"{BASE}/{made.uid}", headers=as_role("viewer")).json()["history_days"] == 30


def test_the_summary_counts_days(client, as_role, product):
    summary = client.get(f"{BASE}/{product}/data-summary", headers=as_role("viewer")).json()
    assert summary == {
        "product_id": product,
        "product_sku": "SELLS-1",
        "movements": 46,
        "first_movement_on": str((NOW - timedelta(days=46)).date()),
        "last_demand_on": str((NOW - timedelta(days=1)).date()),
        "history_days": 47,
        "required_history_days": 30,
        "days_with_demand": 45,
        "required_days_with_demand": 2,
        "days_without_stock": 0,
        "total_demand": 135,
        "has_enough_data": True,
        "reason": None,
    }


def test_days_left_out_are_not_counted_as_days_without_stock(client, as_role, product):
    with transaction() as session:
        wanted = products.by_uid(session, product).product.id
        day = (NOW - timedelta(days=9)).date()
        exclusions.leave_out_days(
            session,
            makers.an_actor(session),
            wanted,
            day,
            day + timedelta(days=2),
            reason="fair",
            today=NOW.date(),
        )
    summary = client.get(f"{BASE}/{product}/data-summary", headers=as_role("viewer")).json()
    assert (summary["days_with_demand"], summary["days_without_stock"]) == (42, 0)


def test_the_batch_answers_for_all_products_by_sku_and_in_pages(client, as_role, product):
    with transaction() as session:
        young = makers.a_product(session, 7, stock_at=NOW - timedelta(days=5), sku="A-YOUNG")
        makers.a_product(session, 7, sku="Z-GONE").is_active = False
    train(NOW)
    headers = as_role("viewer")
    answer = client.get(f"{BASE}/batch", headers=headers)
    assert answer.headers["x-total-count"] == "2"
    first, second = answer.json()
    assert (first["product_sku"], second["product_sku"]) == ("A-YOUNG", "SELLS-1")
    assert (first["status"], first["predicted_depletion_date"], first["current_stock"]) == (
        "unknown",
        None,
        7,
    )
    assert "of 30 days of history" in first["reason"]
    assert second == client.get(f"{BASE}/{product}", headers=headers).json()
    assert client.get(f"{BASE}/batch?skip=1", headers=headers).json() == [second]
    some = client.get(f"{BASE}/batch?product_id={product}&product_id={young.uid}", headers=headers).json()
    assert some == [second, first]
    assert client.get(f"{BASE}/batch?product_id={uuid.uuid4()}", headers=headers).status_code == 404


def test_a_product_that_is_used_no_more_is_not_predicted(client, as_role, product):
    assert client.delete(f"/api/v1/products/{product}", headers=as_role("admin")).status_code == 204
    answer = client.get(f"{BASE}/{product}", headers=as_role("viewer"))
    assert answer.status_code == 400
    assert "not in use" in answer.json()["detail"]


def test_a_prediction_says_how_often_such_ranges_were_right(client, as_role, product):
    headers = as_role("viewer")
    first = client.get(f"{BASE}/{product}", headers=headers).json()
    # Nothing was tested or promised yet.
    assert [first[f"ranges_{name}"] for name in ("right", "decided", "source")] == [0, 0, None]
    with transaction() as session:
        kept = session.scalars(select(Forecast)).one()
        kept.scores = {"tasks": 9, "inside": 8, "coverage": 8 / 9, "crps": 2.5, "crps_naive": 4.0}
        kept.would_help = "Two full years would show its season."
    tested = client.get(f"{BASE}/{product}", headers=headers).json()
    assert [tested[f"ranges_{name}"] for name in ("right", "decided", "source")] == [8, 9, "backtest"]
    assert tested["scores"]["crps"] == 2.5
    assert tested["would_help"] == "Two full years would show its season."
    with transaction() as session:
        for ago in range(30, 52):
            issued_on = NOW.date() - timedelta(days=ago)
            session.add(IssuedRange(
                product_id=kept.product_id, issued_on=issued_on, method="pool", on_hand=5,
                p10_on=issued_on + timedelta(days=2), p90_on=issued_on + timedelta(days=9),
                until=issued_on + timedelta(days=119), chance_14=0.9,
                state="inside" if ago % 2 else "late", closed_on=issued_on + timedelta(days=10),
            ))  # fmt: skip
    issued = client.get(f"{BASE}/batch", headers=headers).json()[0]
    assert [issued[f"ranges_{name}"] for name in ("right", "decided", "source")] == [11, 22, "issued"]


@pytest.mark.usefixtures("product")
def test_the_report_of_an_empty_shop_and_of_a_trained_one(client, as_role):
    headers = as_role("viewer")
    empty = client.get(f"{BASE}/report", headers=headers).json()
    assert (empty["trained_at"], empty["methods"], empty["products"]) == (None, [], {"none": 1})
    assert (empty["ranges"]["decided"], empty["ranges"]["coverage"], empty["calibration"]) == (0, None, [])
    train(NOW)
    with transaction() as session:
        run = session.scalars(select(ModelRun)).one()
        run.report = {
            "members": [{
                "name": "pool", "title": "Runout's pool", "tasks": 90, "products": 30, "crps": 3.5,
                "skill": 0.3, "coverage": 0.81, "brier_14": None, "bias": 0.25, "ms_per_product": 3.0,
                "against_pool": 0.0, "against_error": 0.0, "comparable_crps": 3.5, "failed": 0,
                "is_default": True, "admitted": True, "reason": "Draws.", "sample": "30 products",
            }],
            "calibration": [{"level": 0.5, "share": 0.52, "tasks": 90}],
        }  # fmt: skip
    said = client.get(f"{BASE}/report", headers=headers).json()
    assert said["products"] == {"ok": 1}
    assert said["tested_calibration"] == [{"promised": 0.5, "happened": 0.52, "cases": 90}]
    (method,) = said["methods"]
    assert (method["name"], method["is_used"], method["crps"]) == ("pool", True, 3.5)
    assert said["as_of"] == str((NOW - timedelta(days=1)).date())
