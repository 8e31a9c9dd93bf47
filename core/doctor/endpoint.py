"""Scores from a SageMaker endpoint: features go out, chances come back, and nothing depends on it.

Whatever goes wrong (no network, no rights, too slow, a strange answer) is a sentence, never an exception: the
caller then scores with the local model and says why. An endpoint that fails again and again is left alone for
a while, so that people do not wait for its time-out each time.

It waits for the network: look up the features in a transaction, end it, then ask.
"""

import functools
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.anomaly.detector import Judged
from core.doctor.endpoint_answers import Trouble, joined, judged_of
from core.doctor.endpoint_settings import EndpointSettings

ATTEMPTS = 2  # of one batch: SageMaker's own hiccups are short
CONNECT_SECONDS = 3  # a machine that is there answers sooner, whatever the model takes
FAILURES = 3  # in a row, before the endpoint is left alone
PAUSE_SECONDS = 60
BATCH_ROWS = 5_000
# What one request may hold. A serverless endpoint takes 4 MB, the others 6 MB and more.
BATCH_BYTES = 3_500_000
ANSWER_BYTES = 6_000_000
log = logging.getLogger("runout.endpoint")


@dataclass(frozen=True)
class Answer:
    """What the endpoint said of some features; `judged` is None when it did not, and `reason` says why.

    `model` is the fingerprint of the model that answered. When it is not the local model's, its clusters and
    its map are others than the local ones.
    """

    judged: Judged | None
    reason: str | None = None
    model: str | None = None


def judge(settings: EndpointSettings, features: np.ndarray, feature_version: str) -> Answer:
    """Ask the endpoint about features, in batches; never raises for trouble on the way.

    Args:
        features: float32 (n, features), made by the one definition whose version is `feature_version`; nan
            where a value is not known.

    Takes at most about `ATTEMPTS` time-outs more than the endpoint needs. Not inside a transaction.
    """
    return _line_to(settings).judge(features, feature_version)


@functools.cache
def _line_to(settings: EndpointSettings) -> "_Line":
    """The one line of this process to that endpoint."""
    return _Line(settings)


class _Line:
    """A client and a circuit breaker; used by all threads of the process."""

    def __init__(self, settings: EndpointSettings) -> None:
        import pybreaker

        self._settings = settings
        self._client: Any = None
        self._making = threading.Lock()
        self._trying = threading.Lock()
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES, reset_timeout=PAUSE_SECONDS, throw_new_error_on_trip=False
        )

    def judge(self, features: np.ndarray, feature_version: str) -> Answer:
        import pybreaker

        if self._breaker.current_state == pybreaker.STATE_CLOSED:
            outcome = self._outcome(features, feature_version)
            # Told afterwards: the breaker holds its lock during a call, and nobody should queue for it.
            with suppress(pybreaker.CircuitBreakerError, Trouble):
                self._breaker.call(_tell, outcome)
        else:
            outcome = self._try_once(features, feature_version)
        return Answer(None, f"{outcome}") if isinstance(outcome, Trouble) else outcome

    def _try_once(self, features: np.ndarray, feature_version: str) -> "Answer | Trouble":
        """One caller finds out whether the endpoint is back; the others do not wait for what it finds."""
        import pybreaker

        resting = Trouble(f"{self._name} failed {FAILURES} times in a row and is left alone for a while.")
        if not self._trying.acquire(blocking=False):
            return resting
        try:
            return self._breaker.call(lambda: _tell(self._outcome(features, feature_version)))
        except pybreaker.CircuitBreakerError:
            return resting
        except Trouble as trouble:
            return trouble
        finally:
            self._trying.release()

    @property
    def _name(self) -> str:
        return f"The SageMaker endpoint '{self._settings.name}'"

    def _outcome(self, features: np.ndarray, feature_version: str) -> "Answer | Trouble":
        try:
            return self._ask(features, feature_version)
        except Trouble as trouble:
            log.warning("%s %s", self._name, trouble)
            return Trouble(f"{self._name} {trouble}")

    def _ask(self, features: np.ndarray, feature_version: str) -> Answer:
        until = time.monotonic() + self._settings.timeout_seconds * ATTEMPTS
        parts, models, asked = [], set(), 0
        for rows in _batches(_as_json(features)):
            if parts and time.monotonic() > until:
                raise Trouble(f"is too slow: {asked:,} of {len(features):,} rows in the time there was.")
            body = f'{{"feature_version":{json.dumps(feature_version)},"instances":[{",".join(rows)}]}}'
            judged, model = judged_of(self._invoke(body.encode()), len(rows), feature_version)
            parts.append(judged)
            models.add(model)
            asked += len(rows)
        if len(models) > 1:
            raise Trouble("changed its model between two batches.")
        return Answer(joined(parts), None, models.pop() if models else None)

    def _invoke(self, body: bytes) -> bytes:
        from botocore import exceptions

        try:
            answer = self._connected().invoke_endpoint(
                EndpointName=self._settings.name,
                ContentType="application/json",
                Accept="application/json",
                Body=body,
            )
            said = answer["Body"].read(ANSWER_BYTES + 1)
        except (exceptions.BotoCoreError, exceptions.ClientError) as error:
            if isinstance(error, exceptions.NoCredentialsError):
                self._client = None  # it would stay without them
            raise Trouble(_why(error, self._settings)) from None
        if len(said) > ANSWER_BYTES:
            raise Trouble("sent an answer longer than any that can be right.")
        return said

    def _connected(self) -> Any:
        with self._making:
            if self._client is None:
                import boto3
                from botocore.config import Config

                seconds = self._settings.timeout_seconds
                config = Config(
                    connect_timeout=min(CONNECT_SECONDS, seconds),
                    read_timeout=seconds,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                )
                self._client = boto3.session.Session().client(
                    "sagemaker-runtime",
                    region_name=self._settings.region,
                    endpoint_url=self._settings.url,
                    config=config,
                )
            return self._client


def _tell(outcome: "Answer | Trouble") -> Answer:
    if isinstance(outcome, Trouble):
        raise outcome
    return outcome


def _as_json(features: np.ndarray) -> list[str]:
    """Each row as a JSON list: the shortest words that are read as the same float32, null for nan."""
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = np.ascontiguousarray(features, np.float32).ravel()
    if np.isinf(flat).any():
        raise Trouble("was not asked: a feature is infinite.")
    words = pc.fill_null(pa.array(flat, from_pandas=True).cast(pa.string()), "null").to_pylist()
    width = features.shape[1]
    return [f"[{','.join(words[at : at + width])}]" for at in range(0, len(words), width)]


def _batches(rows: list[str]) -> Iterator[list[str]]:
    """The rows in requests of bounded size."""
    batch, size = [], 0
    for row in rows:
        if batch and (len(batch) == BATCH_ROWS or size + len(row) + 1 > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row) + 1
    if batch:
        yield batch


def _why(error: Exception, settings: EndpointSettings) -> str:
    """What went wrong, without the texts of AWS: they name accounts and roles."""
    from botocore import exceptions

    if isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectTimeoutError):
        return f"did not answer within {settings.timeout_seconds:g} s."
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return "cannot be reached."
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "was not asked: there are no AWS credentials."
    if isinstance(error, exceptions.NoRegionError):
        return "was not asked: set SAGEMAKER_REGION."
    if isinstance(error, exceptions.ClientError):
        status = error.response.get("OriginalStatusCode")
        if status is not None:
            return f"answered with the status {int(status)} of its container."
        code = str(error.response.get("Error", {}).get("Code", ""))
        return f"refused: {code if code.isalnum() else 'without a reason'}."
    return f"was not asked: {type(error).__name__}."
