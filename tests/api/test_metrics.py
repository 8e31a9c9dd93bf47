"""What Prometheus scrapes, and who may."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from api import metrics, probes
from api.metrics import Counted, Requests
from core.figures import JOBS
from db import session as doors
from db.models import Worker
from db.session import transaction

TOKEN = b"0f6c41d9e8b27a35c1d4f09e6ab8723d"
LABELS = {"method", "route", "status", "status_class", "le", "task", "state", "outcome", "severity", "rule"}


@pytest.fixture
def at(client):
    """The API as somebody at an address sees it: `at("10.0.0.9").get("/metrics")`."""

    def open_at(address, port=50_000):
        client.app.state.figures = probes.KeptFigures()
        return TestClient(client.app, raise_server_exceptions=False, client=(address, port))

    return open_at


def families(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in found}) == len(found), "a family is told once"
    return {family.name: family for family in found}


def value(found, name, **labels):
    (sample,) = [
        sample
        for family in found.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sample.value


# -- Who may -------------------------------------------------------------------------------------------------


def test_only_this_machine_and_who_knows_the_token_may_scrape(client, at, as_role):
    for here in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"):
        assert at(here).get("/metrics").status_code == 200, here
    for elsewhere in ("10.0.0.9", "172.30.84.7", "fe80::1", "testclient", ""):
        refused = at(elsewhere).get("/metrics")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), elsewhere
        assert refused.json()["type"] == "NotSignedIn"
    # Nobody's sign-in opens it, and without METRICS_TOKEN no token does.
    for headers in (as_role("admin"), {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert at("10.0.0.9").get("/metrics", headers=headers).status_code == 401

    client.app.state.settings = replace(client.app.state.settings, metrics_token=TOKEN)
    outside = at("10.0.0.9")
    good = f"Bearer {TOKEN.decode()}"
    assert outside.get("/metrics", headers={"Authorization": good}).status_code == 200
    for wrong in (
        "",
        "Bearer",
        "Bearer ",
        good[:-1],
        good + "0",
        good.replace("Bearer", "Basic"),
        "Bearer é",
    ):
        headers = {"Authorization": wrong.encode()}
        assert outside.get("/metrics", headers=headers).status_code == 401, wrong
    # Whoever is here needs none, even beside a wrong one.
    assert at("127.0.0.1").get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_forwards_is_never_of_this_machine(at, name):
    # The server has believed a trusted proxy already: `client` is what the header said.
    told = "for=127.0.0.1" if name == "Forwarded" else "127.0.0.1"
    assert at("127.0.0.1").get("/metrics", headers={name: told}).status_code == 401


def test_the_documents_say_so(client):
    told = client.get("/openapi.json").json()["paths"]["/metrics"]["get"]
    assert {"200", "401", "503"} <= set(told["responses"])
    assert list(told["responses"]["200"]["content"]) == ["text/plain"]
    assert "METRICS_TOKEN" in told["description"]


# -- What it says --------------------------------------------------------------------------------------------


def test_names_and_units_are_as_prometheus_wants_them(at):
    here = at("127.0.0.1")
    here.get("/health/live")
    found = families(here.get("/metrics"))
    own = {name: family for name, family in found.items() if not name.startswith("process_")}
    for name, family in own.items():
        assert re.fullmatch(r"runout_[a-z0-9]+(_[a-z0-9]+)*", name), name
        assert family.documentation.endswith("."), name
        assert family.type in ("counter", "gauge", "histogram"), name
        # Base units, in full, at the end; a gauge is no total.
        assert not re.search(r"_(ms|milliseconds|minutes|hours|age|kb|mb|percent)\b", name), name
        assert not name.endswith("_total"), name
        for sample in family.samples:
            assert (family.type == "counter") <= sample.name.endswith("_total"), sample.name
            assert not sample.name.endswith("_created"), sample.name
            assert sample.labels.keys() <= LABELS, sample


def test_a_request_is_counted_with_its_route_its_time_and_its_bytes(at, as_role):
    here, headers = at("127.0.0.1"), as_role("viewer")
    asked = {"method": "GET", "route": "/api/v1/products/{product_id}"}

    def counted(name, **labels):
        try:
            return value(families(here.get("/metrics")), name, **asked, **labels)
        except ValueError:
            return 0

    # The application counts on from test to test.
    before = counted("runout_http_requests_total", status="404"), counted("runout_http_response_bytes_total")
    refused = counted("runout_http_request_seconds_count", status_class="4xx")
    sent = len(here.get("/api/v1/products/3f0c7d4e-0000-4000-8000-000000000000", headers=headers).content)
    assert counted("runout_http_requests_total", status="404") == before[0] + 1
    assert counted("runout_http_response_bytes_total") == before[1] + sent
    assert counted("runout_http_request_seconds_count", status_class="4xx") == refused + 1
    found = families(here.get("/metrics"))
    assert value(found, "runout_http_requests_in_progress") == 1  # this one
    assert value(found, "runout_database_connections_max") == 20


def test_made_up_paths_methods_and_ids_make_no_new_series(at):
    here = at("127.0.0.1")
    here.request("ODD", "/nowhere/at-all")
    here.get("/nowhere")
    here.get("/api/v1/products/1")
    before = families(here.get("/metrics"))
    for n in range(30):
        here.get(f"/api/v1/made/up/{n}?q={n}")
        here.request(f"ODD{n}", f"/x{n}")
        here.get(f"/api/v1/products/{n}")
        here.get(f"/api/v1/products/{n}", headers={"Authorization": f"Bearer {n}", "Host": f"{n}.example"})
    after = families(here.get("/metrics"))
    assert {f.name: len(f.samples) for f in after.values()} == {
        f.name: len(f.samples) for f in before.values()
    }
    asked = {"status": "404", "route": metrics.NO_ROUTE}
    more = "runout_http_requests_total"
    assert value(after, more, method="GET", **asked) == value(before, more, method="GET", **asked) + 30
    assert value(after, more, method="other", **asked) == value(before, more, method="other", **asked) + 30


def test_the_shop_is_told_in_figures(at):
    with transaction() as session:
        session.add(Worker(name="w", seen_at=datetime.now(UTC)))
    found = families(at("127.0.0.1").get("/metrics"))
    assert value(found, "runout_database_up") == 1
    age = datetime.now(UTC).timestamp() - value(found, "runout_scheduler_seen_timestamp_seconds")
    assert -1 < age < 60
    for name in ("runout_job_queue_depth", "runout_job_queue_oldest_seconds", "runout_ledger_rows"):
        assert value(found, name) == 0
    for status in ("out", "late", "order_now", "fine", "excess", "unknown"):
        assert value(found, "runout_products", status=status) == 0
    assert value(found, "runout_alerts_open", severity="critical") == 0
    assert value(found, "runout_ledger_faults_open", rule="negative") == 0
    assert value(found, "runout_forecast_ranges", outcome="inside") == 0
    # What nobody knows yet is left out: it is not 0.
    assert "runout_forecast_coverage_ratio" not in found
    assert not found["runout_job_last_success_timestamp_seconds"].samples


def test_figures_are_kept_for_some_seconds(at, monkeypatch):
    here = at("127.0.0.1")
    looks = []
    look = probes.figures.look
    monkeypatch.setattr(probes.figures, "look", lambda *asked: looks.append(1) or look(*asked))
    for _ in range(3):
        here.get("/metrics")
    assert len(looks) == 1
    monkeypatch.setattr(probes, "KEPT_SECONDS", 0)
    here.app.state.figures = probes.KeptFigures()
    for _ in range(2):
        here.get("/metrics")
    assert len(looks) == 3


def test_without_a_database_the_page_comes_and_says_so(at):
    import sqlalchemy as sa

    here = at("127.0.0.1")
    doors.bind(sa.create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"))
    answer = here.get("/metrics")
    found = families(answer)
    assert value(found, "runout_database_up") == 0
    assert "runout_http_requests" in found
    assert "runout_ledger_rows" not in found
    assert "nobody" not in answer.text


# -- As JSON -------------------------------------------------------------------------------------------------


def test_the_same_as_json_for_who_may_read(client, as_role):
    client.post("/api/v1/products", json={"sku": "A", "name": "A"}, headers=as_role("manager"))
    with transaction() as session:
        session.add(Worker(name="w"))
    said = client.get("/api/v1/metrics", headers=as_role("viewer")).json()
    assert (said["products"], said["warehouses"]) == (1, 1)
    assert said["scheduler"]["state"] == "ok"
    assert (said["models"]["state"], said["odd_movements"]["state"]) == ("missing", "missing")
    assert said["queue"] == {"waiting": 0, "oldest_seconds": 0}
    assert [job["job"] for job in said["jobs"]] == sorted(JOBS)
    assert said["training"] is None
    assert said["forecast_ranges"] == {"inside": 0, "early": 0, "late": 0, "open": 0, "coverage": None}
    assert (said["ledger"]["rows"], set(said["ledger"]["faults_open_by_rule"].values())) == (0, {0})
    process = said["process"]
    assert process["in_progress"] == 1
    (made,) = [r for r in process["routes"] if (r["method"], r["route"]) == ("POST", "/api/v1/products")]
    assert made["requests"] == sum(made["by_status"].values()) >= 1
    assert 0 < made["seconds_p50"] <= made["seconds_p95"] <= made["seconds_p99"]
    assert made["seconds_mean"] > 0
    assert made["bytes_sent"] > 100
    assert client.get("/api/v1/metrics").status_code == 401


# -- Counting ------------------------------------------------------------------------------------------------


def test_an_answer_that_breaks_off_is_counted_too():
    async def breaks(_request):
        async def pieces():
            yield b"12345"
            raise OSError

        return StreamingResponse(pieces())

    async def explodes(_request):
        raise OSError

    requests = Requests()
    app = Counted(Starlette(routes=[Route("/breaks", breaks), Route("/explodes", explodes)]), requests)
    caller = TestClient(app, raise_server_exceptions=False)
    for path in ("/breaks", "/explodes"):
        caller.get(path)
    found = {key: (seen.requests, seen.bytes_sent) for key, seen in requests.seen.items()}
    assert found["GET", "/breaks", 200] == (1, 5)
    assert found["GET", "/explodes", 500][0] == 1
    assert requests.in_progress == 0


def seen(seconds):
    requests = Requests()
    for one in seconds:
        requests.answered({"method": "GET"}, 200, one, 0)
    return requests.seen["GET", metrics.NO_ROUTE, 200]


def test_quantiles_are_read_off_between_the_bounds():
    half_and_half = seen([0.03] * 50 + [0.7] * 50)
    assert half_and_half.quantile(0.5) == pytest.approx(0.05)
    assert half_and_half.quantile(0.25) == pytest.approx(0.0375)
    assert half_and_half.quantile(0.75) == pytest.approx(0.75)
    assert half_and_half.quantile(1.0) == pytest.approx(1.0)
    # What is slower than every bound counts as the last; what takes as long as a bound is within it.
    assert seen([900.0] * 10).quantile(0.9) == 60.0
    assert seen([0.1]).quantile(1.0) == 0.1
