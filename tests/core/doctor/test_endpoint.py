"""The endpoint answers, or a sentence says why not; nobody waits for one that keeps failing."""

import json
import threading
import time

import numpy as np
import pytest

from core.doctor import endpoint, endpoint_settings
from core.doctor.endpoint import Answer
from core.doctor.endpoint_answers import Trouble, judged_of
from core.doctor.endpoint_settings import EndpointSettings
from core.errors import RuleBroken
from tests.front import CREDENTIALS, front, judged

VERSION = "v1"
ROWS = np.array([[0.1, np.nan, 3], [0.9, 2, 1e-30], [0.25, -0.0, 16777216]], np.float32)


@pytest.fixture(autouse=True)
def _no_account(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _one_try(monkeypatch):
    monkeypatch.setattr(endpoint, "ATTEMPTS", 1)


@pytest.fixture
def there():
    with front(judged) as at:
        yield at


def settings(at, seconds=5.0):
    """Each front has an address of its own, so each test has a line of its own."""
    return EndpointSettings("odd", "eu-central-1", at.url, seconds)


def ask(at, rows=ROWS, seconds=5.0):
    return endpoint.judge(settings(at, seconds), rows, VERSION)


def test_features_go_out_and_judgements_come_back_in_their_order(there):
    told = ask(there)
    assert told.reason is None
    assert told.model == "m1"
    assert told.judged.chance == pytest.approx([0.1, 0.9, 0.25])
    assert told.judged.is_anomaly.tolist() == [False, True, False]
    assert (told.judged.cluster.tolist(), told.judged.x[0], told.judged.y[0]) == ([2, 2, 2], 1.5, -1.0)
    assert there.paths == ["/endpoints/odd/invocations"]


def test_what_is_not_known_is_null_and_every_number_arrives_to_the_last_bit(there):
    ask(there)
    sent = json.loads(there.bodies[0])
    assert sent["feature_version"] == VERSION
    assert sent["instances"][0][1] is None
    assert np.array_equal(np.array(sent["instances"], np.float32), ROWS, equal_nan=True)


def test_many_rows_go_in_several_requests(there, monkeypatch):
    rows = np.column_stack([np.linspace(0, 1, 7), np.ones(7)]).astype(np.float32)
    monkeypatch.setattr(endpoint, "BATCH_ROWS", 2)
    assert ask(there, rows).judged.chance == pytest.approx(rows[:, 0])
    assert [len(json.loads(body)["instances"]) for body in there.bodies] == [2, 2, 2, 1]
    monkeypatch.setattr(endpoint, "BATCH_ROWS", 100)
    monkeypatch.setattr(endpoint, "BATCH_BYTES", 40)
    assert ask(there, rows).judged.chance == pytest.approx(rows[:, 0])
    assert len(there.bodies) > 6


def test_nothing_asked_is_nothing_sent(there):
    told = ask(there, np.empty((0, 3), np.float32))
    assert len(told.judged.chance) == 0
    assert there.bodies == []


STRANGE = {
    "no JSON": (lambda _: (200, b"<html>"), "not JSON"),
    "a list": (lambda _: (200, b"[1]"), "without a list of predictions"),
    "too deep": (lambda _: (200, b"[" * 100_000), "not JSON"),
    "another version": (lambda body: judged(body, feature_version="v0"), "other features"),
    "too few": (lambda body: judged(body, predictions=[]), "0 predictions for 3 rows"),
    "no object": (lambda body: judged(body, predictions=[1, 2, 3]), "without anomaly_score"),
    "a strange model": (lambda body: judged(body, model=["m"]), "fingerprint"),
}
WRONG = {
    "NaN": ({"anomaly_score": float("nan")}, "not JSON"),
    "Infinity": ({"x": float("inf")}, "not JSON"),
    "a chance of 2": ({"anomaly_score": 2}, "anomaly_score is no number from 0 to 1"),
    "a word": ({"anomaly_score": "0.5"}, "anomaly_score is no number"),
    "yes for a number": ({"anomaly_score": True}, "anomaly_score is no number"),
    "an endless number": ({"y": 10**400}, "y is no number"),
    "half a cluster": ({"cluster_id": 1.5}, "cluster_id is no whole number"),
    "a far cluster": ({"cluster_id": 99_999}, "cluster_id is no whole number"),
    "perhaps": ({"is_anomaly": 1}, "is_anomaly is neither true nor false"),
    "nothing": ({"x": None}, "x is no number"),
}


def with_first(changed):
    def answer(body):
        status, said = judged(body)
        told = json.loads(said)
        told["predictions"][0] |= changed
        return status, json.dumps(told).encode()

    return answer


ASKED = json.dumps({"feature_version": VERSION, "instances": [[0.1], [0.9], [0.25]]}).encode()


@pytest.mark.parametrize("strange", [*STRANGE, *WRONG])
def test_a_strange_answer_is_no_answer(strange):
    answer, why = STRANGE.get(strange) or (with_first(WRONG[strange][0]), WRONG[strange][1])
    with pytest.raises(Trouble, match=why):
        judged_of(answer(ASKED)[1], 3, VERSION)


@pytest.mark.usefixtures("_one_try")
def test_a_strange_answer_is_a_sentence_for_people(there, monkeypatch):
    monkeypatch.setattr(endpoint, "FAILURES", 99)
    there.answer = with_first({"anomaly_score": float("nan")})
    assert ask(there) == Answer(None, "The SageMaker endpoint 'odd' sent an answer that is not JSON.")
    monkeypatch.setattr(endpoint, "ANSWER_BYTES", 100)
    there.answer = lambda _: (200, b" " * 200)
    assert "longer than any" in ask(there).reason


def test_a_hiccup_is_tried_again(there):
    there.answer = lambda body: judged(body) if len(there.bodies) > 1 else (500, b"{}")
    assert ask(there).judged is not None
    assert len(there.bodies) == 2


REFUSALS = (
    (500, b"Traceback", "refused: 500"),
    (400, b'{"__type": "ValidationError", "message": "arn:aws:sagemaker:1234"}', "ValidationError"),
    (403, b'{"__type": "AccessDeniedException", "message": "User: arn:aws:iam::1234"}', "AccessDenied"),
    (424, b'{"__type": "ModelError", "OriginalStatusCode": 413, "Message": "x"}', "status 413"),
)


@pytest.mark.usefixtures("_one_try")
def test_a_refusal_is_told_without_names_of_accounts(there, monkeypatch):
    monkeypatch.setattr(endpoint, "FAILURES", 99)
    for status, said, why in REFUSALS:
        there.answer = lambda _, status=status, said=said: (status, said)
        told = ask(there)
        assert told.judged is None
        assert why in told.reason
        assert "1234" not in told.reason


@pytest.mark.usefixtures("_one_try")
def test_who_is_too_slow_is_not_waited_for(there):
    gone = threading.Event()
    there.answer = lambda body: (gone.wait(5), judged(body))[1]
    began = time.monotonic()
    told = ask(there, seconds=0.2)
    gone.set()
    assert told.reason == "The SageMaker endpoint 'odd' did not answer within 0.2 s."
    assert time.monotonic() - began < 4


@pytest.mark.usefixtures("_one_try")
def test_nobody_there_and_no_key_are_sentences_too(there, monkeypatch):
    nowhere = EndpointSettings("odd", "eu-central-1", "http://127.0.0.1:9", 1)
    assert "cannot be reached" in endpoint.judge(nowhere, ROWS, VERSION).reason
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in ask(there).reason
    nowhere = EndpointSettings("odd", None, None, 1)
    assert "SAGEMAKER_REGION" in endpoint.judge(nowhere, ROWS, VERSION).reason


@pytest.mark.usefixtures("_one_try")
def test_who_keeps_failing_is_left_alone_and_found_again(there, monkeypatch):
    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0.2)
    there.answer = lambda _: (500, b"{}")
    for _ in range(endpoint.FAILURES):
        assert "refused" in ask(there).reason
    assert "left alone" in ask(there).reason
    assert len(there.bodies) == endpoint.FAILURES

    time.sleep(0.25)
    assert "refused" in ask(there).reason  # one request tries, and the pause begins anew
    assert "left alone" in ask(there).reason
    assert len(there.bodies) == endpoint.FAILURES + 1

    time.sleep(0.25)
    there.answer = judged
    assert ask(there).judged is not None
    there.answer = lambda _: (500, b"{}")
    assert "refused" in ask(there).reason
    there.answer = judged
    assert ask(there).judged is not None


