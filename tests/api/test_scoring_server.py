"""The serving process of SageMaker: what it answers, and what it refuses, whatever it is sent."""

import io
import json
import struct

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api import scoring, scoring_rows
from core.anomaly import features, learner, training
from core.anomaly.detector import Detector
from core.doctor import model_archive
from tests.core.anomaly.ledgers import A_SHELF, a_ledger

WIDTH = len(features.NAMES)
CSV, NPY = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-npy"}


@pytest.fixture(scope="module")
def lines():
    return a_ledger(100)


@pytest.fixture(scope="module")
def detector(lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "TREES", 5)
        patch.setattr(training, "ROUNDS", 2)
        return Detector.learn(lines, A_SHELF, seed=7)


@pytest.fixture(scope="module")
def folder(detector, tmp_path_factory):
    root = tmp_path_factory.mktemp("ml")
    model_archive.into_folder(root / "model", detector.files())
    return root


@pytest.fixture(scope="module")
def client(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SM_ROOT", str(folder))
        patch.setattr(scoring.logs, "configure", lambda *_, **__: None)  # it is for a process of its own
        with TestClient(scoring.app, raise_server_exceptions=False) as opened:
            yield opened


@pytest.fixture(scope="module")
def rows(detector, lines):
    return detector.look(lines, np.arange(280, 300), A_SHELF).features


def as_json(rows, **changed):
    return {"feature_version": features.VERSION, "instances": rows.tolist()} | changed


def as_npy(rows):
    stream = io.BytesIO()
    np.save(stream, rows)
    return stream.getvalue()


def test_it_is_well_and_says_how_it_wants_to_be_asked(client):
    assert client.get("/ping").status_code == 200
    told = client.get("/execution-parameters").json()
    assert (told["BatchStrategy"], told["MaxPayloadInMB"]) == ("MULTI_RECORD", 6)


def test_rows_are_judged_as_the_detector_judges_them(client, detector, rows):
    told = client.post("/invocations", json=as_json(rows)).json()
    judged = detector.judge(rows)
    assert told["feature_version"] == features.VERSION
    assert told["model"] == model_archive.fingerprint(Detector.from_files(detector.files()).manifest)
    assert [row["anomaly_score"] for row in told["predictions"]] == judged.chance.tolist()
    assert [row["cluster_id"] for row in told["predictions"]] == judged.cluster.tolist()
    assert [row["is_anomaly"] for row in told["predictions"]] == judged.is_anomaly.tolist()
    assert np.float32(told["predictions"][0]["x"]) == np.float32(judged.x[0])


def test_csv_and_npy_say_the_same(client, rows):
    asked = client.post("/invocations", json=as_json(rows)).json()
    csv = "".join(",".join(f"{value!r}" for value in row) + "\n" for row in rows.tolist())
    assert client.post("/invocations", content=csv, headers=CSV).json() == asked
    assert client.post("/invocations", content=as_npy(rows), headers=NPY).json() == asked
    said = client.post("/invocations", content=csv, headers=CSV | {"Accept": "text/csv"}).text
    first = asked["predictions"][0]
    assert len(said.splitlines()) == len(rows)
    assert said.split(",")[:3] == [
        repr(first["anomaly_score"]), str(first["cluster_id"]), str(first["is_anomaly"]).lower()
    ]  # fmt: skip


def test_what_is_not_known_may_be_null_and_nothing_may_be_asked(client, rows):
    unknown = [[None, *row[1:]] for row in rows.tolist()]
    assert client.post("/invocations", json=as_json(rows, instances=unknown)).status_code == 200
    assert client.post("/invocations", json=as_json(rows[:0])).json()["predictions"] == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"feature_version": "0"}, "have the version '0'"),
        ({"feature_version": None}, "have the version none"),
        ({"instances": [[1.0]]}, f"Row 0 has 1 values, not {WIDTH}"),
        ({"instances": [1.0]}, "Row 0 has no list of values"),
        ({"instances": None}, '"instances"'),
        ({"instances": [["1"] * WIDTH]}, "something else than numbers"),
        ({"instances": [[True] * WIDTH]}, "something else than numbers"),
        ({"instances": [[10**400] * WIDTH]}, "too large"),
        ({"instances": [[1e300] * WIDTH]}, "too large"),
    ],
    ids=["version", "no version", "narrow", "flat", "none", "words", "true", "endless", "huge"],
)
def test_rows_that_cannot_be_meant_are_refused_with_a_sentence(client, rows, changed, why):
    refused = client.post("/invocations", content=json.dumps(as_json(rows, **changed)))
    assert refused.status_code == 400
    assert why in refused.json()["detail"]


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b"NaN", b'{"instances": [[NaN]]}', b"[" * 100_000, b"\xff"]
)
def test_a_body_that_is_no_json_is_refused(client, said):
    assert client.post("/invocations", content=said).status_code == 400


