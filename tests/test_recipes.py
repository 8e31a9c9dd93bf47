"""Every block of docs/recipes/pull-the-ledger.md does what it says, against a served API."""

import json
import re
import subprocess
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest

from api.main import make_app
from core import api_keys, stock
from db.session import transaction
from tests import makers
from tests.api.conftest import SETTINGS
from tests.serving import serving

RECIPE = Path(__file__).resolve().parent.parent / "docs" / "recipes" / "pull-the-ledger.md"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Bucket(BaseHTTPRequestHandler):
    """S3 as far as an upload goes."""

    put: dict[str, bytes]

    def do_PUT(self):
        type(self).put[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Tests print nothing."""


def book(quantity, **about):
    with transaction() as session:
        actor, here = makers.an_actor(session), makers.the_warehouse(session)
        product = makers.a_product(session, 50, category="Tools")
        stock.remove(session, actor, product.id, here.id, quantity, unit_price="4.20", **about)


def a_key():
    with transaction() as session:
        admin = makers.an_actor(session, "admin")
        return api_keys.create(session, admin, admin.uid, "nightly pull", ["read"], NOW)[1]


@pytest.fixture
def bucket():
    Bucket.put = {}
    with HTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def run(kind, block, folder):
    """What the block leaves behind: its names, when it is Python."""
    names: dict = {}
    if kind == "python":
        exec(compile(block, RECIPE.name, "exec"), names)
    else:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (block, done.stderr)
    return names


def test_every_block_of_the_recipe_works(clone, bucket, tmp_path, monkeypatch):  # noqa: ARG001
    for number in range(3):
        book(number + 1, occurred_at=datetime(2026, 3, number + 1, 9, tzinfo=UTC))
    monkeypatch.chdir(tmp_path)
    with serving(make_app(SETTINGS)) as port:
        for name, value in {
            "RUNOUT_URL": f"http://127.0.0.1:{port}",
            "RUNOUT_KEY": a_key(),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "BUCKET": "MY-BUCKET",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{bucket}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        blocks = BLOCK.findall(RECIPE.read_text())
        left: dict = {}
        for kind, block in blocks:
            left |= run(kind, block, tmp_path)
        book(4)
        for kind, block in blocks:  # once more: what pulls only what is new finds the two that came
            if "kept.duckdb" in block or "since.txt" in block:
                run(kind, block, tmp_path)
    assert (len(left["ledger"]), len(left["march"]), left["sold"].sum()) == (6, 3, -6)
    assert float(left["best"]["turnover"].sum()) == pytest.approx(6 * 4.2)
    assert Path("status.txt").read_text() == "304\n"
    assert len(Path("ledger.csv").read_text().splitlines()) == 7
    with duckdb.connect("kept.duckdb") as kept:
        assert kept.execute("SELECT count(*), count(DISTINCT transaction_id) FROM ledger").fetchone() == (
            8,
            8,
        )
    assert len(Path("new.csv").read_text().splitlines()) >= 3
    assert Path("since.txt").read_text().startswith("20")
    assert len(json.loads(Path("page.json").read_text())["rows"]) == 6
    assert Bucket.put["/MY-BUCKET/runout/ledger/ledger.parquet"].startswith(b"PAR1")
    assert_is_a_channel(left["channel"])


def assert_is_a_channel(channel):
    """What AWS publishes about the call says so."""
    import botocore.session
    from botocore.validate import ParamValidator

    call = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    shape = call.input_shape.members["InputDataConfig"]
    assert not ParamValidator().validate([channel], shape).has_errors()