@pytest.mark.usefixtures("_one_try")
def test_while_one_request_finds_out_the_others_do_not_wait(there, monkeypatch):
    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0.05)
    there.answer = lambda _: (500, b"{}")
    for _ in range(endpoint.FAILURES):
        ask(there)
    time.sleep(0.1)
    asked, go_on, found = threading.Event(), threading.Event(), []

    def slowly(body):
        asked.set()
        go_on.wait(5)
        return judged(body)

    there.answer = slowly
    trying = threading.Thread(target=lambda: found.append(ask(there)))
    trying.start()
    assert asked.wait(5)
    assert "left alone" in ask(there).reason
    go_on.set()
    trying.join()
    assert found[0].judged is not None


def test_a_model_exchanged_between_two_batches_is_no_answer(there, monkeypatch):
    monkeypatch.setattr(endpoint, "BATCH_ROWS", 2)
    there.answer = lambda body: judged(body, model=f"m{len(there.bodies)}")
    assert "changed its model" in ask(there).reason


def test_settings_come_from_the_environment():
    assert endpoint_settings.from_environment({}) is None
    assert endpoint_settings.from_environment({"SAGEMAKER_ENDPOINT": " ", "AWS_REGION": "eu-west-1"}) is None
    given = {"SAGEMAKER_ENDPOINT": "odd-1", "AWS_REGION": "eu-west-1"}
    assert endpoint_settings.from_environment(given) == EndpointSettings("odd-1", "eu-west-1", None, 10.0)
    given |= {
        "SAGEMAKER_REGION": "us-gov-west-1",
        "SAGEMAKER_ENDPOINT_URL": "https://vpce.example.com",
        "SAGEMAKER_TIMEOUT_SECONDS": "2.5",
    }
    asked = EndpointSettings("odd-1", "us-gov-west-1", "https://vpce.example.com", 2.5)
    assert endpoint_settings.from_environment(given) == asked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_ENDPOINT", "odd/../x"),
        ("SAGEMAKER_ENDPOINT", "a" * 64),
        ("SAGEMAKER_REGION", "Frankfurt"),
        ("SAGEMAKER_ENDPOINT_URL", "vpce.example.com"),
        ("SAGEMAKER_ENDPOINT_URL", "http://vpce.example.com"),
        ("SAGEMAKER_ENDPOINT_URL", "https://me:hunter2@example.com"),
        ("SAGEMAKER_TIMEOUT_SECONDS", "soon"),
        ("SAGEMAKER_TIMEOUT_SECONDS", "nan"),
        ("SAGEMAKER_TIMEOUT_SECONDS", "0"),
        ("SAGEMAKER_TIMEOUT_SECONDS", "600"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(name, value):
    with pytest.raises(RuleBroken, match=name) as refused:
        endpoint_settings.from_environment({"SAGEMAKER_ENDPOINT": "odd", name: value})
    assert "hunter2" not in refused.value.sentence
