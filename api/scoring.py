"""The process that SageMaker runs as `serve`: scores of features over HTTP, from the files of a model.

It follows SageMaker's conventions (port 8080, `GET /ping`, `POST /invocations`) and needs no database, no
settings and no secrets. Who may call it is AWS's business: nothing else reaches the port.
"""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api.scoring_rows import MOST_BYTES, READERS, WrongRows
from core import logs
from core.anomaly import features
from core.anomaly.detector import Detector, Judged
from core.doctor import model_archive
from core.errors import BadInput

ROOT = "/opt/ml"
MEGABYTE = 1_000_000
log = logging.getLogger("runout.scoring")


@asynccontextmanager
async def _serving(served: FastAPI) -> AsyncIterator[None]:
    """Load the model once; without one the process stays up and /ping says 503, as SageMaker expects."""
    logs.configure("scoring", as_json=True)
    # Judging is arithmetic: more at once than there are cores would only fill the memory.
    served.state.places = anyio.CapacityLimiter(os.cpu_count() or 1)
    folder = Path(os.environ.get("SM_ROOT") or ROOT) / "model"
    try:
        served.state.detector = Detector.from_files(model_archive.of_folder(folder))
        served.state.fingerprint = model_archive.fingerprint(served.state.detector.manifest)
        log.info("The model %s is loaded.", served.state.fingerprint)
    except BadInput as refusal:
        served.state.detector = None
        log.error("%s", refusal.sentence)
    yield


app = FastAPI(title="Scores of movements", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_serving)


@app.get("/ping")
def ping(request: Request) -> Response:
    """200 when a model is loaded whose hashes and version fit."""
    return Response(status_code=503 if request.app.state.detector is None else 200)


@app.get("/execution-parameters")
def execution_parameters() -> dict[str, Any]:
    """How SageMaker's batch transform should ask: several rows at once, within what one request may hold."""
    return {
        "MaxConcurrentTransforms": os.cpu_count() or 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": MOST_BYTES // MEGABYTE,
    }


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    """Scores of rows of features: JSON `{"feature_version", "instances"}`, CSV without a header, or .npy.

    JSON answers `{"feature_version", "model", "predictions"}`, one prediction a row in the same order. With
    `Accept: text/csv` one line a row: anomaly_score, cluster_id, is_anomaly, x, y.
    """
    detector: Detector | None = request.app.state.detector
    if detector is None:
        return _refusal(503, "No model is loaded.")
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in READERS:
        return _refusal(415, f"Rows come as {', '.join(READERS)}.")
    body = await _body(request)
    if body is None:
        return _refusal(413, f"A request holds at most {MOST_BYTES:,} bytes: send fewer rows at once.")
    as_csv = "text/csv" in request.headers.get("accept", "")
    try:
        state = request.app.state
        said = await anyio.to_thread.run_sync(_answer, state, kind, body, as_csv, limiter=state.places)
    except WrongRows as wrong:
        return _refusal(400, f"{wrong}")
    return Response(said, media_type="text/csv" if as_csv else "application/json")


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is longer than it may be."""
    parts, read = [], 0
    async for part in request.stream():
        read += len(part)
        if read > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _answer(state: Any, kind: str, body: bytes, as_csv: bool) -> str:
    rows = READERS[kind](body, len(features.NAMES), features.VERSION)
    judged = state.detector.judge(rows)
    if as_csv:
        return "".join(
            f"{chance!r},{cluster},{str(odd).lower()},{x!r},{y!r}\n"
            for chance, odd, cluster, x, y in _plain(judged)
        )
    predictions = [
        {"anomaly_score": chance, "cluster_id": cluster, "is_anomaly": odd, "x": x, "y": y}
        for chance, odd, cluster, x, y in _plain(judged)
    ]
    about = {"feature_version": features.VERSION, "model": state.fingerprint, "predictions": predictions}
    return json.dumps(about, allow_nan=False)


def _plain(judged: Judged) -> Any:
    columns = (judged.chance, judged.is_anomaly, judged.cluster, judged.x, judged.y)
    return zip(*(column.tolist() for column in columns), strict=True)


def _refusal(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status_code=status)
