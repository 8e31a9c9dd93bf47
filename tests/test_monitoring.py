"""Dashboard and rules for Prometheus name only what the API tells it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api import exposition
from api.main import ROUTERS
from api.metrics import Requests
from api.poster import Poster
from core import ledger_words
from core.figures import JOBS, Figures, Job, Queue, Training
from core.forecast_report import Totals
from db.models import SEVERITIES, STATUSES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "monitoring"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FULL = Figures(
    scheduler_seen_at=NOW,
    queue=Queue(2, 30.0),
    jobs=tuple(Job(job, NOW, 1.0, {"done": 3, "failed": 1, "abandoned": 1}) for job in JOBS),
    forecasts_trained_at=NOW,
    training=Training(NOW, 60.0, 9, 1, 0),
    ranges=Totals(open=3, inside=8, early=1, late=1, void=0, of=10, right=8, since=None),
    odd_model_trained_at=NOW,
    products=9,
    warehouses=1,
    products_by_status=dict.fromkeys(STATUSES, 1),
    open_alerts_by_severity=dict.fromkeys(SEVERITIES, 1),
    ledger_faults_by_rule=dict.fromkeys(ledger_words.RULES, 0),
    ledger_rows=1000,
)
# Of the scrape itself.
OF_PROMETHEUS = {"job": {"runout"}, "instance": set()}


@pytest.fixture(scope="module")
def told():
    """Each sample's name with its labels and their values, as a busy shop tells them."""
    requests = Requests()
    for route in (route for router in ROUTERS for route in router.routes):
        for method in route.methods:
            for status in (200, 201, 429, 500, 503):
                requests.answered({"method": method, "route": route}, status, 0.01, 100)
    requests.answered({"method": "GET"}, 429, 0.01, 100)
    found = {"up": dict(OF_PROMETHEUS)}
    text = exposition.page(requests, Poster(), FULL).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {name: set(each) for name, each in OF_PROMETHEUS.items()})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def dashboard():
    return json.loads((FOLDER / "grafana-dashboard.json").read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules():
    return yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]


def questions():
    asked = {f"{panel['title']} {t['refId']}": t["expr"] for panel in panels() for t in panel["targets"]}
    return asked | {rule["alert"]: rule["expr"] for rule in rules()}


def test_every_metric_and_label_asked_for_is_told(told):
    for place, question in questions().items():
        names = re.findall(r"\b(?:runout_\w+|up\b)", question)
        assert names, place
        assert set(names) <= told.keys(), place
        for name, selector in re.findall(r"\b(runout_\w+|up)\{([^}]*)\}", question):
            for label, operator, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selector):
                known = told[name]
                assert label in known, f"{place}: {name} has no label {label}"
                if label != "instance":
                    hit = re.compile(value if "~" in operator else re.escape(value)).fullmatch
                    assert any(map(hit, known[label])), f"{place}: no {label} of {name} is like {value}"
        for grouped in re.findall(r"\bby \(([^)]*)\)", question):
            labels = {label.strip() for label in grouped.split(",")}
            assert any(labels <= told[name].keys() for name in names), f"{place}: {grouped}"
        assert question.count("(") == question.count(")"), place


def test_what_is_told_can_be_seen():
    """A metric that neither the dashboard nor a rule shows is one that nobody looks at."""
    asked = " ".join(questions().values())
    text = exposition.page(Requests(), Poster(), FULL).decode()
    names = set(re.findall(r"^# TYPE (runout_\w+)", text, re.MULTILINE))
    assert {name for name in names if name not in asked} == set()


def test_the_dashboard_can_be_imported():
    told = dashboard()
    every = told["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    taken = set()
    for panel in every:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["description"].endswith("."), panel["title"]
    assert [variable["name"] for variable in told["templating"]["list"]] == ["datasource", "instance"]


def test_each_alarm_says_what_is_wrong_and_what_to_do():
    for rule in rules():
        assert rule["alert"].startswith("Runout")
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} == rule["annotations"].keys()
        for words in rule["annotations"].values():
            assert words.endswith("."), rule["alert"]


def test_the_scrape_is_named_as_the_dashboard_asks():
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = scrape["scrape_configs"]
    assert job["job_name"] == "runout"
    assert (FOLDER / scrape["rule_files"][0]).exists()