def claims(shape, dtype=np.float32, order="C"):
    stream = io.BytesIO()
    descr = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": order == "F",
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(stream, descr)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (CSV, b"a,b\n"),
        (CSV, b"1,2\n"),
        (CSV, "\u00fc".encode()),
        (CSV, b",".join([b"inf"] * WIDTH)),
        (CSV, b",".join([b"x"] * WIDTH)),
        (NPY, b"nothing"),
        (NPY, claims((10**12, WIDTH))),
        (NPY, claims((1, WIDTH)) + b"\0"),
        (NPY, claims((1, 2)) + struct.pack("2f", 1, 2)),
        (NPY, claims((WIDTH,))),
        (NPY, claims((1, WIDTH), np.int64) + bytes(8 * WIDTH)),
        (NPY, b"\x93NUMPY\x01\x00\x10\x00" + b"__import__('os')"),
        (NPY, b"\x93NUMPY\x01\x00\x03\x00" + b"\"" * 3),
        (NPY, b"\x93NUMPY\x01\x00\xd0\x07" + b"(" * 2_000),
        (NPY, claims((True, WIDTH)) + bytes(4)),
    ],
    ids=["header", "narrow", "letters", "infinite", "words", "no npy", "bomb", "short", "thin", "flat",
         "whole", "code", "open text", "deep", "true"],
)  # fmt: skip
def test_lines_and_arrays_that_cannot_be_meant_are_refused(client, headers, said):
    refused = client.post("/invocations", content=said, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["detail"]


def test_too_much_and_unknown_kinds_are_refused(client, monkeypatch):
    monkeypatch.setattr(scoring, "MOST_BYTES", 1000)
    assert client.post("/invocations", content=b"1" * 2000, headers=CSV).status_code == 413
    assert client.post("/invocations", content=iter([b"1" * 600] * 2), headers=CSV).status_code == 413
    monkeypatch.setattr(scoring_rows, "MOST_ROWS", 1)
    two = "".join(",".join(["1"] * WIDTH) + "\n" for _ in range(2))
    assert client.post("/invocations", content=two[:1000], headers=CSV).status_code == 400
    assert client.post("/invocations", content=b"1", headers={"Content-Type": "image/png"}).status_code == 415
    assert client.get("/docs").status_code == 404


def damaged(files, how):
    if how == "no model":
        return {}
    if how == "changed":
        return files | {"learner.npz": files["learner.npz"][:-1] + b"!"}
    manifest = json.loads(files["manifest.json"])
    return files | {"manifest.json": json.dumps(manifest | {"feature_version": "0"}).encode()}


@pytest.mark.parametrize("how", ["no model", "changed", "another version"])
def test_a_model_that_is_not_whole_is_not_well(detector, tmp_path, monkeypatch, how):
    model_archive.into_folder(tmp_path / "model", damaged(detector.files(), how))
    monkeypatch.setenv("SM_ROOT", str(tmp_path))
    monkeypatch.setattr(scoring.logs, "configure", lambda *_, **__: None)
    with TestClient(scoring.app) as opened:
        assert opened.get("/ping").status_code == 503
        assert opened.post("/invocations", json={}).status_code == 503
